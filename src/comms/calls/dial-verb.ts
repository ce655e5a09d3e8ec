import { newSid } from '../../base/sid.ts';
import type { SoundSource } from '../../media/media-node.ts';
import type { TwimlElement } from '../../wire/twiml/document.ts';
import { formatAddress, parseAddress } from '../address.ts';
import type { DialOutcome } from '../executor-ports.ts';
import { fault } from '../faults.ts';
import type { Call } from '../model.ts';
import { CallJournal } from './call-journal.ts';
import { connect, type Callee } from './connect.ts';
import { readDial, type CalleePlan, type DialPlan } from './dial-plan.ts';
import type { CallEnvironment } from './environment.ts';
import { LiveCall } from './live-call.ts';
import { dialCall } from './outgoing-call.ts';
import { startRecording } from './recordings.ts';

// Ringback of North America (ITU-T E.180 supplement 2): 440 and 480 Hz, two seconds on, four off.
const RINGBACK: SoundSource = {
  kind: 'tone',
  hertz: [440, 480],
  durationMs: 6000,
  cadenceMs: [2000, 4000],
  level: -19,
};

export interface DialContext {
  readonly baseUrl: string;
  readonly signal: AbortSignal;
  /** How deep this call is in a chain of the place's own numbers. */
  readonly depth: number;
  readonly register: (live: LiveCall) => () => void;
}

/** Runs the Dial verb on a live call. */
export async function runDial(
  verb: TwimlElement,
  parent: LiveCall,
  context: DialContext,
  environment: CallEnvironment,
): Promise<DialOutcome> {
  const plan = readDial(verb, (url) => absoluteUrl(url, context.baseUrl));
  const callees: Callee[] = [];
  for (const wanted of plan.callees) {
    const callee = await openCallee(wanted, plan, parent, context, environment);
    if (callee !== undefined) callees.push(callee);
  }
  if (callees.length === 0) {
    return { status: 'failed', callSid: null, durationSeconds: null, bridged: false, callerStays: !parent.isOver };
  }
  return connect(
    {
      parent,
      callees,
      sequential: plan.sequential,
      answerOnBridge: plan.answerOnBridge,
      hangupOnStar: plan.hangupOnStar,
      timeLimitSeconds: plan.timeLimitSeconds,
      ringback: RINGBACK,
      ...recordingOf(plan, parent, environment),
      signal: context.signal,
    },
    environment,
  );
}

/** A phone calls a phone (or goes out by a trunk): no application between them; the caller is answered by the callee. */
export async function joinDirectly(parent: LiveCall, environment: CallEnvironment): Promise<void> {
  const plan = {
    to: parent.call.to,
    whisperMethod: 'POST',
    statusCallbackMethod: 'POST',
    statusCallbackEvents: [],
  } as const;
  const child = await openChild(parent, plan.to, { timeoutSeconds: DIRECT_RING_SECONDS }, environment);
  const callee = calleeOf(child, plan, parent, parent.loopDepth, environment);
  const outcome = await connect(
    {
      parent,
      callees: [callee],
      sequential: false,
      answerOnBridge: true,
      hangupOnStar: false,
      timeLimitSeconds: DIRECT_LIMIT_SECONDS,
      signal: parent.signal,
    },
    environment,
  );
  if (outcome.bridged) {
    await parent.finish({ status: 'completed', sipStatus: 200 });
    return;
  }
  if (outcome.status === 'busy') parent.party?.reject('busy');
  else parent.party?.reject('unavailable');
  const status = outcome.status === 'busy' || outcome.status === 'no-answer' ? outcome.status : 'failed';
  await parent.finish({ status, sipStatus: child.call.sipResponseCode, reason: child.call.endReason });
}

const DIRECT_RING_SECONDS = 60;
const DIRECT_LIMIT_SECONDS = 14_400;

