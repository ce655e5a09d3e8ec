import type { Address } from '../address.ts';

/** True for a number of the operator's list, however it is written: bare, with +, or as the user of a SIP address. */
export function isEmergency(destination: Address, numbers: readonly string[]): boolean {
  const dialled =
    destination.kind === 'number' ? destination.number : destination.kind === 'sip' ? userOf(destination.uri) : '';
  return numbers.includes(dialled) || (dialled.startsWith('+') && numbers.includes(dialled.slice(1)));
}

function userOf(uri: string): string {
  return uri.replace(/^sips?:/i, '').split(/[@;]/)[0] ?? '';
}
