import { errorText } from '../../base/errors.ts';
import { newSid, type AccountSid } from '../../base/sid.ts';
import type { IncomingCall } from '../../sip/user-agent.ts';
import { parseAddress as parseNameAddress } from '../../wire/sip/address.ts';
import { header } from '../../wire/sip/message.ts';
import { parseSipUri } from '../../wire/sip/uri.ts';
import { formatAddress, parseAddress, parseNumber, type Address } from '../address.ts';
import { fault } from '../faults.ts';
import type { Call, CallPlan, IncomingPhoneNumber, VoiceHandling } from '../model.ts';
import type { Phone } from '../place-model.ts';
import type { CallEnvironment } from './environment.ts';
import { isEmergency } from './emergency.ts';
import { CallJournal } from './call-journal.ts';
import { isOverload } from './dialler.ts';
import { joinDirectly } from './dial-verb.ts';
import { LiveCall } from './live-call.ts';
import { loopDepth } from './loop.ts';
import { follow } from './outgoing-call.ts';
import type { Resolution } from './routing.ts';
import { offerRefusal, SipParty } from './sip-party.ts';

const RETRY_AFTER_SECONDS = 5;
const NO_EMERGENCY_ROUTE =
  '<Response><Say loop="3">Emergency calls cannot be placed from here. Use another phone.</Say></Response>';
const NO_APPLICATION =
  '<Response><Say>This number has no application yet. Give it a voice U R L and call again.</Say></Response>';

interface Caller {
  readonly accountSid: AccountSid;
  readonly from: string;
  readonly displayName: string | null;
  readonly phone: Phone | undefined;
}

/** Takes a call that came in: finds where it leads, then an application or another phone answers it. */
export async function runIncomingCall(
  incoming: IncomingCall,
  environment: CallEnvironment,
  register: (live: LiveCall) => () => void,
): Promise<void> {
  const destination = dialledAddress(incoming);
  const caller = await identify(incoming, environment);
  if (destination === undefined || caller === undefined) {
    incoming.reject(destination === undefined ? 404 : 403);
    return;
  }
  const emergency = isEmergency(destination, environment.settings.emergencyNumbers);
  const resolution = await environment.resolve(destination, { accountSid: caller.accountSid, emergency });
  const accountSid = ownerOf(resolution) ?? caller.accountSid;
  if ((await environment.lookups.account(accountSid))?.status !== 'active') {
    incoming.reject(403, 'Account Not Active');
    return;
  }
  if (
    incoming.caller.kind !== 'phone' &&
    resolution.kind === 'targets' &&
    resolution.targets.some((each) => each.trunk)
  ) {
    // A stranger or another exchange may reach this place, never be carried through it.
    incoming.reject(403, 'No Transit');
    return;
  }
  const release = await holdTrunk(incoming, environment);
  if (release === undefined) {
    incoming.reject(503, 'Trunk Full', [{ name: 'Retry-After', value: String(RETRY_AFTER_SECONDS) }]);
    return;
  }
  const live = await openCall(incoming, { ...caller, accountSid }, destination, resolution, environment);
  if (live === undefined) {
    release();
    return;
  }
  live.onEnd(release);
  const unregister = register(live);
  try {
    await serve(live, resolution, emergency, environment);
  } catch (error) {
    environment.log.error({ callSid: live.call.sid, error: errorText(error) }, 'an incoming call failed');
    await live.finish({ status: 'failed', sipStatus: 500, reason: errorText(error) });
  } finally {
    unregister();
  }
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
      const status = resolution.kind === 'refused' ? resolution.sipStatus : 480;
      if (live.party instanceof SipParty) live.party.refuse(status, resolution.reason);
      await live.finish({
        status: status === 480 ? 'no-answer' : 'failed',
        sipStatus: status,
        reason: resolution.reason,
      });
      return;
    }
    default:
      resolution satisfies never;
  }
}

