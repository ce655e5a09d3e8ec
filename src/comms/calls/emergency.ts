import { sameHost } from '../../wire/sip/host.ts';
import { isEmergencyUrn } from '../../wire/sip/service-urn.ts';
import { parseSipUri } from '../../wire/sip/uri.ts';
import type { Address } from '../address.ts';

export interface EmergencyPorts {
  readonly settings: { readonly emergencyNumbers: readonly string[] };
  /** Whether addresses at this host are this place's: its own names and addresses, its SIP domains. */
  isOwnHost(host: string, port: number | undefined): Promise<boolean>;
}

/**
 * True for a number of the operator's list, however it is written: bare, with +, or as the user of a SIP address of this
 * place. At another host the same digits are an extension there, and a call to it is no cry for help: it must neither be
 * led to a rescue centre nor pass the queues. A phone that dials within its own realm (`realm`, the host of its From)
 * means this place, also by a name of it that nobody told this server.
 */
export async function isEmergency(destination: Address, ports: EmergencyPorts, realm?: string): Promise<boolean> {
  const { emergencyNumbers } = ports.settings;
  const dialled = dialledDigits(destination);
  const isListed =
    emergencyNumbers.includes(dialled) || (dialled.startsWith('+') && emergencyNumbers.includes(dialled.slice(1)));
  if (!isListed) return false;
  if (destination.kind !== 'sip') return true;
  const uri = parseSipUri(destination.uri);
  if (uri === undefined) return false;
  return (realm !== undefined && sameHost(uri.host, realm)) || ports.isOwnHost(uri.host, uri.port);
}

/** The number that every European network takes; where it is not on the list, the first that is stands for all help. */
const COMMON_NUMBER = '112';

/** The number behind `urn:service:sos` and the services below it (RFC 5031); undefined for other texts. */
export function numberOfEmergencyUrn(text: string, emergencyNumbers: readonly string[]): string | undefined {
  if (!isEmergencyUrn(text)) return undefined;
  return emergencyNumbers.includes(COMMON_NUMBER) ? COMMON_NUMBER : emergencyNumbers[0];
}

/** What was dialled, without visual separators and the parameters that stand in the user part (RFC 3261 19.1.6). */
export function dialledDigits(destination: Address): string {
  if (destination.kind === 'number') return destination.number;
  if (destination.kind !== 'sip') return '';
  const [user = ''] = (parseSipUri(destination.uri)?.user ?? '').split(';');
  return user.replaceAll(/[-.()]/g, '');
}
