import { errorText } from '../../base/errors.ts';
import type { AccountSid } from '../../base/sid.ts';
import type { IncomingCall } from '../../sip/user-agent.ts';
import { parseAddress as parseNameAddress } from '../../wire/sip/address.ts';
import { header } from '../../wire/sip/message.ts';
import { isEmergencyUrn } from '../../wire/sip/service-urn.ts';
import { parseSipUri, uriScheme } from '../../wire/sip/uri.ts';
import { formatAddress, parseNumber, type Address } from '../address.ts';
import { CommsError } from '../comms-error.ts';
import { fault } from '../faults.ts';
import type { Call, CallPlan, VoiceHandling } from '../model.ts';
import type { CallEnvironment } from './environment.ts';
import { isEmergency, numberOfEmergencyUrn } from './emergency.ts';
import { isOverload } from './dialler.ts';
import { joinDirectly } from './dial-verb.ts';
import { dialledAddress } from './dialled-address.ts';
import type { LiveCall } from './live-call.ts';
import { breadthLeft, hopsLeft, loopDepth } from './loop.ts';
import { newCall } from './new-call.ts';
import { openLiveCall } from './open-live-call.ts';
import { follow } from './outgoing-call.ts';
import type { Resolution } from './routing.ts';
import { offerRefusal, SipParty } from './sip-party.ts';

const RETRY_AFTER = [{ name: 'Retry-After', value: '5' }] as const;
const NO_EMERGENCY_ROUTE =
  '<Response><Say loop="3">Emergency calls cannot be placed from here. Use another phone.</Say></Response>';
const NO_APPLICATION =
  '<Response><Say>This number has no application yet. Give it a voice U R L and call again.</Say></Response>';

interface Caller {
  readonly accountSid: AccountSid;
  readonly from: string;
  readonly displayName: string | null;
}

/** Takes a call that came in: finds where it leads, then an application or another phone answers it. Never rejects. */
export async function runIncomingCall(incoming: IncomingCall, environment: CallEnvironment): Promise<void> {
  let admitted: Admitted | undefined;
  try {
    admitted = await admit(incoming, environment);
  } catch (error) {
    // Never a silent call: whoever calls hears that nothing comes of it.
    refuse(incoming, error, environment);
  }
  if (admitted === undefined) return;
  const { live, resolution, emergency } = admitted;
  try {
    await serve(live, resolution, emergency, environment);
  } catch (error) {
    environment.log.error({ callSid: live.call.sid, error: errorText(error) }, 'an incoming call failed');
    const sipStatus = error instanceof CommsError && error.code === 'storage-full' ? 503 : 500;
    await live.finish({ status: 'failed', sipStatus, reason: errorText(error) });
  }
}

interface Admitted {
  readonly live: LiveCall;
  readonly resolution: Resolution;
  readonly emergency: boolean;
}

/** Undefined when the call was refused. */
async function admit(incoming: IncomingCall, environment: CallEnvironment): Promise<Admitted | undefined> {
  const uri = dialledUri(incoming);
  const help = numberOfEmergencyUrn(uri, environment.settings.emergencyNumbers);
  const destination = help === undefined ? dialledAddress(uri) : ({ kind: 'number', number: help } as const);
  if (destination === undefined) {
    if (uriScheme(uri) === 'urn' && !isEmergencyUrn(uri)) incoming.reject(416);
    else incoming.reject(404);
    return undefined;
  }
  const caller = await identify(incoming, environment);
  const emergency = await isEmergency(destination, environment, realmOf(incoming));
  const resolution = await environment.resolve(destination, { accountSid: caller.accountSid, emergency });
  const accountSid = ownerOf(resolution) ?? caller.accountSid;
  if ((await environment.lookups.account(accountSid))?.status !== 'active') {
    incoming.reject(403, 'Account Not Active');
    return undefined;
  }
  if (isTransit(incoming, resolution)) {
    incoming.reject(403, 'No Transit');
    return undefined;
  }
  const release = await holdTrunk(incoming, environment);
  if (release === undefined) {
    incoming.reject(503, 'Trunk Full', RETRY_AFTER);
    return undefined;
  }
  try {
    const live = await openCall(incoming, { caller: { ...caller, accountSid }, destination, resolution }, environment);
    live.onEnd(release);
    return { live, resolution, emergency };
  } catch (error) {
    release();
    throw error;
  }
}