async function openCallee(
  wanted: CalleePlan,
  plan: DialPlan,
  parent: LiveCall,
  context: DialContext,
  environment: CallEnvironment,
): Promise<Callee | undefined> {
  const address = parseAddress(wanted.to);
  if (address === undefined) {
    environment.report(parent.call, fault(13223, `"${wanted.to}" is neither a phone number nor a SIP address`));
    return undefined;
  }
  const child = await openChild(
    parent,
    formatAddress(address),
    {
      timeoutSeconds: plan.timeoutSeconds,
      timeLimitSeconds: plan.timeLimitSeconds,
      ...(plan.callerId === undefined ? {} : { callerId: plan.callerId }),
      ...(wanted.username === undefined ? {} : { sipAuthUsername: wanted.username }),
      ...(wanted.password === undefined ? {} : { sipAuthPassword: wanted.password }),
      ...(wanted.statusCallback === undefined ? {} : { statusCallback: wanted.statusCallback }),
      statusCallbackMethod: wanted.statusCallbackMethod,
      statusCallbackEvents: wanted.statusCallbackEvents,
    },
    environment,
  );
  const unregister = context.register(child);
  child.onEnd(unregister);
  return calleeOf(child, wanted, parent, context.depth, environment);
}

function calleeOf(
  child: LiveCall,
  wanted: CalleePlan,
  parent: LiveCall,
  depth: number,
  environment: CallEnvironment,
): Callee {
  return {
    child,
    dial: async ({ onRinging }) => {
      const result = await dialCall(child, environment, depth, onRinging, parent);
      if (result !== undefined) return result;
      const { sipResponseCode, endReason } = child.call;
      const failure = { status: sipResponseCode ?? 480, reason: endReason ?? 'nowhere to dial' };
      return { kind: 'failed', failure: { cause: 'unreachable', ...failure } };
    },
    prepare: () => prepare(child, wanted, environment),
  };
}

/** Digits and the whisper document are for the callee alone; a callee whose document hangs up is not connected. */
async function prepare(child: LiveCall, wanted: CalleePlan, environment: CallEnvironment): Promise<boolean> {
  if (wanted.sendDigits !== undefined) await child.media?.sendDigits(wanted.sendDigits).done;
  if (wanted.whisperUrl === undefined) return true;
  const run = environment.startFlow(child, { url: wanted.whisperUrl, method: wanted.whisperMethod, parameters: {} });
  child.attach(run);
  const end = await run.end;
  return end.kind === 'finished' && !child.isOver;
}

async function openChild(
  parent: LiveCall,
  to: string,
  plan: Call['plan'],
  environment: CallEnvironment,
): Promise<LiveCall> {
  const { clock, random, log } = environment;
  const now = clock.now();
  const { accountSid, from, callerName } = parent.call;
  const call: Call = {
    sid: newSid('CA', random),
    accountSid,
    parentCallSid: parent.call.sid,
    to,
    from: plan.callerId ?? from,
    phoneNumberSid: null,
    status: 'queued',
    // On disk before the INVITE leaves: a crash closes it, nothing dials it again.
    stage: 'dialling',
    direction: 'outbound-dial',
    startTime: null,
    endTime: null,
    duration: null,
    answeredBy: null,
    forwardedFrom: null,
    callerName,
    queueTime: 0,
    trunkSid: null,
    dateCreated: now,
    dateUpdated: now,
    sipResponseCode: null,
    endReason: null,
    plan,
  };
  await environment.calls.insert(call);
  const journal = new CallJournal(call, {
    clock,
    log,
    update: (sid, changes) => environment.calls.update(sid, changes),
    deliver: (about, event) => environment.deliver(about, event),
  });
  return new LiveCall(journal, clock);
}

function recordingOf(
  plan: DialPlan,
  parent: LiveCall,
  environment: CallEnvironment,
): Pick<Parameters<typeof connect>[0], 'record'> {
  const { record, trim } = plan;
  if (record === undefined) return {};
  return {
    record: (bridge) =>
      startRecording(
        {
          call: parent.call,
          source: 'DialVerb',
          channels: record.channels,
          track: record.track,
          statusCallback: plan.recordingStatusCallback,
          statusCallbackMethod: plan.recordingStatusCallbackMethod,
          statusCallbackEvents: plan.recordingStatusCallbackEvents,
          start: (path) => bridge.record({ path, channels: record.channels, trim }),
        },
        environment.recordings,
      ),
  };
}

function absoluteUrl(url: string, base: string): string {
  return URL.canParse(url, base) ? new URL(url, base).href : url;
}
