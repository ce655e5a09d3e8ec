import { errorText, TandemError } from '../base/errors.ts';
import { banner } from './banner.ts';
import { loadConfig, type ConfigSources } from './load-config.ts';
import { startProgram, type Program } from './program.ts';

const EXIT_FAILED = 1;
const EXIT_STOPPED_AT_ONCE = 130;

export interface UpOptions extends Pick<ConfigSources, 'flags' | 'file'> {
  readonly json: boolean;
}

/** Runs until a signal or `tandem stop`; resolves with the exit code. A second signal ends the process at once. */
export async function up(options: UpOptions): Promise<number> {
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  const stop = new StopSignals();
  // Whoever read the output has left (a closed terminal, `| head`): calls go on all the same.
  for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined);
  try {
    void stop.second.then(() => process.exit(EXIT_STOPPED_AT_ONCE));
    const config = await loadConfig({ flags: options.flags, environment: process.env, file: options.file });
    const program = await startProgram(config, { environment: process.env, onStopAsked: () => stop.ask() });
    try {
      print(options.json ? JSON.stringify(readyEvent(program)) : banner(program, config.data));
      await stop.first;
      return await drain(program, { seconds: config.drain, json: options.json, print });
    } finally {
      await program.close();
    }
  } catch (error) {
    if (!(error instanceof TandemError)) throw error;
    if (options.json) print(JSON.stringify({ event: 'failed', code: error.code as string, message: error.message }));
    process.stderr.write(`tandem: ${errorText(error)}\n`);
    return EXIT_FAILED;
  } finally {
    stop.close();
  }
}

interface DrainOptions {
  readonly seconds: number;
  readonly json: boolean;
  readonly print: (text: string) => void;
}

/** Calls are ended and accounted. */
async function drain(program: Program, { seconds, json, print }: DrainOptions): Promise<number> {
  const calls = program.liveCalls();
  if (json) print(JSON.stringify({ event: 'stopping', calls }));
  else
    print(
      calls === 0
        ? 'Stopping.'
        : `Stopping: ending ${calls} call${calls === 1 ? '' : 's'} (Ctrl-C again ends at once).`,
    );
  const { promise: tooLate, resolve } = Promise.withResolvers<'too-late'>();
  const timer = setTimeout(() => resolve('too-late'), seconds * 1000);
  const outcome = await Promise.race([program.drain().then(() => 'drained' as const), tooLate]);
  clearTimeout(timer);
  if (json) print(JSON.stringify({ event: 'stopped', drained: outcome === 'drained' }));
  return 0;
}

function readyEvent(program: Program): object {
  const { http, https, sip, accountSid, authToken } = program;
  return {
    event: 'ready',
    pid: process.pid,
    http,
    ...(https === undefined ? {} : { https }),
    sip,
    accountSid,
    authToken,
  };
}

/** SIGTERM, Ctrl-C and `tandem stop`: the first drains, the second ends. */
class StopSignals {
  readonly first: Promise<void>;
  readonly second: Promise<void>;
  readonly #first = Promise.withResolvers<void>();
  readonly #second = Promise.withResolvers<void>();
  #asked = false;
  readonly #onSignal = (): void => this.ask();

  constructor() {
    this.first = this.#first.promise;
    this.second = this.#second.promise;
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, this.#onSignal);
  }

  ask(): void {
    if (this.#asked) this.#second.resolve();
    this.#asked = true;
    this.#first.resolve();
  }

  close(): void {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.off(signal, this.#onSignal);
  }
}
