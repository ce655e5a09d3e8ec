import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { EventLog } from './event-log.ts';

const MAX_KEPT_LINES = 5000;
const KILL_AFTER_MS = 15_000;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** In a session of its own. */
  readonly detached?: boolean;
}

/** A child process with its output as lines. */
export class RunningProcess {
  readonly pid: number;
  readonly stdout = new EventLog<string>((line) => line);
  readonly stderr = new EventLog<string>((line) => line);
  /** Settles when the process is gone and its output is read to the end. */
  readonly ended: Promise<Ended>;
  readonly #name: string;
  readonly #child: ChildProcess;
  #isOver = false;

  private constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.#child = child;
    this.pid = child.pid ?? 0;
    collectLines(child.stdout, this.stdout);
    collectLines(child.stderr, this.stderr);
    const { promise, resolve, reject } = Promise.withResolvers<Ended>();
    this.ended = promise;
    promise.catch(() => undefined);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      this.#isOver = true;
      resolve({ code, signal });
    });
  }

  static start(command: string, args: readonly string[], options: RunningOptions = {}): RunningProcess {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.environment },
      detached: options.detached ?? false,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    return new RunningProcess(command, child);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The line that matches, unless the process ends before it writes it. */
  async line(
    pattern: RegExp,
    options: { readonly withinMs?: number; readonly on?: 'stdout' | 'stderr' } = {},
  ): Promise<string> {
    const { withinMs = 10_000, on = 'stdout' } = options;
    const line = this[on].waitFor((text) => pattern.test(text), { what: `${this.#name} to say ${pattern}`, withinMs });
    const ended = this.ended.then((end) => {
      throw new Error(`${this.#name} ended (${JSON.stringify(end)}) before it said ${pattern}`);
    });
    return Promise.race([line, ended]).catch((error: unknown) => {
      line.catch(() => undefined);
      // The reason stands last, where a report that is cut short still shows it.
      throw new Error(`${this.output()}\n${String(error)}`);
    });
  }

  send(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /**
   * Asks by the signal, and kills a process that does not obey in time: that is an error. Whoever is killed is killed
   * with its children, which would hold its output open for ever.
   */
  async end(signal: NodeJS.Signals = 'SIGTERM', withinMs = KILL_AFTER_MS): Promise<Ended> {
    if (this.#isOver) return this.ended;
    // One that ends and leaves its children behind cannot be asked for them later.
    const children = childrenOf(this.pid);
    if (signal === 'SIGKILL') killFamily(this.pid);
    else this.send(signal);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      for (const pid of [this.pid, ...children]) killFamily(pid);
    }, withinMs);
    const end = await this.ended;
    clearTimeout(timer);
    if (late) throw new Error(`${this.#name} was still there ${withinMs} ms after ${signal}:\n${this.output()}`);
    return end;
  }

  output(): string {
    return [...this.stdout.all.map((line) => `out| ${line}`), ...this.stderr.all.map((line) => `err| ${line}`)].join(
      '\n',
    );
  }
}

/** Kills a process, its children, their children and so on. It is stopped first: it must not start another one. */
function killFamily(pid: number): void {
  signalIfThere(pid, 'SIGSTOP');
  const children = childrenOf(pid);
  signalIfThere(pid, 'SIGKILL');
  for (const child of children) killFamily(child);
}

/** None where the system has no /proc. */
function childrenOf(pid: number): readonly number[] {
  try {
    const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return list
      .trim()
      .split(' ')
      .map(Number)
      .filter((child) => child > 0);
  } catch {
    return [];
  }
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  // 0 would be this process and its group.
  if (pid <= 0) return;
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone already.
  }
}

function collectLines(stream: NodeJS.ReadableStream | null, into: EventLog<string>): void {
  let rest = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (into.all.length < MAX_KEPT_LINES) into.push(line);
  });
  stream?.on('end', () => {
    if (rest !== '') into.push(rest);
  });
}
