import { after } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { MediaLeg, SoundSource } from '../../media/media-node.ts';
import type { DialOutcome } from '../executor-ports.ts';
import { callStatusOf, type DialResult } from './dialler.ts';
import type { CallEnvironment } from './environment.ts';
import type { LiveCall } from './live-call.ts';
import type { RunningCallRecording } from './recordings.ts';
import { Talk } from './talk.ts';
import { talkPorts } from './transfer.ts';
import { WhileRinging } from './while-ringing.ts';

export interface RingingHooks {
  onRinging(): void;
  onEarlyMedia(leg: MediaLeg): void;
}

/** One callee of a Dial: its own call, and how it is reached. */
export interface Callee {
  readonly child: LiveCall;
  /** Dials; resolves when answered or failed. Ends early when the child's signal aborts. */
  dial(hooks: RingingHooks): Promise<DialResult>;
  /** Runs after the answer and before the two hear each other: digits, a whisper document. */
  prepare?(): Promise<Preparation>;
}

/** `not-connected`: its document hung up, or it went. `fault`: its document could not be run. */
export type Preparation =
  { readonly kind: 'ready' | 'not-connected' } | { readonly kind: 'fault'; readonly reason: string };

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
  /** Starts the recording of the conversation. */
  record?(talk: Talk): Promise<RunningCallRecording>;
  /** Aborts when the parent's flow is taken elsewhere. */
  readonly signal: AbortSignal;
}

/** Rings the callees, joins the first that answers with the parent, and tells how it went when one side leaves. Never rejects. */
export async function connect(options: ConnectOptions, environment: CallEnvironment): Promise<DialOutcome> {
  const { parent } = options;
  parent.isDialling = true;
  try {
    const answered = await search(options, environment);
    return answered === undefined ? notAnswered(options) : await converse(options, answered, environment);
  } finally {
    parent.isDialling = false;
  }
}

async function search(options: ConnectOptions, environment: CallEnvironment): Promise<LiveCall | undefined> {
  const { parent, signal, callees } = options;
  const stop = (): void => cancel(callees);
  signal.addEventListener('abort', stop, { once: true });
  const forget = parent.onEnd(stop);
  if (signal.aborted) stop();
  try {
    if (options.sequential) {
      // Each callee may have a sound of its own before it answers.
      return await oneByOne(options, (callee) =>
        whileHearing(options, environment, (hearing) => ring(callee, { options, hearing, environment })),
      );
    }
    return await whileHearing(options, environment, (hearing) =>
      together(callees, (callee) => ring(callee, { options, hearing, environment })),
    );
  } finally {
    signal.removeEventListener('abort', stop);
    forget();
  }
}

async function whileHearing<T>(
  { parent, answerOnBridge, ringback }: ConnectOptions,
  { log }: CallEnvironment,
  work: (hearing: WhileRinging) => Promise<T>,
): Promise<T> {
  const hearing = new WhileRinging(parent, answerOnBridge ? undefined : ringback, log);
  try {
    return await work(hearing);
  } finally {
    await hearing.stop();
  }
}

type Ring = (callee: Callee) => Promise<boolean>;

async function oneByOne({ callees, parent, signal }: ConnectOptions, ringOne: Ring): Promise<LiveCall | undefined> {
  for (const callee of callees) {
    if (signal.aborted || parent.isOver) break;
    if (await ringOne(callee)) return callee.child;
  }
  return undefined;
}

/** First answer wins; the others are cancelled. */
async function together(callees: readonly Callee[], ringOne: Ring): Promise<LiveCall | undefined> {
  let winner: LiveCall | undefined;
  const one = async (callee: Callee): Promise<void> => {
    if (!(await ringOne(callee))) return;
    if (winner !== undefined) return cancel([callee]);
    winner = callee.child;
    cancel(callees.filter((other) => other !== callee));
  };
  await Promise.all(callees.map(one));
  return winner;
}

interface RingContext {
  readonly options: ConnectOptions;
  readonly hearing: WhileRinging;
  readonly environment: CallEnvironment;
}

/** True when the callee answered and its preparation let it through. Never rejects. */
async function ring(callee: Callee, { options, hearing, environment }: RingContext): Promise<boolean> {
  const { child } = callee;
  try {
    if (child.isOver) return false;
    child.journal.tell('initiated');
    const onRinging = (): void => {
      child.ringing();
      options.parent.party?.ringing();
    };
    const result = await callee.dial({ onRinging, onEarlyMedia: (leg) => hearing.earlyMedia(leg) });
    if (result.kind === 'failed') {
      const { status, reason } = result.failure;
      await child.finish({ status: callStatusOf(result.failure), sipStatus: status, reason });
      return false;
    }
    if (!(await child.adopt(result.party))) return false;
    const prepared = (await callee.prepare?.()) ?? { kind: 'ready' };
    if (prepared.kind === 'ready') return !child.isOver;
    // As any outgoing call whose application fails: the callee hears nothing of it, the call is `failed`.
    if (prepared.kind === 'fault') await child.finish({ status: 'failed', reason: prepared.reason });
    else await child.finish({ status: 'completed', sipStatus: 200, reason: 'not connected by its document' });
  } catch (error) {
    environment.log.warn({ callSid: child.call.sid, error: errorText(error) }, 'a callee could not be dialled');
    await child.finish({ status: 'failed', sipStatus: 500, reason: errorText(error) });
  }
  return false;
}

