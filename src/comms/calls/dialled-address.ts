import { parseSipUri } from '../../wire/sip/uri.ts';
import { parseAddress, parseNumber, type Address } from '../address.ts';

/** A dialled number as E.164 where it can be one; else the SIP address as the phone sent it. */
export function dialledAddress(target: string): Address | undefined {
  const uri = parseSipUri(target);
  if (uri === undefined) return undefined;
  const user = uri.user ?? '';
  const number = /^[+\d][\d().-]*$/.test(user) ? parseNumber(user) : undefined;
  // A short number of a tel: URI (112) has no host that could give it another meaning.
  if (number !== undefined && (number.startsWith('+') || uri.scheme === 'tel')) return { kind: 'number', number };
  if (user === '') return undefined;
  return parseAddress(target.split(/[;?]/)[0] ?? '');
}
