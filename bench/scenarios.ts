// SIPp scenarios. `authenticated`: the first request is challenged and sent again with credentials of the user list.

const SDP = `
v=0
o=u 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
`;

function scenario(name: string, body: string): string {
  return `<?xml version="1.0" encoding="ISO-8859-1" ?><scenario name="${name}">${body}</scenario>`;
}

// SIPp knows MD5 alone and ends the call at a challenge that begins with another algorithm; this name is answered with MD5.
const USER_AGENT = 'baresip v1.0.0';

function registerRequest(sequence: number, credentials: string): string {
  return `<send retrans="500" ${sequence === 1 ? 'start_rtd="1"' : ''}><![CDATA[
REGISTER sip:127.0.0.1 SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:[field0]@127.0.0.1>;tag=[pid]t[call_number]
To: <sip:[field0]@127.0.0.1>
Call-ID: [call_id]
CSeq: ${sequence} REGISTER
Contact: <sip:[field0]@[local_ip]:[local_port]>
${credentials}User-Agent: ${USER_AGENT}
Expires: 600
Content-Length: 0

]]></send>`;
}

export const REGISTER_WITH_DIGEST = scenario(
  'register with digest',
  `${registerRequest(1, '')}<recv response="401" auth="true"/>${registerRequest(2, '[field1]\n')}<recv response="200" rtd="1"/>`,
);

/** REGISTERs of one phone that keeps its nonce: the first is challenged, then each costs one round trip. */
export const REFRESHES = 20;

/** The phone registers, and refreshes that REFRESHES times with the nonce it has, counting its uses (RFC 7616 3.4). */
export const REGISTER_REFRESH = scenario(
  'register and refresh',
  `${registerRequest(1, '')}<recv response="401" auth="true"/>` +
    Array.from(
      { length: REFRESHES + 1 },
      (_, index) => `${registerRequest(index + 2, '[field1]\n')}<recv response="200" ${index === 0 ? 'rtd="1"' : ''}/>`,
    ).join(''),
);

export const REGISTER_PLAIN = scenario('register', `${registerRequest(1, '')}<recv response="200" rtd="1"/>`);

/** A caller: INVITE to `callee`, ACK, a hold, BYE. */
export function caller(callee: string, holdMs: number): string {
  const inDialog = (method: string, sequence: number): string => `
${method} [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:caller@127.0.0.1>;tag=[pid]t[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: ${sequence} ${method}
Max-Forwards: 70
Content-Length: 0

`;
  return scenario(
    'caller',
    `<send retrans="500" start_rtd="1"><![CDATA[
INVITE sip:${callee}@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:caller@127.0.0.1>;tag=[pid]t[call_number]
To: <sip:${callee}@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:caller@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]
${SDP}
]]></send><recv response="100" optional="true"/><recv response="180" optional="true"/><recv response="183" optional="true"/>
<recv response="200" rtd="1" rrs="true"/><send><![CDATA[${inDialog('ACK', 1)}]]></send>
${holdMs === 0 ? '' : `<pause milliseconds="${holdMs}"/>`}
<send retrans="500"><![CDATA[${inDialog('BYE', 2)}]]></send><recv response="200"/>`,
  );
}

/** What a callee answers to the last request; `tagged` where it begins a dialog. */
function answer(status: string, options: { readonly tagged?: boolean; readonly sdp?: boolean } = {}): string {
  return `SIP/2.0 ${status}
[last_Via:]
[last_Record-Route:]
[last_From:]
[last_To:]${options.tagged === true ? ';tag=[pid]u[call_number]' : ''}
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port];transport=[transport]>
${options.sdp === true ? `Content-Type: application/sdp\nContent-Length: [len]\n${SDP}` : 'Content-Length: 0\n'}
`;
}

function callee(beforeAnswer: string): string {
  return scenario(
    'callee',
    `<recv request="INVITE" crlf="true"/>${beforeAnswer}<send retrans="500"><![CDATA[
${answer('200 OK', { tagged: true, sdp: true })}]]></send><recv request="ACK" rtd="true" crlf="true"/><recv request="BYE"/><send><![CDATA[
${answer('200 OK')}]]></send>`,
  );
}

/** A callee that answers at once, behind a proxy. */
export const CALLEE = callee('');

/** One that rings for a tenth of a second. */
export const RINGING_CALLEE = callee(
  `<send><![CDATA[
${answer('180 Ringing', { tagged: true })}]]></send><pause milliseconds="100"/>`,
);
