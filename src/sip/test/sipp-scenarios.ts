/** SIPp as a phone that registers with the password from its injected file: field 0 the user, field 1 the credentials. */
export const REGISTER_DIGEST = `<?xml version="1.0" encoding="ISO-8859-1" ?><scenario name="register digest">
<send retrans="500" start_rtd="1"><![CDATA[
REGISTER sip:127.0.0.1 SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:[field0]@127.0.0.1>;tag=[pid]t[call_number]
To: <sip:[field0]@127.0.0.1>
Call-ID: [call_id]
CSeq: 1 REGISTER
Contact: <sip:[field0]@[local_ip]:[local_port]>
Expires: 600
Content-Length: 0

]]></send><recv response="401" auth="true"/><send retrans="500"><![CDATA[
REGISTER sip:127.0.0.1 SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:[field0]@127.0.0.1>;tag=[pid]t[call_number]
To: <sip:[field0]@127.0.0.1>
Call-ID: [call_id]
CSeq: 2 REGISTER
Contact: <sip:[field0]@[local_ip]:[local_port]>
[field1]
Expires: 600
Content-Length: 0

]]></send><recv response="200" rtd="1"/></scenario>
`;
