import { errorText } from '../../base/errors.ts';
import { parseAddress } from '../address.ts';
import type { DocumentRequest } from '../executor-ports.ts';
import { fault } from '../faults.ts';
import type { Application } from '../model.ts';
import type { Trunk } from '../place-model.ts';
import { receiveMessage } from './call-messages.ts';
import { startCallRecording } from './call-recording.ts';
import { callStatusOf, dial, isOverload, OVERLOADED, type DialOptions, type DialResult } from './dialler.ts';
import type { CallFailure } from '../../sip/user-agent.ts';
import type { CallEnvironment } from './environment.ts';
import { isEmergency } from './emergency.ts';
import type { LiveCall } from './live-call.ts';
import { loopHeader, MAX_LOOPS, sharedBreadth } from './loop.ts';
import type { DialTarget, Resolution } from './routing.ts';

const DEFAULT_RING_SECONDS = 60;

/** Dials a call of the REST API and runs its document once somebody answers. Resolves when the call has ended. */
export async function runOutgoingCall(live: LiveCall, environment: CallEnvironment): Promise<void> {
  live.journal.tell('initiated');
  try {
    const application = await applicationOf(live, environment);
    const result = await dialCall(live, environment, { depth: 0, onRinging: () => live.ringing() });
    if (result === undefined) return;
    if (result.kind === 'failed') {
      await live.finish({
        status: callStatusOf(result.failure),
        sipStatus: result.failure.status,
        reason: result.failure.reason,
      });
      return;
    }
    if (!(await live.adopt(result.party))) return;
    await recordFromAnswer(live, environment);
    await sendFirstDigits(live);
    if (live.isOver) return;
    await follow(live, firstDocument(live, application), environment);
  } catch (error) {
    await failed(live, error, environment);
  }
}

async function failed(live: LiveCall, error: unknown, environment: CallEnvironment): Promise<void> {
  environment.log.warn({ callSid: live.call.sid, error: errorText(error) }, 'a call failed');
  const text = isOverload(error) ? OVERLOADED : errorText(error);
  environment.report(live.call, fault(12400, text));
  await live.finish({ status: 'failed', sipStatus: isOverload(error) ? 503 : 500, reason: text });
}

/** Runs the document and ends the call as it says; a fault of the application makes an outgoing call `failed`. */
export async function follow(
  live: LiveCall,
  first: DocumentRequest | { readonly twiml: string },
  environment: CallEnvironment,
): Promise<void> {
  const run = environment.startFlow(live, first);
  live.attach(run);
  const end = await run.end;
  if (end.kind === 'fault' && live.call.direction !== 'inbound') {
    await live.finish({ status: 'failed', reason: end.fault.message });
  } else {
    await live.finish({ status: 'completed', sipStatus: 200, reason: end.kind === 'fault' ? end.fault.message : null });
  }
}

export interface DialCallOptions extends Pick<DialOptions, 'onRinging' | 'onEarlyMedia'> {
  /** How deep the caller is in a chain of the place's own numbers. */
  readonly depth: number;
  /** The call that will hear the callee. */
  readonly near?: LiveCall;
}

/** Dials where routing says. Undefined when the call was ended here because there is nowhere to dial. */
export async function dialCall(
  live: LiveCall,
  environment: CallEnvironment,
  options: DialCallOptions,
): Promise<DialResult | undefined> {
  const { depth } = options;
  const { call } = live;
  const destination = parseAddress(call.to);
  if (destination === undefined) throw new Error(`the destination ${call.to} cannot be read`);
  const emergency = await isEmergency(destination, environment);
  if (live.hopsLeft < 0) {
    await endUnreachable(live, TOO_MANY_HOPS, environment);
    return undefined;
  }
  const resolution = await environment.resolve(destination, { accountSid: call.accountSid, emergency });
  const targets = targetsOf(resolution, call.to, environment, depth);
  if (targets === undefined) {
    await endUnreachable(live, resolution, environment);
    return undefined;
  }
  const breadth = sharedBreadth(live.breadthLeft, widest(targets));
  if (breadth === 0) {
    await endUnreachable(live, TOO_BROAD, environment);
    return undefined;
  }
  const held = holdTrunks(targets, environment);
  if (held.targets.length === 0) {
    await endUnreachable(live, TRUNKS_FULL, environment);
    return undefined;
  }
  const inward = resolution.kind === 'number' || resolution.kind === 'domain';
  const headers = inward ? [loopHeader(environment.settings.loopSecret, depth + 1)] : undefined;
  let trunk: ReturnType<typeof trunkOf>;
  try {
    const { userAgent, webphones, media, log, clock } = environment;
    const result = await dial(
      {
        ...dialOptions(live, environment, options),
        maxBreadth: breadth,
        targets: held.targets,
        ...(headers === undefined ? {} : { headers }),
      },
      {
        userAgent,
        webphones,
        media,
        log,
        onMessage: (message) => receiveMessage(live, message, environment),
        now: () => clock.now(),
      },
    );
    if (result.kind === 'failed') reportFailure(live, result.failure, environment);
    else trunk = trunkOf(result.target);
    return result;
  } finally {
    held.releaseAllBut(trunk?.name);
    if (trunk !== undefined) {
      live.onEnd(() => held.releaseAllBut(undefined));
      void live.journal.change({ trunkSid: trunk.sid });
    }
  }
}

