import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { randomInteger, type Random } from '../../../src/base/random.ts';
import { verifyVoiceToken } from '../../../src/grant/verify-token.ts';
import { parseClientMessage, serializeClientMessage } from '../../../src/wire/webphone/client-message.ts';
import { parseServerMessage, serializeServerMessage } from '../../../src/wire/webphone/server-message.ts';
import { bytesOf, textOf, type FuzzTarget } from '../fuzz-target.ts';
import { pick } from '../mutate.ts';

const SDP = 'v=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\nt=0 0\\r\\nm=audio 9 UDP/TLS/RTP/SAVPF 0\\r\\n';
const MESSAGES = [
  '\n',
  '{"type":"listen","version":"1.6","payload":{"token":"a.b.c","browserinfo":{"browser":{"userAgent":"Chromium"}}}}',
  '{"type":"register","version":"1.6","payload":{"media":{"audio":true}}}',
  `{"type":"invite","version":"1.6","payload":{"callsid":"TJSa","sdp":"${SDP}","twilio":{"params":"To=bob"}}}`,
  `{"type":"answer","version":"1.6","payload":{"callsid":"CAa","sdp":"${SDP}","reconnect":"r"}}`,
  '{"type":"dtmf","version":"1.6","payload":{"callsid":"CAa","dtmf":"12*#w"}}',
  '{"type":"message","version":"1.6","payload":{"callsid":"CAa","content":{"a":[1]},"contenttype":"application/json","messagetype":"user-defined-message","voiceeventsid":"KXa"}}',
  '{"type":"hangup","version":"1.6","payload":{"callsid":"CAa","error":{"code":31002,"message":"no","retryAfter":3}}}',
  '{"type":"connected","version":"1.6","payload":{"edge":"roaming","home":"h","token":{"identity":"jenny","ttl":60}}}',
  `{"type":"invite","version":"1.6","payload":{"callsid":"CAa","sdp":"${SDP}","parameters":{"CallSid":"CAa","Params":"a=b"},"reconnect":"r"}}`,
];
const NESTING = 8000;
const NESTED = `{"type":"message","payload":{"callsid":"a","content":${'['.repeat(NESTING)}${']'.repeat(NESTING)}}}`;
const TYPES = [
  ...['listen', 'register', 'invite', 'answer', 'reject', 'hangup', 'reinvite', 'dtmf', 'message', 'direct'],
  ...['connected', 'ready', 'offline', 'close', 'ringing', 'cancel', 'ack', 'error'],
];
const FIELDS = [
  '"callsid":"CAa"',
  `"sdp":"${SDP}"`,
  '"audio":"frames"',
  '"token":{"identity":"a","ttl":1}',
  '"dtmf":"1"',
  '"content":{"__proto__":1}',
  '"error":{"code":1}',
  '"parameters":{"constructor":"x"}',
  '"step":"offer"',
];

function message(random: Random): Uint8Array {
  const fields = Array.from({ length: randomInteger(random, 0, 6) }, () => pick(FIELDS, random)).join(',');
  return bytesOf(`{"type":"${pick(TYPES, random)}","version":"1.6","payload":{${fields}}}`);
}

/** The signalling of browsers, both directions. */
export const signalling: FuzzTarget = {
  name: 'signalling',
  covers: '/src/wire/webphone/',
  corpus: [...MESSAGES, NESTED].map(bytesOf),
  words: [...TYPES.map((type) => `"type":"${type}"`), ...FIELDS, 'null', '1e999', '{}', '[]', '\\u0000', '\\ud800'],
  generate: message,
  repetitions: [
    { before: '{"type":"message","payload":{"callsid":"a","content":', unit: '[' },
    { before: '{"type":"invite","payload":{"callsid":"a","sdp":"', unit: 'a', after: '"}}' },
    { unit: '{"a":' },
    { unit: ',' },
  ],
  maxBytes: 200_000,
  check: (bytes) => {
    const text = textOf(bytes);
    const fromClient = parseClientMessage(text);
    if (fromClient.kind === 'ok') {
      const again = parseClientMessage(serializeClientMessage(fromClient.value));
      assert.ok(again.kind === 'ok');
      assert.deepEqual(again.value, fromClient.value);
    }
    const fromServer = parseServerMessage(text);
    if (fromServer.kind === 'ok') {
      const again = parseServerMessage(serializeServerMessage(fromServer.value));
      assert.ok(again.kind === 'ok');
      assert.deepEqual(again.value, fromServer.value);
    }
  },
};

const ACCOUNT = `AC${'1'.repeat(32)}`;
const KEY = `SK${'2'.repeat(32)}`;
const SECRET = 'the secret of the key, long enough';
const NOW_MS = 1_800_000_000_000;
/** Two clocks may differ by this. */
const CLOCK_TOLERANCE_MS = 5000;

const CLAIMS = [
  `{"iss":"${KEY}","sub":"${ACCOUNT}","iat":1800000000,"exp":1800000060,"grants":{"identity":"jenny","voice":{"incoming":{"allow":true},"outgoing":{"application_sid":"APa","params":{"a":"b"}}}}}`,
  `{"iss":"${ACCOUNT}","exp":1800000060,"scope":"scope:client:incoming?clientName=jenny scope:client:outgoing?appSid=APa&appParams=a%3Db"}`,
  '{"iss":"SKx","exp":"soon"}',
];

/** What is signed here is hostile too: the claims are the input, and each is signed rightly. */
export const token: FuzzTarget = {
  name: 'token',
  covers: '/src/grant/',
  corpus: CLAIMS.map(bytesOf),
  words: [
    ...['"grants":', '"voice":', '"incoming":', '"outgoing":', '"identity":', '"scope":', '"params":', '"exp":1e300'],
    ...['scope:client:incoming?', 'scope:client:outgoing?', 'appParams=', '%zz', '%00', '"__proto__":', 'null', '[]'],
    ...[ACCOUNT, KEY],
  ],
  repetitions: [
    { before: `{"iss":"${ACCOUNT}","exp":1800000060,"scope":"`, unit: 'scope:client:outgoing?', after: '"}' },
    { before: `{"iss":"${ACCOUNT}","exp":1800000060,"scope":"scope:client:outgoing?`, unit: 'a&', after: '"}' },
    { before: '{"grants":', unit: '[' },
    { unit: '.' },
  ],
  maxBytes: 20_000,
  check: async (bytes) => {
    for (const text of [textOf(bytes), signed(textOf(bytes))]) {
      const outcome = await verifyVoiceToken(text, {
        nowMs: () => NOW_MS,
        secretOf: async (issuer) =>
          issuer === KEY || issuer === ACCOUNT ? { secret: SECRET, accountSid: ACCOUNT, active: true } : undefined,
      });
      if (outcome.kind === 'refused') continue;
      assert.equal(outcome.grant.accountSid, ACCOUNT);
      assert.ok(
        outcome.grant.expiresAt > NOW_MS - CLOCK_TOLERANCE_MS &&
          outcome.grant.expiresAt <= NOW_MS + 86_400_000 + CLOCK_TOLERANCE_MS,
      );
      assert.match(outcome.grant.identity, /^\S*$/u);
      for (const value of Object.values(outcome.grant.outgoingParameters)) assert.equal(typeof value, 'string');
    }
  },
};

function signed(claims: string): string {
  const part = (text: string): string => Buffer.from(text).toString('base64url');
  const content = `${part('{"alg":"HS256","typ":"JWT"}')}.${part(claims)}`;
  return `${content}.${createHmac('sha256', SECRET).update(content).digest('base64url')}`;
}
