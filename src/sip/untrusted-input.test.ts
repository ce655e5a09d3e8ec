import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { silentLogger, type Logger } from '../base/logger.ts';
import { AGENT, Scene } from './test/scene.ts';
import { audioSdp } from './test/session-descriptions.ts';

const METHODS = [
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'REGISTER',
  'OPTIONS',
  'MESSAGE',
  'INFO',
  'UPDATE',
  'REFER',
  'NOTIFY',
  'PRACK',
  'X',
];
const HEADERS = [
  'Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK-1;rport',
  'Via: SIP/2.0/UDP host.invalid;branch=z9hG4bK-1',
  'From: <sip:a@10.0.0.2>;tag=1',
  'From: "unclosed <sip:a@b>',
  'To: <sip:100@10.0.0.1>',
  'To: <sip:100@10.0.0.1>;tag=zzz',
  'Call-ID: 1',
  'CSeq: 1 INVITE',
  'CSeq: 4294967296 INVITE',
  'Contact: <sip:a@10.0.0.2:5060>',
  'Contact: *',
  'Contact: <tel:1>',
  'Expires: 0',
  'Record-Route: <sip:10.0.0.2>',
  'Record-Route: garbage,,',
  'Route: <sip:10.0.0.1;lr>',
  'Authorization: Digest username="a"',
  'Authorization: Digest username="a", realm="home.test", nonce="x", uri="sip:a", response="y", qop=auth, nc=zz, cnonce="c"',
  'Session-Expires: 1',
  'Session-Expires: 99999999999',
  'Replaces: a;to-tag=1;from-tag=2',
  'Refer-To: <sip:x@y?Replaces=%zz>',
  'Require: timer',
  'Content-Type: application/sdp',
  'Content-Length: 5',
  'Content-Length: -1',
  'Max-Forwards: 0',
  'Event: refer',
  'Timestamp: 1',
];

/** What a whole request has; each line is left out now and then. */
const base = (method: string, id: number): readonly string[] => [
  `Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK-f${id};rport`,
  'From: <sip:a@10.0.0.2>;tag=1',
  'To: <sip:100@10.0.0.1>',
  `Call-ID: ${id % 7}`,
  `CSeq: ${id} ${method}`,
  'Contact: <sip:a@10.0.0.2:5060>',
];

const message = fc
  .record({
    method: fc.constantFrom(...METHODS),
    id: fc.nat(1_000),
    uri: fc.constantFrom('sip:100@10.0.0.1', 'sip:100@10.0.0.1', 'tel:1', 'sip:', 'http://x', '*', 'sip:a@b?h=1'),
    missing: fc.array(fc.nat(40), { maxLength: 2 }),
    odd: fc.array(fc.constantFrom(...HEADERS), { maxLength: 3 }),
    body: fc.constantFrom('', '', 'v=0', 'SIP/2.0 200 OK'),
    response: fc.nat(5),
  })
  .map(({ method, id, uri, missing, odd, body, response }) => {
    const start = response === 0 ? `SIP/2.0 ${100 + id} x` : `${method} ${uri} SIP/2.0`;
    const whole = base(method, id).filter((_, index) => !missing.includes(index));
    return [start, ...whole, ...odd, '', body].join('\r\n');
  });

test('no message, however odd, makes the engine fail or fall silent', async (t) => {
  const scene = new Scene(t);
  const errors: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    error: (fields) => errors.push(JSON.stringify(fields)),
    child: () => logger,
  };
  const agent = await scene.open({ logger });
  agent.onIncomingCall((call) => {
    call.ringing();
    call.answer(audioSdp('10.0.0.1', 20_000)).catch(() => undefined);
  });
  agent.onMessage(async () => 200);
  const trusted = await scene.peer();
  const stranger = await scene.peer('10.0.9.2');
  const texts = fc.sample(fc.oneof(message, fc.string()), { numRuns: 2_000, seed: 7 });
  for (const [index, text] of texts.entries()) {
    (index % 2 === 0 ? trusted : stranger).sendText(text);
    if (index % 50 === 0) await scene.advance(200);
  }
  await scene.advance(40_000);
  assert.deepEqual(errors, []);
  assert.ok(trusted.heard.length > 200 && stranger.heard.length > 200, 'most of it was answered');
  const before = trusted.responses('OPTIONS').length;
  trusted.ask('OPTIONS', { callId: 'alive', uri: `sip:${AGENT.address}` });
  await scene.advance(10);
  assert.equal(trusted.responses('OPTIONS').length, before + 1);
});
