import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunningProcess, type Ended } from './child-process.ts';
import { claimPorts } from './port-block.ts';
import { atEnd, type Scope } from './scope.ts';
import { temporaryFolder } from './temporary-folder.ts';

const MAIN = join(import.meta.dirname, '../cli/main.ts');
const READY_WITHIN_MS = 60_000;
const STOPPED_WITHIN_MS = 15_000;

export interface TandemOptions {
  /** The configuration file's content. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Data folder that outlives the process; default: an ephemeral one. */
  readonly data?: string;
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** A command to run it in: `['ip', 'netns', 'exec', NAME]`. */
  readonly inside?: readonly string[];
  /** Listening address of all doors, default 127.0.0.1. */
  readonly address?: string;
  /** Without `--json`. */
  readonly banner?: boolean;
  /** Of the HTTP door alone. */
  readonly httpAddress?: string;
}

export interface ReadyEvent {
  readonly event: 'ready';
  readonly pid: number;
  readonly http: string;
  readonly https: string;
  readonly sip: { readonly udp: string; readonly tcp: string };
  readonly accountSid: string;
  readonly authToken: string;
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What `--json` printed. */
  json(): unknown;
}

/** The program itself as a process of its own, on free ports. */
export class Tandem {
  readonly ready: ReadyEvent;
  readonly process: RunningProcess;
  #endWanted = false;

  private constructor(process: RunningProcess, ready: ReadyEvent) {
    this.process = process;
    this.ready = ready;
  }

  /** Starts it and waits until it is ready; it is stopped, and must stop well, when the scope ends. */
  static async start(scope: Scope, options: TandemOptions = {}): Promise<Tandem> {
    const running = await launch(scope, options);
    atEnd(scope, () => {
      // What the server logged is needed only where a test failed; subtests mark their parent so too.
      if ('passed' in scope && scope.passed === false) console.error(running.output());
    });
    const line = await running.line(/^\{"event":"ready"/, { withinMs: READY_WITHIN_MS });
    const tandem = new Tandem(running, JSON.parse(line) as ReadyEvent);
    atEnd(scope, () => (tandem.#endWanted ? undefined : tandem.stop()));
    return tandem;
  }

  get http(): string {
    return this.ready.http;
  }

  get https(): string {
    return this.ready.https;
  }

  /** HOST:PORT over UDP. */
  get sip(): string {
    return this.ready.sip.udp;
  }

  /** SIGTERM; throws unless it drains and exits with code 0. */
  async stop(): Promise<void> {
    this.#endWanted = true;
    const end = await this.process.end('SIGTERM', STOPPED_WITHIN_MS);
    if (end.code !== 0)
      throw new Error(`tandem ended with ${JSON.stringify(end)}, want code 0:\n${this.process.output()}`);
  }

  /** As a power cut would end it. */
  async kill(): Promise<Ended> {
    this.#endWanted = true;
    return this.process.end('SIGKILL');
  }

  /** Waits for an end that the test itself has asked for (`tandem stop`, a second signal). */
  async over(): Promise<Ended> {
    this.#endWanted = true;
    return this.process.ended;
  }

  /** Runs a command against this server. */
  async command(...args: readonly string[]): Promise<CommandResult> {
    const { http, accountSid, authToken } = this.ready;
    return tandemCommand(args, { TANDEM_URL: http, TANDEM_TOKEN: `${accountSid}:${authToken}` });
  }

  /** GET of a path with the account's credentials. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const { accountSid, authToken } = this.ready;
    const authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`;
    return fetch(new URL(path, this.http), { ...init, headers: { authorization } });
  }
}

/** Starts `tandem up` without waiting for it; the process is gone when the scope ends. */
export async function launch(scope: Scope, options: TandemOptions = {}): Promise<RunningProcess> {
  const { address = '127.0.0.1', httpAddress = address, inside = [], config = {} } = options;
  const ports = await claimPorts(scope);
  const rtp = `${ports.first}-${ports.first + ports.count - 1}`;
  const args = [
    'up',
    ...(options.banner === true ? [] : ['--json']),
    '--https',
    `${options.httpAddress ?? address}:0`,
    '--http',
    `${httpAddress}:0`,
    '--sip',
    `${address}:0`,
    '--rtp',
    rtp,
  ];
  if (options.data === undefined) args.push('--ephemeral');
  else args.push('--data', options.data);
  const path = join(temporaryFolder(scope, 'config'), 'tandem.json');
  writeFileSync(path, JSON.stringify({ logLevel: 'info', ...config }));
  args.push('--config', path);
  const words = [...inside, process.execPath, MAIN, ...args, ...(options.flags ?? [])];
  const running = RunningProcess.start(words[0] as string, words.slice(1), {
    environment: { ...clean(process.env), ...options.environment },
  });
  atEnd(scope, async () => void (await running.end('SIGKILL')));
  return running;
}

/** Runs any command to its end. */
export async function tandemCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
): Promise<CommandResult> {
  const running = RunningProcess.start(process.execPath, [MAIN, ...args], {
    environment: { ...clean(process.env), ...environment },
  });
  const { code } = await running.ended;
  const stdout = running.stdout.all.join('\n');
  return { code, stdout, stderr: running.stderr.all.join('\n'), json: () => JSON.parse(stdout) as unknown };
}

/** Settings of whoever runs the tests do not reach the program. */
function clean(environment: NodeJS.ProcessEnv): Record<string, undefined> {
  return Object.fromEntries(
    Object.keys(environment)
      .filter((name) => name.startsWith('TANDEM_'))
      .map((name) => [name, undefined]),
  );
}
