/** Messages as phones and exchanges write them; lines end with CRLF once they are bytes. */
export const SIP_MESSAGES: readonly string[] = [
  `INVITE sip:+12025550142@192.0.2.1 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.2:40921;branch=z9hG4bK3d9f2a6b8c1e4f70;rport
Contact: <sip:alice-0x55d0c8a4b2f0@192.0.2.2:40921>;+sip.instance="<urn:uuid:7b1c9d5e-2f40-4a8b-9e63-0c5d7f1a2b34>"
Max-Forwards: 70
To: <sip:+12025550142@192.0.2.1>
From: "Alice" <sip:alice@192.0.2.1>;tag=9b1f6c2e5a7d8034
Call-ID: 5d0e2f8c4b6a1937
CSeq: 30184 INVITE
User-Agent: baresip v1.0.0 (x86_64/linux)
Allow: INVITE,ACK,BYE,CANCEL,OPTIONS,NOTIFY,SUBSCRIBE,INFO,MESSAGE,UPDATE,REFER
Supported: gruu,replaces,norefersub,timer
Content-Type: application/sdp
Content-Length: 6

v=0
s=`,
  `REGISTER sip:home.tandem SIP/2.0
Via: SIP/2.0/TCP 192.0.2.3:51234;branch=z9hG4bK.Mf1XcbS~q;rport
From: <sip:bob@home.tandem>;tag=XCBu5rNfa
To: sip:bob@home.tandem
CSeq: 21 REGISTER
Call-ID: mUS7nJ1bzE
Max-Forwards: 70
Supported: replaces, outbound, gruu
Accept: application/sdp, text/plain
Contact: <sip:bob@192.0.2.3:51234;transport=tcp>;q=0.5;expires=600;+sip.instance="<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>";reg-id=1
Expires: 600
Authorization: Digest realm="home.tandem", nonce="4f1c", algorithm=SHA-256, username="bob", uri="sip:home.tandem", response="8d969eef6ecad3c29a3a629280e686cf0c3f5d5a86aff3ca12020c923adc6c92", cnonce="a1b2", nc=00000001, qop=auth
Content-Length: 0

`,
  `SIP/2.0 401 Unauthorized
Via: SIP/2.0/UDP 192.0.2.2:5060;rport=5060;received=192.0.2.2;branch=z9hG4bK1
From: <sip:a@b>;tag=1
To: <sip:a@b>;tag=2
Call-ID: 1
CSeq: 1 REGISTER
WWW-Authenticate: Digest realm="b", nonce="Y2hhbGxlbmdl", algorithm=SHA-256, qop="auth,auth-int", stale=false, opaque="x"
WWW-Authenticate: Digest realm="b", nonce="Y2hhbGxlbmdl", algorithm=MD5, qop="auth"
Server: kamailio (5.6.3 (x86_64/linux))
Content-Length: 0

`,
  `SIP/2.0 200 OK
v: SIP/2.0/UDP p1;branch=z9hG4bK2, SIP/2.0/UDP [2001:db8::9]:5062;branch=z9hG4bK1;received=2001:db8::9
Record-Route: <sip:p1.example;lr;ftag=1>, <sip:p2.example;lr>
f: "A, \\"B\\" <C>" <sip:a@b>;tag=1
t: <sip:c@d>;tag=2
i: 1@h
CSeq: 2 INVITE
m: "x" <sip:c@[2001:db8::1]:5060;transport=udp>;expires=60, <tel:+1-2>
Session-Expires: 1800;refresher=uas
Require: timer
c: application/sdp
l: 4

v=0
`,
  `REFER sip:c@192.0.2.9:5060 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK4
From: <sip:a@b>;tag=1
To: <sip:c@d>;tag=2
Call-ID: 1
CSeq: 3 REFER
Max-Forwards: 70
Refer-To: <sip:e@f;method=INVITE?Replaces=12345%40192.168.118.3%3Bto-tag%3D12345%3Bfrom-tag%3D5FFE-3994>
Referred-By: <sip:a@b>
Contact: <sip:a@192.0.2.2>
Content-Length: 0

`,
  `NOTIFY sip:a@192.0.2.2 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK5
From: <sip:c@d>;tag=2
To: <sip:a@b>;tag=1
Call-ID: 1
CSeq: 4 NOTIFY
Event: refer;id=3
Subscription-State: terminated;reason=noresource
Content-Type: message/sipfrag;version=2.0
Content-Length: 16

SIP/2.0 200 OK
`,
];
