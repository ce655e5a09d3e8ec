import type { SipHeader, SipRequest, SipResponse } from '../../wire/sip/message.ts';
import { header, NO_BODY } from '../../wire/sip/message.ts';

/** The ACK for a failure response: same branch, same Request-URI, one Via, the INVITE's Route (RFC 3261 17.1.1.3). */
export function ackForFailure(invite: SipRequest, response: SipResponse): SipRequest {
  const to = header(response, 'To') ?? header(invite, 'To') ?? '';
  return followUp(invite, 'ACK', to);
}

/** The CANCEL of an INVITE: everything but the method is the INVITE's (RFC 3261 9.1). */
export function cancelFor(invite: SipRequest): SipRequest {
  return followUp(invite, 'CANCEL', header(invite, 'To') ?? '');
}

function followUp(invite: SipRequest, method: 'ACK' | 'CANCEL', to: string): SipRequest {
  const number = (header(invite, 'CSeq') ?? '1').split(' ')[0];
  const copied = (name: string): readonly SipHeader[] => invite.headers.filter((each) => each.name === name);
  return {
    kind: 'request',
    method,
    uri: invite.uri,
    version: invite.version,
    headers: [
      ...copied('Via').slice(0, 1),
      ...copied('Max-Forwards'),
      ...copied('Route'),
      ...copied('From'),
      { name: 'To', value: to },
      ...copied('Call-ID'),
      { name: 'CSeq', value: `${number} ${method}` },
    ],
    body: NO_BODY,
  };
}
