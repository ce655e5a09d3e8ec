import type { Command } from 'commander';
import { ServerClient, type ServerOptions } from '../server-client.ts';
import { withServerOptions } from '../server-options.ts';
import { wholeNumber } from '../whole-number.ts';

type Options = ServerOptions & { readonly json?: boolean; readonly follow?: boolean; readonly lines?: number };

interface LogLine {
  readonly time: number;
  readonly level: string;
  readonly msg: string;
}

/** `tandem logs`: what the server said lately, and with --follow what it says. */
export function addLogsCommand(program: Command): void {
  withServerOptions(
    program
      .command('logs')
      .description('what the server logged')
      .option('-f, --follow', 'go on until Ctrl-C')
      .option('--lines <n>', 'how many old lines (default: 100)', wholeNumber),
  ).action(printLogs);
}

async function printLogs(options: Options): Promise<void> {
  const client = await ServerClient.find(options);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const path = `/logs?lines=${options.lines ?? 100}&follow=${options.follow === true}`;
  try {
    for await (const line of client.lines(path, stop.signal)) {
      if (line === '') continue;
      process.stdout.write(`${options.json === true ? line : readable(line)}\n`);
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
}

function readable(line: string): string {
  const parsed = parse(line);
  if (parsed === undefined) return line;
  const { time, level, msg, ...fields } = parsed;
  const rest = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return [new Date(time).toISOString(), level.toUpperCase().padEnd(5), msg, ...rest].join(' ');
}

/** Undefined for a line that is none of the log's: it is shown as it came. */
function parse(line: string): LogLine | undefined {
  try {
    const parsed = JSON.parse(line) as Partial<LogLine> | null;
    const isLine = typeof parsed?.time === 'number' && typeof parsed.level === 'string';
    return isLine ? (parsed as LogLine) : undefined;
  } catch {
    return undefined;
  }
}