/** A stranger or another exchange may reach this place, never be carried through it. */
function isTransit(incoming: IncomingCall, resolution: Resolution): boolean {
  if (incoming.caller.kind === 'phone' || resolution.kind !== 'targets') return false;
  return resolution.targets.some((each) => each.kind === 'sip' && each.isPhone !== true);
}

function refuse(incoming: IncomingCall, error: unknown, { log }: CallEnvironment): void {
  log.warn({ callId: incoming.callId, error: errorText(error) }, 'an incoming call was refused');
  if (error instanceof CommsError && error.code === 'storage-full') incoming.reject(503, 'Storage Full', RETRY_AFTER);
  else incoming.reject(offerRefusal(error), undefined, isOverload(error) ? RETRY_AFTER : []);
}

/** Room on the trunk that the call comes by; undefined when it is full. Other callers need none. */
async function holdTrunk(incoming: IncomingCall, environment: CallEnvironment): Promise<(() => void) | undefined> {
  if (incoming.caller.kind !== 'trunk') return () => undefined;
  const trunk = await environment.lookups.trunk(incoming.caller.name);
  return trunk === undefined ? () => undefined : environment.trunkCapacity.hold(trunk);
}

/** Calls to a number or domain are its owner's. */
function ownerOf(resolution: Resolution): AccountSid | undefined {
  if (resolution.kind === 'number') return resolution.number.accountSid;
  return resolution.kind === 'domain' ? resolution.domain.accountSid : undefined;
}

async function serve(
  live: LiveCall,
  resolution: Resolution,
  emergency: boolean,
  environment: CallEnvironment,
): Promise<void> {
  switch (resolution.kind) {
    case 'number':
    case 'domain':
      live.party?.ringing();
      await follow(live, await firstDocument(live, resolution, environment), environment);
      return;
    case 'targets':
      await joinDirectly(live, environment);
      return;
    case 'nobody':
    case 'refused': {
      environment.report(live.call, fault(resolution.faultCode, resolution.reason));
      if (emergency) {
        await follow(live, { twiml: NO_EMERGENCY_ROUTE }, environment);
        return;
      }
      const sipStatus = resolution.kind === 'refused' ? resolution.sipStatus : 480;
      const status = sipStatus === 480 ? 'no-answer' : 'failed';
      await live.finish({ status, sipStatus, reason: resolution.reason });
      return;
    }
    default:
      resolution satisfies never;
  }
}

interface Opening {
  readonly caller: Caller;
  readonly destination: Address;
  readonly resolution: Resolution;
}

/** Makes the leg and the row. Rejects when the offer, the machine or the disk does not allow it; then nothing stays open. */
async function openCall(incoming: IncomingCall, opening: Opening, environment: CallEnvironment): Promise<LiveCall> {
  const { settings, log } = environment;
  const { resolution } = opening;
  const leg = await environment.media.openLeg({
    kind: 'rtp',
    localAddress: incoming.localAddress,
    signallingPeer: incoming.source.address,
    ...(settings.advertisedAddress === undefined ? {} : { advertisedAddress: settings.advertisedAddress }),
  });
  try {
    const party = await SipParty.incoming(incoming, leg, log);
    const call = incomingRow(opening, handlingPlan(await handlingOf(resolution, environment)), environment);
    await environment.calls.insert(call);
    const live = openLiveCall(call, environment, {
      loopDepth: loopDepth(incoming.request, settings.loopSecret),
      hopsLeft: hopsLeft(incoming.request),
      breadthLeft: breadthLeft(incoming.request),
      extraParameters: sipParameters(incoming, resolution),
    });
    environment.liveCalls.add(live);
    await live.adopt(party);
    return live;
  } catch (error) {
    await leg.close().catch(() => undefined);
    throw error;
  }
}

function incomingRow({ caller, destination, resolution }: Opening, plan: CallPlan, environment: CallEnvironment): Call {
  return newCall(
    {
      accountSid: caller.accountSid,
      to: formatAddress(destination),
      from: caller.from,
      phoneNumberSid: resolution.kind === 'number' ? resolution.number.sid : null,
      callerName: caller.displayName,
      status: 'ringing',
      stage: 'live',
      direction: 'inbound',
      plan,
    },
    environment,
  );
}