/** A callee's own answer is a status; that nobody could be asked is a fault, which the owner of the application can mend. */
function reportFailure(live: LiveCall, failure: CallFailure, environment: CallEnvironment): void {
  if (failure.cause !== 'unreachable' && failure.cause !== 'timeout') return;
  const code = failure.reason === OVERLOADED ? 10004 : 21214;
  environment.report(live.call, fault(code, `${live.call.to}: ${failure.reason} (SIP ${failure.status})`));
}

function trunkOf(target: DialTarget): Trunk | undefined {
  return target.kind === 'sip' ? target.trunk : undefined;
}

const TRUNKS_FULL: Resolution = {
  kind: 'refused',
  sipStatus: 503,
  reason: 'every trunk that takes this number carries as many calls as it may',
  faultCode: 10004,
};

/** How many places ring at the same time: those of one group do. */
function widest(targets: readonly DialTarget[]): number {
  const sizes = new Map<number, number>();
  for (const { group } of targets) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  return Math.max(0, ...sizes.values());
}

const TOO_BROAD: Resolution = {
  kind: 'refused',
  sipStatus: 440,
  reason:
    'the call would ring in too many places at once: phones or exchanges may lead it back here, each to several others',
  faultCode: 21214,
};

const TOO_MANY_HOPS: Resolution = {
  kind: 'refused',
  sipStatus: 483,
  reason: 'the call was carried on too often: phones or exchanges may lead it round in a circle',
  faultCode: 21214,
};

interface HeldTargets {
  readonly targets: readonly DialTarget[];
  releaseAllBut(trunkName: string | undefined): void;
}

/** Targets whose trunk has room; the room is held until it is given back. */
function holdTrunks(targets: readonly DialTarget[], environment: CallEnvironment): HeldTargets {
  const releases = new Map<string, () => void>();
  const usable = targets.filter((target) => {
    const trunk = trunkOf(target);
    if (trunk === undefined || releases.has(trunk.name)) return true;
    const release = environment.trunkCapacity.hold(trunk);
    if (release !== undefined) releases.set(trunk.name, release);
    return release !== undefined;
  });
  return {
    targets: usable,
    releaseAllBut(trunkName) {
      for (const [name, release] of releases) if (name !== trunkName) release();
    },
  };
}

function dialOptions(
  live: LiveCall,
  environment: CallEnvironment,
  { onRinging, onEarlyMedia, near }: DialCallOptions,
): Omit<DialOptions, 'targets' | 'maxBreadth'> {
  const { call } = live;
  const { plan } = call;
  const { advertisedAddress } = environment.settings;
  return {
    caller: {
      user: userPart(plan.callerId ?? call.from),
      ...(call.callerName === null ? {} : { displayName: call.callerName }),
    },
    callee: userPart(call.to),
    invitation: invitationOf(live),
    ringTimeoutMs: (plan.timeoutSeconds ?? DEFAULT_RING_SECONDS) * 1000,
    ...(plan.sipAuthUsername === undefined
      ? {}
      : { credentials: { username: plan.sipAuthUsername, password: plan.sipAuthPassword ?? '' } }),
    ...(near?.media === undefined ? {} : { near: near.media }),
    ...(advertisedAddress === undefined ? {} : { advertisedAddress }),
    maxForwards: live.hopsLeft,
    signal: live.signal,
    ...(onRinging === undefined ? {} : { onRinging }),
    ...(onEarlyMedia === undefined ? {} : { onEarlyMedia }),
  };
}

