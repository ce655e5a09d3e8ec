import type { AccountSid } from '../../base/sid.ts';
import type { SipCredentials, SipTarget } from '../../sip/user-agent.ts';
import type { DeviceTarget } from '../../webphone/webphone.ts';
import { parameter } from '../../wire/sip/parameters.ts';
import { parseSipUri } from '../../wire/sip/uri.ts';
import type { Address } from '../address.ts';
import type { FaultCode } from '../faults.ts';
import type { IncomingPhoneNumber, SipDomain } from '../model.ts';
import type { Phone, Trunk } from '../place-model.ts';
import { dialledDigits } from './emergency.ts';

/** Where a call may ring. Targets of the same group ring together; groups are tried in order. */
export type DialTarget = SipDialTarget | ClientDialTarget;

/** A browser that is registered for a client. */
export interface ClientDialTarget {
  readonly kind: 'client';
  readonly device: DeviceTarget;
  readonly group: number;
}

/** One INVITE to send. */
export interface SipDialTarget {
  readonly kind: 'sip';
  readonly target: SipTarget;
  readonly group: number;
  /** Host part of From and To. */
  readonly domain: string;
  readonly trunk?: Trunk;
  /** A device that is registered here, with a password of the place. */
  readonly isPhone?: true;
  readonly credentials?: SipCredentials;
}

export type Resolution =
  | { readonly kind: 'targets'; readonly targets: readonly DialTarget[] }
  /** An owned number or a SIP domain with a VoiceUrl: an application answers. */
  | { readonly kind: 'number'; readonly number: IncomingPhoneNumber }
  | { readonly kind: 'domain'; readonly domain: SipDomain }
  /** A known party that no device carries now. */
  | { readonly kind: 'nobody'; readonly reason: string; readonly faultCode: FaultCode }
  | { readonly kind: 'refused'; readonly sipStatus: number; readonly reason: string; readonly faultCode: FaultCode };

/** Lookups that routing needs; the call service joins them from its records, the registrar and the configuration. */
export interface RoutingPorts {
  /** The name under which phones of the place itself register. */
  readonly homeDomain: string;
  phoneByName(name: string): Promise<Phone | undefined>;
  phoneByNumber(number: string): Promise<Phone | undefined>;
  numberOwned(number: string): Promise<IncomingPhoneNumber | undefined>;
  domainByName(name: string): Promise<SipDomain | undefined>;
  /** A host name or address under which this server is reached. */
  isLocalHost(host: string, port: number | undefined): boolean;
  trunks(accountSid: AccountSid): Promise<readonly Trunk[]>;
  /** Targets that are registered for an address of record now, best first. */
  registered(aor: string): Promise<readonly SipTarget[]>;
  /** Browsers that are registered for a client of the account now. */
  clientDevices(accountSid: AccountSid, identity: string): Promise<readonly DeviceTarget[]>;
  /** May a call leave toward this host without a trunk? */
  mayDialHost(host: string): boolean;
}

export interface RoutingContext {
  readonly accountSid: AccountSid;
  /** An emergency number goes to a trunk or nowhere; it is never an application's. */
  readonly emergency: boolean;
}

/** Where a destination leads now. The order: a phone's name, a phone's number, an owned number or domain, a trunk. */
export async function resolve(destination: Address, context: RoutingContext, ports: RoutingPorts): Promise<Resolution> {
  if (context.emergency) return emergencyRoute(destination, context, ports);
  switch (destination.kind) {
    case 'number':
      return resolveNumber(destination.number, context, ports);
    case 'sip':
      return resolveUri(destination.uri, context, ports);
    case 'client':
      return resolveClient(destination.identity, context, ports);
    default:
      return destination satisfies never;
  }
}

async function resolveClient(identity: string, context: RoutingContext, ports: RoutingPorts): Promise<Resolution> {
  const devices = await ports.clientDevices(context.accountSid, identity);
  if (devices.length > 0)
    return { kind: 'targets', targets: devices.map((device) => ({ kind: 'client', device, group: 0 })) };
  return { kind: 'nobody', reason: `no browser is registered for client:${identity}`, faultCode: 32009 };
}

async function resolveNumber(number: string, context: RoutingContext, ports: RoutingPorts): Promise<Resolution> {
  const phone = (await ports.phoneByName(number)) ?? (await ports.phoneByNumber(number));
  if (phone !== undefined) return ringPhone(phone, ports);
  const owned = await ports.numberOwned(number);
  if (owned !== undefined) return { kind: 'number', number: owned };
  return trunkRoute(number, context, ports);
}