/**
 * A trunk with a registration calls the account that is registered: the number that was dialled stands in To. So does a
 * cry for help that was addressed to the server alone (RFC 6881 ED-62 wants it in both).
 */
function dialledUri(incoming: IncomingCall): string {
  const { uri } = incoming.request;
  const user = parseSipUri(uri)?.user ?? '';
  if (isEmergencyUrn(uri) || /^\+?\d/.test(user)) return uri;
  const to = parseNameAddress(header(incoming.request, 'To') ?? '')?.uri ?? uri;
  return incoming.caller.kind === 'trunk' || (user === '' && isEmergencyUrn(to)) ? to : uri;
}

function realmOf({ request }: IncomingCall): string | undefined {
  return parseSipUri(parseNameAddress(header(request, 'From') ?? '')?.uri ?? '')?.host;
}

async function identify(incoming: IncomingCall, environment: CallEnvironment): Promise<Caller> {
  const { caller } = incoming;
  const from = parseNameAddress(header(incoming.request, 'From') ?? '');
  const displayName = from?.displayName === undefined || from.displayName === '' ? null : from.displayName;
  if (loopDepth(incoming.request, environment.settings.loopSecret) > 0) {
    return {
      accountSid: environment.settings.mainAccount,
      from: callerNumber(from?.uri),
      displayName,
    };
  }
  switch (caller.kind) {
    case 'phone': {
      const phone =
        caller.domain === environment.settings.homeDomain
          ? await environment.lookups.phone(caller.username)
          : undefined;
      const shown = phone?.number ?? `sip:${caller.username}@${caller.domain}`;
      return { accountSid: caller.accountSid as AccountSid, from: shown, displayName };
    }
    case 'trunk':
      return {
        accountSid: caller.accountSid as AccountSid,
        from: callerNumber(from?.uri),
        displayName,
      };
    case 'anonymous':
      return {
        accountSid: environment.settings.mainAccount,
        from: callerNumber(from?.uri),
        displayName,
      };
    default:
      return caller satisfies never;
  }
}

function callerNumber(uri: string | undefined): string {
  const parsed = uri === undefined ? undefined : parseSipUri(uri);
  const number = parsed?.user === undefined ? undefined : parseNumber(parsed.user);
  return number ?? uri?.split(/[;?]/)[0] ?? 'anonymous';
}

/** What the application is told of a call that came over a SIP domain. */
function sipParameters(incoming: IncomingCall, resolution: Resolution): Readonly<Record<string, string>> {
  if (resolution.kind !== 'domain') return {};
  const uri = parseSipUri(incoming.request.uri);
  const own = incoming.request.headers.filter(({ name }) => /^X-/i.test(name) && !/^X-Tandem-/i.test(name));
  return {
    SipDomain: resolution.domain.domainName,
    SipUsername: uri?.user ?? '',
    SipCallId: incoming.callId,
    SipSourceIp: incoming.source.address,
    ...Object.fromEntries(own.map(({ name, value }) => [`SipHeader_${name}`, value])),
  };
}

async function handlingOf(resolution: Resolution, environment: CallEnvironment): Promise<VoiceHandling | undefined> {
  if (resolution.kind === 'domain') return resolution.domain;
  if (resolution.kind !== 'number') return undefined;
  const { number } = resolution;
  if (number.voiceApplicationSid === null) return number;
  return (await environment.lookups.application(number.accountSid, number.voiceApplicationSid)) ?? number;
}

function handlingPlan(handling: VoiceHandling | undefined): CallPlan {
  if (handling === undefined || handling.statusCallback === null) return {};
  return { statusCallback: handling.statusCallback, statusCallbackMethod: handling.statusCallbackMethod };
}

async function firstDocument(
  live: LiveCall,
  resolution: Extract<Resolution, { kind: 'number' | 'domain' }>,
  environment: CallEnvironment,
): Promise<Parameters<CallEnvironment['startFlow']>[1]> {
  const handling = await handlingOf(resolution, environment);
  if (handling === undefined || handling.voiceUrl === null) {
    environment.report(live.call, fault(11100, `${live.call.to} has no VoiceUrl; set one, or an application with one`));
    return { twiml: NO_APPLICATION };
  }
  return {
    url: handling.voiceUrl,
    method: handling.voiceMethod,
    parameters: {},
    fallbackUrl: handling.voiceFallbackUrl ?? undefined,
    fallbackMethod: handling.voiceFallbackMethod,
  };
}
