/** What one second of a run was like. */
export interface SecondView {
  readonly second: number;
  readonly asked: number;
  readonly done: number;
  readonly failed: number;
  readonly p50: number;
  readonly p99: number;
  /** Undefined where the server's process is not on this machine. */
  readonly serverCpuPercent: number | undefined;
}

const HEADINGS = ['time', 'asked/s', 'done/s', 'failed', 'p50 ms', 'p99 ms', 'server CPU'];
const WIDTH = 10;
/** A terminal that scrolls shows the headings again. */
const ROWS_UNDER_HEADINGS = 20;

/** One line a second: columns under headings on a terminal, `name=value` elsewhere. */
export function secondLines(view: SecondView, isTerminal: boolean): readonly string[] {
  const { second, asked, done, failed, p50, p99, serverCpuPercent } = view;
  const cpu = serverCpuPercent === undefined ? '-' : `${serverCpuPercent.toFixed(0)}%`;
  const cells = [`${second}s`, String(asked), String(done), String(failed), p50.toFixed(1), p99.toFixed(1), cpu];
  if (!isTerminal) {
    const [, ...values] = cells;
    const names = ['asked', 'done', 'failed', 'p50ms', 'p99ms', 'serverCpu'];
    return [`second=${second} ${names.map((name, index) => `${name}=${values[index] ?? ''}`).join(' ')}`];
  }
  const row = (texts: readonly string[]): string => texts.map((text) => text.padStart(WIDTH)).join(' ');
  return second % ROWS_UNDER_HEADINGS === 1 ? [row(HEADINGS), row(cells)] : [row(cells)];
}
