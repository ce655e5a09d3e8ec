import { errorText } from '../../base/errors.ts';
import type { TwimlElement } from '../../wire/twiml/document.ts';
import { formatAddress, parseAddress } from '../address.ts';
import type { DialOutcome } from '../executor-ports.ts';
import { fault } from '../faults.ts';
import { openChildCall } from './child-call.ts';
import { connect, type Callee, type ConnectOptions, type Preparation } from './connect.ts';
import { readDial, type CalleePlan, type DialPlan } from './dial-plan.ts';
import type { CallEnvironment } from './environment.ts';
import { MAX_CALL_SECONDS, type LiveCall } from './live-call.ts';
import { dialCall } from './outgoing-call.ts';
import { startRecording } from './recordings.ts';
import { ringbackTone } from './ringback-tone.ts';

export interface DialContext {
  readonly baseUrl: string;
  readonly signal: AbortSignal;
  readonly mayDial: boolean;
}

/** Runs the Dial verb on a live call. */
export async function runDial(
  verb: TwimlElement,
  parent: LiveCall,
  context: DialContext,
  environment: CallEnvironment,
): Promise<DialOutcome> {
  const nobody = { status: 'failed', callSid: null, durationSeconds: null, bridged: false } as const;
  if (!context.mayDial) {
    // Else documents for callees that dial each other would go on for ever.
    environment.report(parent.call, fault(13201, `call ${parent.call.sid} waits to be connected itself`));
    return { ...nobody, callerStays: !parent.isOver };
  }
  const plan = readDial(verb, (url) => absoluteUrl(url, context.baseUrl));
  const from = await callerOf(plan, parent, environment);
  const callees: Callee[] = [];
  for (const wanted of plan.callees) {
    const callee = await openCallee(wanted, { plan, from, parent }, environment);
    if (callee !== undefined) callees.push(callee);
  }
  if (callees.length === 0) return { ...nobody, callerStays: !parent.isOver };
  return connect(
    {
      parent,
      callees,
      sequential: plan.sequential,
      answerOnBridge: plan.answerOnBridge,
      hangupOnStar: plan.hangupOnStar,
      timeLimitSeconds: plan.timeLimitSeconds,
      ringback: ringbackTone(plan.ringTone),
      ...recordingOf(plan, parent, environment),
      signal: context.signal,
    },
    environment,
  );
}

/** A phone calls a phone (or goes out by a trunk): no application between them; the caller is answered by the callee. */
export async function joinDirectly(parent: LiveCall, environment: CallEnvironment): Promise<void> {
  const { to, from } = parent.call;
  const plan = { timeoutSeconds: DIRECT_RING_SECONDS, statusCallbackEvents: [] };
  const child = await openChildCall(parent, { to, from, plan }, environment);
  const outcome = await connect(
    {
      parent,
      callees: [{ child, dial: dialOf(child, parent, environment) }],
      sequential: false,
      answerOnBridge: true,
      hangupOnStar: false,
      timeLimitSeconds: MAX_CALL_SECONDS,
      signal: parent.signal,
    },
    environment,
  );
  if (outcome.bridged) {
    await parent.finish({ status: 'completed', sipStatus: 200 });
    return;
  }
  const status = outcome.status === 'busy' || outcome.status === 'no-answer' ? outcome.status : 'failed';
  // The caller hears from us what we heard from the callee.
  await parent.finish({ status, sipStatus: child.call.sipResponseCode, reason: child.call.endReason });
}

const DIRECT_RING_SECONDS = 60;

/** Whom the callees see: only a number that the account may show, else the caller itself. */
async function callerOf(plan: DialPlan, parent: LiveCall, environment: CallEnvironment): Promise<string> {
  const { from, accountSid } = parent.call;
  if (plan.callerId === undefined) return from;
  const wanted = parseAddress(plan.callerId);
  const shown = wanted === undefined ? plan.callerId.trim() : formatAddress(wanted);
  if (shown === from) return from;
  const { lookups } = environment;
  if (wanted?.kind === 'number') {
    const owner = (await lookups.number(shown)) ?? (await lookups.phoneByNumber(shown));
    if (owner?.accountSid === accountSid) return shown;
  }
  const why = `"${plan.callerId}" is neither a number of this account nor the caller's own; the caller's own is shown`;
  environment.report(parent.call, fault(13214, why));
  return from;
}

