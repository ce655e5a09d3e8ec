import { fork, type ChildProcess } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { fileURLToPath } from 'node:url';
import { after, systemClock, type Clock } from '../base/clock.ts';
import { deferred } from '../base/deferred.ts';
import type { MediaLimits } from './in-process-node.ts';
import { MediaError } from './media-error.ts';
import type { MediaNode } from './media-node.ts';
import { LOAD_REPORT_MS, type NodeReport } from './node-protocol.ts';
import type { PortRange } from './port-range.ts';
import { RemoteNode } from './remote-node.ts';

export interface ChildMediaNodeOptions extends MediaLimits {
  readonly portRange: PortRange;
  /** Names the node in logs and leg ids; default `media-<pid>`. */
  readonly id?: string;
  readonly clock?: Clock;
  /**
   * Folder of Node's compile cache; default: the one that this process uses, if any. With it a media process takes a
   * third less memory, since the TypeScript stripper is not loaded.
   */
  readonly compileCache?: string;
}

/** A MediaNode in a child process, whose death can be looked at. */
export interface ChildMediaNode extends MediaNode {
  readonly pid: number;
}

const START_TIMEOUT_MS = 20_000;
/** A process that does not end by itself after its close is ended. */
const END_TIMEOUT_MS = 5_000;
/** So many missed reports in a row, each checked apart, mean that the process hangs. */
const MAX_MISSED_REPORTS = 10;
/** The heap of a media process is small and short-lived: a large young generation would only sit in memory. */
const NODE_FLAGS = ['--max-semi-space-size=4'];

// As TypeScript in the clone, as JavaScript in the package.
const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const MAIN_MODULE = fileURLToPath(new URL(`./media-process.${EXTENSION}`, import.meta.url));

/** Starts a media process. Rejects with MediaError `lost` when it does not come up. */
export async function openMediaNode(options: ChildMediaNodeOptions): Promise<ChildMediaNode> {
  const { clock = systemClock, compileCache = getCompileCacheDir(), ...limits } = options;
  const child = fork(MAIN_MODULE, [], {
    execArgv: NODE_FLAGS,
    // A session of its own, which may be put before others, and which a terminal's signals do not reach.
    detached: true,
    // Nothing of the process may reach our standard output, which belongs to the command.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // eslint-disable-next-line no-restricted-syntax -- handing the environment on unread, with one entry more
    ...(compileCache === undefined ? {} : { env: { ...process.env, NODE_COMPILE_CACHE: compileCache } }),
  });
  const exited = deferred<void>();
  const id = options.id ?? `media-${child.pid ?? 0}`;
  const node = new RemoteNode({
    id,
    clock,
    send: (command) => child.send(command, () => undefined),
    end: () => endChild(child, exited.promise, clock),
  });
  child.on('message', (report) => node.take(report as unknown as NodeReport));
  child.once('error', (error) => node.lose(error.message));
  child.once('exit', (code, signal) => {
    exited.resolve();
    node.lose(signal === null ? `it exited with code ${code ?? 0}` : `it was ended by ${signal}`);
  });
  try {
    await startWithin(START_TIMEOUT_MS, clock, node.start({ ...limits, id }));
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  watch(child, node, clock);
  return Object.assign(node, { pid: child.pid ?? 0 });
}

async function endChild(child: ChildProcess, exited: Promise<void>, clock: Clock): Promise<void> {
  if (child.connected) child.disconnect();
  const cancel = after(clock, END_TIMEOUT_MS, () => child.kill('SIGKILL'));
  await exited;
  cancel();
}

/** Ends a process that has stopped reporting: its calls are silent already, and its owner must know. */
function watch(child: ChildProcess, node: RemoteNode, clock: Clock): void {
  let missed = 0;
  child.on('message', () => (missed = 0));
  const check = (): void => {
    missed += 1;
    cancel = after(clock, LOAD_REPORT_MS, check);
    if (missed < MAX_MISSED_REPORTS) return;
    node.lose(`it has not reported for ${(missed * LOAD_REPORT_MS) / 1_000} s`);
    child.kill('SIGKILL');
  };
  let cancel = after(clock, LOAD_REPORT_MS, check);
  child.once('exit', () => cancel());
}

async function startWithin(timeoutMs: number, clock: Clock, start: Promise<void>): Promise<void> {
  const late = deferred<never>();
  const cancel = after(clock, timeoutMs, () => {
    late.reject(new MediaError('lost', `the media process did not start within ${timeoutMs / 1_000} s`));
  });
  try {
    await Promise.race([start, late.promise]);
  } finally {
    cancel();
  }
}