async function resolveUri(uri: string, context: RoutingContext, ports: RoutingPorts): Promise<Resolution> {
  const parsed = parseSipUri(uri);
  if (parsed === undefined || parsed.scheme === 'tel') {
    return { kind: 'refused', sipStatus: 416, reason: `not a SIP address: ${uri}`, faultCode: 13241 };
  }
  const user = parsed.user ?? '';
  const domain = await ports.domainByName(parsed.host);
  if (domain !== undefined && domain.domainName !== ports.homeDomain) return resolveInDomain(user, domain, ports);
  if (domain !== undefined || ports.isLocalHost(parsed.host, parsed.port))
    return resolveLocalUser(user, context, ports);
  // RFC 3261 19.1.1: maddr is where the request really goes.
  const maddr = parameter(parsed.parameters, 'maddr');
  if (!ports.mayDialHost(parsed.host) || (maddr !== undefined && !ports.mayDialHost(maddr))) {
    return {
      kind: 'refused',
      sipStatus: 403,
      reason: `calls to the host ${maddr ?? parsed.host} are not allowed here; the operator allows hosts under sipAllow`,
      faultCode: 21215,
    };
  }
  return { kind: 'targets', targets: [{ kind: 'sip', target: { uri }, group: 0, domain: parsed.host }] };
}

/** Whether addresses at this host are this place's. */
export async function isOwnHost(host: string, port: number | undefined, ports: RoutingPorts): Promise<boolean> {
  return ports.isLocalHost(host, port) || host === ports.homeDomain || (await ports.domainByName(host)) !== undefined;
}

async function resolveInDomain(user: string, domain: SipDomain, ports: RoutingPorts): Promise<Resolution> {
  const registered = await ports.registered(aorOf(user, domain.domainName));
  if (registered.length > 0) return ringTogether(registered, domain.domainName);
  if (domain.voiceUrl !== null) return { kind: 'domain', domain };
  return { kind: 'nobody', reason: `${user} is not registered at ${domain.domainName}`, faultCode: 32009 };
}

async function resolveLocalUser(user: string, context: RoutingContext, ports: RoutingPorts): Promise<Resolution> {
  const phone = await ports.phoneByName(user);
  if (phone !== undefined) return ringPhone(phone, ports);
  if (/^\+?\d+$/.test(user)) return resolveNumber(user, context, ports);
  const home = await ports.domainByName(ports.homeDomain);
  if (home !== undefined && home.voiceUrl !== null) return { kind: 'domain', domain: home };
  return { kind: 'refused', sipStatus: 404, reason: `nobody here is called ${user}`, faultCode: 21214 };
}

async function ringPhone(phone: Phone, ports: RoutingPorts): Promise<Resolution> {
  const registered = await ports.registered(aorOf(phone.name, ports.homeDomain));
  if (registered.length > 0) return ringTogether(registered, ports.homeDomain);
  return { kind: 'nobody', reason: `the phone ${phone.name} is not registered`, faultCode: 32009 };
}

function ringTogether(targets: readonly SipTarget[], domain: string): Resolution {
  return {
    kind: 'targets',
    targets: targets.map((target) => ({ kind: 'sip', target, group: 0, domain, isPhone: true })),
  };
}

async function trunkRoute(number: string, context: RoutingContext, ports: RoutingPorts): Promise<Resolution> {
  const candidates = (await ports.trunks(context.accountSid))
    .map((trunk) => ({ trunk, length: longestPrefix(trunk, number) }))
    .filter((each) => each.length >= 0)
    .sort((a, b) => b.length - a.length);
  if (candidates.length === 0) {
    return {
      kind: 'refused',
      sipStatus: 404,
      reason: `no phone has ${number}, the place does not own it, and no trunk takes it`,
      faultCode: 21214,
    };
  }
  return { kind: 'targets', targets: candidates.map(({ trunk }, group) => trunkTarget(trunk, number, group)) };
}

async function emergencyRoute(destination: Address, context: RoutingContext, ports: RoutingPorts): Promise<Resolution> {
  const number = dialledDigits(destination);
  const trunks = (await ports.trunks(context.accountSid)).filter((trunk) => longestPrefix(trunk, number) >= 0);
  if (trunks.length > 0) {
    return { kind: 'targets', targets: trunks.map((trunk, group) => trunkTarget(trunk, number, group)) };
  }
  return {
    kind: 'refused',
    sipStatus: 404,
    reason: `no trunk carries the emergency number ${number}`,
    faultCode: 21214,
  };
}

/** Length of the longest prefix of the trunk that the number begins with; -1 without one. */
function longestPrefix(trunk: Trunk, number: string): number {
  return trunk.prefixes.reduce(
    (best, prefix) => (number.startsWith(prefix) ? Math.max(best, prefix.length) : best),
    -1,
  );
}

function trunkTarget(trunk: Trunk, number: string, group: number): SipDialTarget {
  const host = parseSipUri(trunk.uri);
  const at = trunk.uri.replace(/^sips?:/i, '').replace(/^[^@]*@/, '');
  const credentials =
    trunk.username === null || trunk.password === null
      ? {}
      : { credentials: { username: trunk.username, password: trunk.password } };
  return {
    kind: 'sip',
    target: { uri: `sip:${number}@${at}` },
    group,
    domain: host?.host ?? at,
    trunk,
    ...credentials,
  };
}

/** Address of record of a user at a domain. */
export function aorOf(user: string, domain: string): string {
  return `sip:${user}@${domain}`;
}
