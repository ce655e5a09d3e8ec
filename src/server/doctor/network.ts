import { networkInterfaces } from 'node:os';
import type { Config } from '../config.ts';
import { isLocalNetwork } from '../local-hosts.ts';
import { ok, warning, type Finding } from './finding.ts';

const SUBJECT = 'addresses';

/** Whether the addresses that phones and trunks are told lead back here. */
export function addressesFinding(
  config: Pick<Config, 'lan' | 'advertise' | 'phones' | 'trunks' | 'sip'>,
  own: readonly string[] = outsideAddresses(),
): Finding {
  const { lan, advertise, phones, trunks } = config;
  const seen = own.length === 0 ? 'none but loopback' : own.join(', ');
  const isOpen = lan || config.sip?.startsWith('127.') === false;
  if (!isOpen && phones.length > 0) {
    return warning(SUBJECT, `only this machine is served, so no phone on the network reaches it: start with --lan`);
  }
  if (isOpen && own.length === 0)
    return warning(SUBJECT, 'this machine has no address but loopback: connect it to the network');
  if (advertise !== undefined && isLocalNetwork(advertise) && !own.includes(advertise)) {
    return warning(
      SUBJECT,
      `advertise ${advertise} is a local address that is not this machine's (${seen}): phones would send their sound elsewhere`,
    );
  }
  if (advertise !== undefined) {
    return ok(
      SUBJECT,
      `${advertise} is told to phones and trunks; the router must pass SIP and RTP ports on to ${seen}`,
    );
  }
  const isBehindNat = own.length > 0 && own.every(isLocalNetwork);
  const faraway = trunks.find(({ uri }) => !isLocalNetwork(hostOf(uri)));
  if (isOpen && isBehindNat && faraway !== undefined) {
    return warning(
      SUBJECT,
      `trunk ${faraway.name} is outside and this machine has private addresses only (${seen}): set advertise to the router's public address, and pass SIP and RTP ports on`,
    );
  }
  return ok(SUBJECT, seen);
}

function outsideAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return all.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address);
}

function hostOf(uri: string): string {
  return /^sips?:(?:[^@]*@)?(\[[^\]]+\]|[^:;?]+)/i.exec(uri)?.[1]?.replace(/[[\]]/g, '') ?? uri;
}