/** What a browser is told of a call that rings it. */
function invitationOf({ call }: LiveCall): DialOptions['invitation'] {
  const { sid, from, to, accountSid, plan } = call;
  const parameters = { CallSid: sid, From: plan.callerId ?? from, To: to, AccountSid: accountSid };
  const custom =
    plan.clientParameters === undefined ? {} : { Params: new URLSearchParams(plan.clientParameters).toString() };
  return { callSid: sid, parameters: { ...parameters, ...custom } };
}

/** A call to a number of the place itself goes out to our own SIP door and comes in as any other. */
function targetsOf(
  resolution: Resolution,
  to: string,
  environment: CallEnvironment,
  depth: number,
): readonly DialTarget[] | undefined {
  if (resolution.kind === 'targets') return resolution.targets;
  if (resolution.kind !== 'number' && resolution.kind !== 'domain') return undefined;
  if (depth >= MAX_LOOPS) return undefined;
  const { address, port } = environment.userAgent.addresses.udp;
  const own = address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address;
  const remote = { address: own, port };
  const domain = resolution.kind === 'domain' ? resolution.domain.domainName : environment.settings.homeDomain;
  return [
    {
      kind: 'sip',
      target: { uri: `sip:${userPart(to)}@${domain}`, flow: { transport: 'udp', remote } },
      group: 0,
      domain,
    },
  ];
}

async function endUnreachable(live: LiveCall, resolution: Resolution, environment: CallEnvironment): Promise<void> {
  if (resolution.kind === 'nobody') {
    environment.report(live.call, fault(resolution.faultCode, resolution.reason));
    await live.finish({ status: 'no-answer', sipStatus: 480, reason: resolution.reason });
    return;
  }
  const refused = resolution.kind === 'refused';
  const reason = refused ? resolution.reason : `a chain of more than ${MAX_LOOPS} numbers that dial each other`;
  environment.report(live.call, fault(refused ? resolution.faultCode : 21214, reason));
  await live.finish({ status: 'failed', sipStatus: refused ? resolution.sipStatus : 482, reason });
}

async function sendFirstDigits(live: LiveCall): Promise<void> {
  const { sendDigits } = live.call.plan;
  if (sendDigits !== undefined) await live.media?.sendDigits(sendDigits).done;
}

/** Record=true of the REST API: from the answer to the end. A full disk does not end the call. */
async function recordFromAnswer(live: LiveCall, environment: CallEnvironment): Promise<void> {
  const { plan } = live.call;
  if (plan.record !== true || live.isOver) return;
  try {
    await startCallRecording(
      live,
      {
        source: 'OutboundAPI',
        channels: plan.recordingChannels === 'dual' ? 2 : 1,
        track: 'both',
        trim: plan.trim ?? true,
        statusCallback: plan.recordingStatusCallback,
        statusCallbackMethod: plan.recordingStatusCallbackMethod,
        statusCallbackEvents: plan.recordingStatusCallbackEvents,
      },
      environment,
    );
  } catch (error) {
    environment.report(live.call, fault(12400, `the call is not recorded: ${errorText(error)}`));
  }
}

async function applicationOf(live: LiveCall, environment: CallEnvironment): Promise<Application | undefined> {
  const { plan, accountSid } = live.call;
  if (plan.applicationSid === undefined) return undefined;
  return environment.lookups.application(accountSid, plan.applicationSid);
}

function firstDocument(
  live: LiveCall,
  application: Application | undefined,
): DocumentRequest | { readonly twiml: string } {
  const { plan } = live.call;
  if (plan.url !== undefined) {
    return {
      url: plan.url,
      method: plan.method ?? 'POST',
      parameters: {},
      fallbackUrl: plan.fallbackUrl,
      fallbackMethod: plan.fallbackMethod,
    };
  }
  if (plan.twiml !== undefined) return { twiml: plan.twiml };
  return {
    url: application?.voiceUrl ?? '',
    method: application?.voiceMethod ?? 'POST',
    parameters: { ...(application === undefined ? {} : { ApplicationSid: application.sid }) },
    fallbackUrl: application?.voiceFallbackUrl ?? undefined,
    fallbackMethod: application?.voiceFallbackMethod,
  };
}

/** What stands before the @ of a SIP address, the identity of a client, or the number itself. */
export function userPart(address: string): string {
  return address.replace(/^(sips?|client):/i, '').split(/[@;]/)[0] ?? address;
}