async function converse(options: ConnectOptions, child: LiveCall, environment: CallEnvironment): Promise<DialOutcome> {
  const { parent } = options;
  const { clock, log } = environment;
  const answeredAt = clock.now();
  let talk: Talk;
  try {
    if (options.signal.aborted) throw new Error('the flow of the caller was taken elsewhere');
    await parent.party?.answer();
    await parent.answered();
    talk = await Talk.join(parent, child, talkPorts(environment));
  } catch (error) {
    log.info({ callSid: parent.call.sid, error: errorText(error) }, 'two parties could not be joined');
    await child.finish({ status: 'completed', sipStatus: 200 });
    return { ...connected(options, child, 0), bridged: false };
  }
  if (mayGoDirect(options, child, environment)) talk.goDirect();
  const byStar = untilOver(options, talk, environment);
  const recording = await startRecording(options, talk, environment);
  const star = await byStar;
  const durationSeconds = Math.round((clock.now() - answeredAt) / 1000);
  if (child.isOver) await child.ended;
  const outcome = connected(options, child, durationSeconds);
  return { ...outcome, callerStays: star || outcome.callerStays, ...(await recordingOf(recording)) };
}

/** Nobody here needs to hear them: keys come by signalling. */
function mayGoDirect({ parent, record }: ConnectOptions, child: LiveCall, { settings }: CallEnvironment): boolean {
  const recorded = [...parent.recordings, ...child.recordings].some(({ current }) => current.status === 'in-progress');
  return settings.directSound && record === undefined && !recorded;
}

function connected({ parent }: ConnectOptions, child: LiveCall, durationSeconds: number): DialOutcome {
  return { status: 'completed', callSid: child.call.sid, durationSeconds, bridged: true, callerStays: !parent.isOver };
}

/** A recording that cannot start does not take the conversation away. */
async function startRecording(
  options: ConnectOptions,
  talk: Talk,
  { log }: CallEnvironment,
): Promise<RunningCallRecording | undefined> {
  try {
    return await options.record?.(talk);
  } catch (error) {
    log.warn({ callSid: options.parent.call.sid, error: errorText(error) }, 'a conversation is not recorded');
    return undefined;
  }
}

async function recordingOf(running: RunningCallRecording | undefined): Promise<Pick<DialOutcome, 'recording'>> {
  const finished = await running?.finish();
  if (running === undefined || finished?.recording.status !== 'completed') return {};
  return { recording: { url: running.url, sid: running.sid, durationSeconds: finished.recording.duration ?? 0 } };
}

/** Resolves when the parent talks to nobody any more (a transfer of the callee leads on to the next talk); true by *. */
async function untilOver(options: ConnectOptions, first: Talk, { clock }: CallEnvironment): Promise<boolean> {
  const { parent, signal } = options;
  let talk = first;
  let byStar = false;
  const end = (): void => talk.end();
  // A caller that hangs up aborts the signal too: that is the talk's to judge, since a transfer may be under way.
  const onAbort = (): void => {
    if (!parent.isOver) end();
  };
  const stopDigits = options.hangupOnStar
    ? parent.media?.onEvent((event) => {
        if (event.kind !== 'digit' || event.digit !== '*') return;
        byStar = true;
        end();
      })
    : undefined;
  const cancelLimit = after(clock, options.timeLimitSeconds * 1000, end);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  for (let next: Talk | undefined = first; next !== undefined; next = talk.next(parent)) {
    talk = next;
    await talk.over;
  }
  cancelLimit();
  stopDigits?.();
  signal.removeEventListener('abort', onAbort);
  return byStar;
}

function notAnswered({ callees, parent, signal, sequential }: ConnectOptions): DialOutcome {
  const children = callees.map((each) => each.child);
  const shown = sequential
    ? children.findLast((child) => child.call.status !== 'canceled')
    : children.toSorted((a, b) => weight(b) - weight(a))[0];
  const status = shown?.call.status;
  const known = status === 'busy' || status === 'no-answer' || status === 'canceled' ? status : 'failed';
  return {
    status: parent.isOver || signal.aborted ? 'canceled' : known,
    callSid: (shown ?? children[0])?.call.sid ?? null,
    durationSeconds: null,
    bridged: false,
    callerStays: !parent.isOver,
  };
}

/** What is told when several did not answer: a person's word before a silence, a silence before a fault. */
function weight(child: LiveCall): number {
  return ['canceled', 'failed', 'no-answer', 'busy'].indexOf(child.call.status);
}

function cancel(callees: readonly Callee[]): void {
  for (const { child } of callees) {
    const status = child.call.status === 'in-progress' ? 'completed' : 'canceled';
    void child.finish({ status, sipStatus: status === 'completed' ? 200 : 487 });
  }
}