interface DialSetup {
  readonly plan: DialPlan;
  readonly from: string;
  readonly parent: LiveCall;
}

async function openCallee(
  wanted: CalleePlan,
  { plan, from, parent }: DialSetup,
  environment: CallEnvironment,
): Promise<Callee | undefined> {
  const address = parseAddress(wanted.to);
  if (address === undefined) {
    environment.report(parent.call, fault(13223, `"${wanted.to}" is neither a phone number nor a SIP address`));
    return undefined;
  }
  const { username, password, statusCallback, clientParameters } = wanted;
  const childPlan = {
    timeoutSeconds: plan.timeoutSeconds,
    timeLimitSeconds: plan.timeLimitSeconds,
    ...(clientParameters === undefined ? {} : { clientParameters }),
    ...(username === undefined ? {} : { sipAuthUsername: username }),
    ...(password === undefined ? {} : { sipAuthPassword: password }),
    ...(statusCallback === undefined ? {} : { statusCallback }),
    statusCallbackMethod: wanted.statusCallbackMethod,
    statusCallbackEvents: wanted.statusCallbackEvents,
  };
  try {
    const branches = plan.sequential ? 1 : plan.callees.length;
    const wish = { to: formatAddress(address), from, plan: childPlan, branches };
    const child = await openChildCall(parent, wish, environment);
    const dial = dialOf(child, parent, environment);
    return { child, dial, prepare: () => prepare(child, wanted, environment) };
  } catch (error) {
    environment.report(parent.call, fault(13224, `"${wanted.to}" is not dialled: ${errorText(error)}`));
    return undefined;
  }
}

function dialOf(child: LiveCall, parent: LiveCall, environment: CallEnvironment): Callee['dial'] {
  return async (hooks) => {
    const result = await dialCall(child, environment, { depth: parent.loopDepth, near: parent, ...hooks });
    if (result !== undefined) return result;
    const { sipResponseCode, endReason } = child.call;
    const failure = { status: sipResponseCode ?? 480, reason: endReason ?? 'nowhere to dial' };
    return { kind: 'failed', failure: { cause: 'unreachable', ...failure } };
  };
}

/** Digits and the whisper document are for the callee alone; a callee whose document hangs up is not connected. */
async function prepare(child: LiveCall, wanted: CalleePlan, environment: CallEnvironment): Promise<Preparation> {
  if (wanted.sendDigits !== undefined) await child.media?.sendDigits(wanted.sendDigits).done;
  if (child.isOver) return { kind: 'not-connected' };
  if (wanted.whisperUrl === undefined) return { kind: 'ready' };
  const document = { url: wanted.whisperUrl, method: wanted.whisperMethod, parameters: {} };
  const run = environment.startFlow(child, document, { mayDial: false });
  child.attach(run);
  const end = await run.end;
  if (end.kind === 'fault') return { kind: 'fault', reason: end.fault.message };
  return { kind: end.kind === 'finished' && !child.isOver ? 'ready' : 'not-connected' };
}

function recordingOf(plan: DialPlan, parent: LiveCall, environment: CallEnvironment): Pick<ConnectOptions, 'record'> {
  const { record, trim } = plan;
  if (record === undefined) return {};
  const { channels, track } = record;
  return {
    record: (talk) =>
      startRecording(
        {
          call: parent.call,
          source: 'DialVerb',
          channels,
          track,
          statusCallback: plan.recordingStatusCallback,
          statusCallbackMethod: plan.recordingStatusCallbackMethod,
          statusCallbackEvents: plan.recordingStatusCallbackEvents,
          start: (path) => {
            const { media } = parent;
            const { bridge } = talk;
            if (media === undefined || bridge === undefined) throw new Error('the conversation has no sound');
            return track === 'both'
              ? bridge.record({ path, channels, trim })
              : media.record({ path, channels, trim, track });
          },
        },
        environment.recordings,
      ),
  };
}

function absoluteUrl(url: string, base: string): string {
  return URL.canParse(url, base) ? new URL(url, base).href : url;
}
