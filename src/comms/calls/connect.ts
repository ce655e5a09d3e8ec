import { after, type Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { MediaBridge, Playback, SoundSource } from '../../media/media-node.ts';
import type { DialOutcome } from '../executor-ports.ts';
import { callStatusOf, type DialResult } from './dialler.ts';
import type { LiveCall } from './live-call.ts';
import type { FinishedRecording, RunningCallRecording } from './recordings.ts';

/** One callee of a Dial: its own call, and how it is reached. */
export interface Callee {
  readonly child: LiveCall;
  /** Dials; resolves when answered or failed. Ends early when the child's signal aborts. */
  dial(hooks: { onRinging(): void }): Promise<DialResult>;
  /** Runs after the answer and before the two hear each other (digits, a whisper document); false: not to be connected. */
  prepare?(): Promise<boolean>;
}

export interface ConnectOptions {
  readonly parent: LiveCall;
  /** Tried one after another when `sequential`, else together. Each has its own ring timeout. */
  readonly callees: readonly Callee[];
  readonly sequential: boolean;
  /** The caller's leg is answered only when the callee answers. */
  readonly answerOnBridge: boolean;
  readonly hangupOnStar: boolean;
  readonly timeLimitSeconds: number;
  /** What an answered caller hears while it rings; undefined: silence. */
  readonly ringback?: SoundSource;
  record?(bridge: MediaBridge, winner: LiveCall): Promise<RunningCallRecording>;
  /** Aborts when the parent's flow is taken elsewhere. */
  readonly signal: AbortSignal;
}

export interface ConnectPorts {
  readonly clock: Clock;
  readonly log: Logger;
}

interface Answer {
  readonly callee: Callee;
}

/** Rings the callees, joins the first that answers with the parent, and tells how it went when one side leaves. */
export async function connect(options: ConnectOptions, ports: ConnectPorts): Promise<DialOutcome> {
  const ringback = startRingback(options);
  const stop = (): void => void endAll(options.callees);
  options.signal.addEventListener('abort', stop, { once: true });
  options.parent.onEnd(stop);
  try {
    const found = options.sequential ? await oneByOne(options) : await together(options);
    ringback?.stop();
    if (found.answer === undefined) return notAnswered(options, found.last);
    return await converse(options, found.answer, ports);
  } finally {
    ringback?.stop();
    options.signal.removeEventListener('abort', stop);
  }
}

interface Search {
  readonly answer: Answer | undefined;
  readonly last: LiveCall | undefined;
}

async function oneByOne(options: ConnectOptions): Promise<Search> {
  let last: LiveCall | undefined;
  for (const callee of options.callees) {
    if (options.signal.aborted || options.parent.isOver) break;
    last = callee.child;
    if (await ring(callee, options)) return { answer: { callee }, last };
  }
  return { answer: undefined, last };
}

/** First answer wins; the others are cancelled. */
async function together(options: ConnectOptions): Promise<Search> {
  const { promise, resolve } = Promise.withResolvers<Search>();
  let open = options.callees.length;
  let won = false;
  let last: LiveCall | undefined = options.callees[0]?.child;
  const one = async (callee: Callee): Promise<void> => {
    const answered = await ring(callee, options);
    open -= 1;
    if (answered && !won) {
      won = true;
      for (const other of options.callees)
        if (other !== callee) void other.child.finish({ status: 'canceled', sipStatus: 487 });
      resolve({ answer: { callee }, last: callee.child });
    } else if (answered) {
      await callee.child.finish({ status: 'canceled', sipStatus: 487 });
    } else if (callee.child.call.status === 'busy' || last === undefined) {
      last = callee.child;
    }
    if (open === 0 && !won) resolve({ answer: undefined, last });
  };
  if (open === 0) return { answer: undefined, last };
  await Promise.race([promise, Promise.all(options.callees.map(one))]);
  return promise;
}

/** True when the callee answered and its preparation let it through. */
async function ring(callee: Callee, options: ConnectOptions): Promise<boolean> {
  const { child } = callee;
  const { parent } = options;
  child.journal.tell('initiated');
  const onRinging = (): void => {
    void child.ringing();
    parent.party?.ringing();
  };
  const result = await callee.dial({ onRinging });
  if (result.kind === 'failed') {
    const { status, reason } = result.failure;
    await child.finish({ status: callStatusOf(result.failure), sipStatus: status, reason });
    return false;
  }
  child.adopt(result.party);
  if (child.isOver || parent.isOver || options.signal.aborted) {
    await result.party.hangup();
    await child.finish({ status: 'canceled', sipStatus: 487 });
    return false;
  }
  await child.answered();
  if (callee.prepare !== undefined && !(await callee.prepare())) {
    await child.finish({ status: 'completed', sipStatus: 200, reason: 'not connected by its document' });
    return false;
  }
  return !child.isOver;
}

async function converse(options: ConnectOptions, { callee }: Answer, ports: ConnectPorts): Promise<DialOutcome> {
  const { parent } = options;
  const { child } = callee;
  const answeredAt = ports.clock.now();
  let bridge: MediaBridge | undefined;
  let recording: RunningCallRecording | undefined;
  let bridged = false;
  let byStar = false;
  try {
    await parent.party?.answer();
    await parent.answered();
    const [ours, theirs] = [parent.media, child.media];
    if (ours !== undefined && theirs !== undefined && !parent.isOver && !child.isOver) {
      bridge = await ours.node.bridge([ours, theirs], { passDigits: true });
      bridged = true;
      recording = await options.record?.(bridge, child);
      byStar = await untilOver(options, child, ports);
    }
  } catch (error) {
    ports.log.warn({ callSid: parent.call.sid, error: errorText(error) }, 'two parties could not be joined');
  }
  await bridge?.close().catch(() => undefined);
  const finished = await recording?.finish();
  const durationSeconds = Math.round((ports.clock.now() - answeredAt) / 1000);
  await child.finish({ status: 'completed', sipStatus: 200 });
  return {
    status: 'completed',
    callSid: child.call.sid,
    durationSeconds,
    bridged,
    callerStays: byStar || !parent.isOver,
    ...recordingOf(finished, recording),
  };
}

function recordingOf(
  finished: FinishedRecording | undefined,
  running: RunningCallRecording | undefined,
): Pick<DialOutcome, 'recording'> {
  if (finished === undefined || running === undefined || finished.recording.status !== 'completed') return {};
  return { recording: { url: running.url, sid: running.sid, durationSeconds: finished.recording.duration ?? 0 } };
}

/** Resolves when one side leaves, the limit is reached, the flow is taken elsewhere, or * is pressed (then true). */
function untilOver(options: ConnectOptions, child: LiveCall, ports: ConnectPorts): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const stopDigits = options.hangupOnStar
    ? options.parent.media?.onEvent((event) => {
        if (event.kind === 'digit' && event.digit === '*') resolve(true);
      })
    : undefined;
  const limit = after(ports.clock, options.timeLimitSeconds * 1000, () => resolve(false));
  const over = (): void => resolve(false);
  options.signal.addEventListener('abort', over, { once: true });
  if (options.signal.aborted) over();
  child.onEnd(over);
  options.parent.onEnd(over);
  return promise.finally(() => {
    limit();
    stopDigits?.();
    options.signal.removeEventListener('abort', over);
  });
}

function notAnswered(options: ConnectOptions, last: LiveCall | undefined): DialOutcome {
  const status = last?.call.status;
  const shown = status === 'busy' || status === 'no-answer' || status === 'canceled' ? status : 'failed';
  return {
    status: options.parent.isOver || options.signal.aborted ? 'canceled' : shown,
    callSid: last?.call.sid ?? null,
    durationSeconds: null,
    bridged: false,
    callerStays: !options.parent.isOver,
  };
}

function startRingback(options: ConnectOptions): Playback | undefined {
  const { parent, ringback } = options;
  if (ringback === undefined || options.answerOnBridge || parent.party?.answered !== true) return undefined;
  return parent.media?.play([ringback], { loop: 0 });
}

async function endAll(callees: readonly Callee[]): Promise<void> {
  await Promise.all(callees.map((each) => each.child.finish({ status: endStatus(each.child), sipStatus: 487 })));
}

function endStatus(child: LiveCall): 'completed' | 'canceled' {
  return child.call.status === 'in-progress' ? 'completed' : 'canceled';
}
