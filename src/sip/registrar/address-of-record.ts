import { addressOfRecord, parseSipUri } from '../../wire/sip/uri.ts';

/**
 * The one spelling of an address of record: `sip:user@realm`, where the realm is what this server calls the host (every
 * address and name of its own is one realm). So a phone that registered at 127.0.0.1 is found under the LAN address too.
 * Undefined when the text is no sip: or sips: URI with a user.
 */
export function aorInRealm(text: string, realm: string): string | undefined {
  const uri = parseSipUri(text);
  if (uri?.user === undefined || uri.scheme === 'tel') return undefined;
  return addressOfRecord({ scheme: 'sip', user: uri.user, host: realm, parameters: [], headers: [] });
}