/** Makes the leg and the row; undefined when the call was refused because its offer or the machine does not allow it. */
async function openCall(
  incoming: IncomingCall,
  caller: Caller,
  destination: Address,
  resolution: Resolution,
  environment: CallEnvironment,
): Promise<LiveCall | undefined> {
  const { clock, log, settings } = environment;
  let party: SipParty;
  try {
    const leg = await environment.media.openLeg({
      kind: 'rtp',
      localAddress: incoming.localAddress,
      signallingPeer: incoming.source.address,
      ...(settings.advertisedAddress === undefined ? {} : { advertisedAddress: settings.advertisedAddress }),
    });
    try {
      party = await SipParty.incoming(incoming, leg, log);
    } catch (error) {
      await leg.close();
      throw error;
    }
  } catch (error) {
    log.info({ callId: incoming.callId, error: errorText(error) }, 'an incoming call was refused');
    const retry = isOverload(error) ? [{ name: 'Retry-After', value: String(RETRY_AFTER_SECONDS) }] : [];
    incoming.reject(offerRefusal(error), undefined, retry);
    return undefined;
  }
  const number = resolution.kind === 'number' ? resolution.number : undefined;
  const plan = handlingPlan(await handlingOf(resolution, environment));
  const call = incomingRow(caller, destination, number, plan, environment);
  try {
    await environment.calls.insert(call);
  } catch (error) {
    log.error({ callId: incoming.callId, error: errorText(error) }, 'an incoming call could not be written down');
    incoming.reject(503, 'Storage Full', [{ name: 'Retry-After', value: String(RETRY_AFTER_SECONDS) }]);
    await party.media.close();
    return undefined;
  }
  const journal = new CallJournal(call, {
    clock,
    log,
    update: (sid, changes) => environment.calls.update(sid, changes),
    deliver: (about, event) => environment.deliver(about, event),
  });
  const live = new LiveCall(journal, clock, {
    loopDepth: loopDepth(incoming.request, settings.loopSecret),
    extraParameters: sipParameters(incoming, resolution),
  });
  live.adopt(party);
  return live;
}

function incomingRow(
  caller: Caller,
  destination: Address,
  number: IncomingPhoneNumber | undefined,
  plan: CallPlan,
  { clock, random }: CallEnvironment,
): Call {
  const now = clock.now();
  return {
    sid: newSid('CA', random),
    accountSid: caller.accountSid,
    parentCallSid: null,
    to: formatAddress(destination),
    from: caller.from,
    phoneNumberSid: number?.sid ?? null,
    status: 'ringing',
    stage: 'live',
    direction: 'inbound',
    startTime: null,
    endTime: null,
    duration: null,
    answeredBy: null,
    forwardedFrom: null,
    callerName: caller.displayName,
    queueTime: 0,
    trunkSid: null,
    dateCreated: now,
    dateUpdated: now,
    sipResponseCode: null,
    endReason: null,
    plan,
  };
}

/** A dialled number as E.164 where it can be one; else the SIP address as the phone sent it. */
function dialledAddress(incoming: IncomingCall): Address | undefined {
  const target = dialledUri(incoming);
  const uri = parseSipUri(target);
  if (uri === undefined) return undefined;
  const user = uri.user ?? '';
  const number = /^[+\d][\d().-]*$/.test(user) ? parseNumber(user) : undefined;
  if (number !== undefined && number.startsWith('+')) return { kind: 'number', number };
  if (user === '') return undefined;
  return parseAddress(target.split(/[;?]/)[0] ?? '');
}

/** A trunk with a registration calls the account that is registered: the number that was dialled stands in To. */
function dialledUri(incoming: IncomingCall): string {
  const { uri } = incoming.request;
  if (incoming.caller.kind !== 'trunk' || /^\+?\d/.test(parseSipUri(uri)?.user ?? '')) return uri;
  return parseNameAddress(header(incoming.request, 'To') ?? '')?.uri ?? uri;
}

async function identify(incoming: IncomingCall, environment: CallEnvironment): Promise<Caller | undefined> {
  const { caller } = incoming;
  const from = parseNameAddress(header(incoming.request, 'From') ?? '');
  const displayName = from?.displayName === undefined || from.displayName === '' ? null : from.displayName;
  if (loopDepth(incoming.request, environment.settings.loopSecret) > 0) {
    return {
      accountSid: environment.settings.mainAccount,
      from: callerNumber(from?.uri),
      displayName,
      phone: undefined,
    };
  }
  switch (caller.kind) {
    case 'phone': {
      const phone =
        caller.domain === environment.settings.homeDomain
          ? await environment.lookups.phone(caller.username)
          : undefined;
      const shown = phone?.number ?? `sip:${caller.username}@${caller.domain}`;
      return { accountSid: caller.accountSid as AccountSid, from: shown, displayName, phone };
    }
    case 'trunk':
      return {
        accountSid: caller.accountSid as AccountSid,
        from: callerNumber(from?.uri),
        displayName,
        phone: undefined,
      };
    case 'anonymous':
      return {
        accountSid: environment.settings.mainAccount,
        from: callerNumber(from?.uri),
        displayName,
        phone: undefined,
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
  if (handling?.statusCallback == null) return {};
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
