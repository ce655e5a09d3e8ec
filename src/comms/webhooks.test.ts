import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import twilio from 'twilio';
import { seededRandom } from '../base/random.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import type { HttpFailureKind } from '../http/outgoing.ts';
import type { DocumentRequest, FetchedDocument } from './executor-ports.ts';
import type { Fault } from './faults.ts';
import type { Call } from './model.ts';
import { ScriptedHttp, WAV, xml } from './test/scripted-http.ts';
import { Webhooks, type CallSender } from './webhooks.ts';

const TOKEN = 'secret';
const APP = 'http://app/voice';
const FALLBACK = 'http://app/fallback';
const SOUND = 'http://app/a.wav';
const DOCUMENT = xml('<Response><Say>hello</Say></Response>');

// Only what the parameters are made of.
const CALL = {
  sid: 'CA1',
  accountSid: 'AC1',
  from: '+15550001',
  to: '+15550002',
  status: 'ringing',
  direction: 'inbound',
  parentCallSid: null,
  forwardedFrom: null,
  callerName: null,
} as unknown as Call;

let directory = '';
let http = new ScriptedHttp();
let clock = new VirtualClock();
let webhooks: Webhooks;
let faults: Fault[] = [];
let sender: CallSender;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tandem-webhooks-'));
  http = new ScriptedHttp();
  clock = new VirtualClock(1_700_000_000_000);
  webhooks = new Webhooks({ http, clock, random: seededRandom(1), soundDirectory: directory });
  faults = [];
  sender = { accountSid: 'AC1', authToken: TOKEN, call: CALL, report: (made) => faults.push(made) };
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function fetchDocument(request: Partial<DocumentRequest> = {}): Promise<FetchedDocument> {
  return webhooks.fetchDocument({ url: APP, method: 'POST', parameters: {}, ...request }, sender);
}

const codes = (): readonly number[] => faults.map((each) => each.code);

suite('the request', () => {
  test('posts the parameters of the call and of the verb, signed', async () => {
    http.answer(APP, DOCUMENT);
    const fetched = await fetchDocument({ parameters: { Digits: '1 +#é' } });
    assert.equal(fetched.kind, 'document');
    const [request] = http.requests;
    assert.ok(request);
    const form = Object.fromEntries(new URLSearchParams(String(request.body)));
    assert.deepEqual(form, {
      CallSid: 'CA1',
      AccountSid: 'AC1',
      From: '+15550001',
      To: '+15550002',
      Caller: '+15550001',
      Called: '+15550002',
      CallStatus: 'ringing',
      Direction: 'inbound',
      ApiVersion: '2010-04-01',
      Digits: '1 +#é',
    });
    assert.equal(request.headers?.['user-agent'], 'TwilioProxy/1.1');
    assert.match(request.headers['content-type'] ?? '', /^application\/x-www-form-urlencoded/);
    assert.ok(twilio.validateRequest(TOKEN, request.signature ?? '', APP, form));
  });

  test('puts the parameters of a GET into the query, and signs that', async () => {
    const url = 'http://app/voice?menu=1';
    http.answer(APP, DOCUMENT);
    const fetched = await fetchDocument({ url, method: 'GET', parameters: { Digits: '#' } });
    const [request] = http.requests;
    assert.ok(request);
    assert.equal(request.body, undefined);
    assert.match(request.url, /^http:\/\/app\/voice\?menu=1&CallSid=CA1&.*&Digits=%23$/);
    assert.ok(twilio.validateRequest(TOKEN, request.signature ?? '', request.url, {}));
    // The next request to the same document must not carry these parameters twice.
    assert.equal(fetched.kind === 'document' && fetched.baseUrl, url);
  });

  test('a redirect signs the hop, without the form where it became a GET', async () => {
    http.answer(APP, { ...DOCUMENT, url: 'http://app/moved' });
    const fetched = await fetchDocument();
    assert.equal(fetched.kind === 'document' && fetched.baseUrl, 'http://app/moved');
    const headers = http.requests[0]?.headersFor?.('http://app/moved', 'GET');
    assert.ok(twilio.validateRequest(TOKEN, headers?.['x-twilio-signature'] ?? '', 'http://app/moved', {}));
  });
});

suite('failures', () => {
  const kinds: readonly (readonly [HttpFailureKind, number, number])[] = [
    ['bad-url', 11100, 1],
    ['forbidden-target', 11200, 1],
    ['bad-host', 11210, 2],
    ['refused', 11205, 2],
    ['connect-timeout', 11205, 2],
    ['read-timeout', 11200, 1],
    ['total-timeout', 11200, 1],
    ['tls', 11220, 1],
    ['protocol', 11206, 1],
    ['too-large', 11750, 1],
    ['too-many-redirects', 11215, 1],
  ];
  for (const [kind, code, attempts] of kinds) {
    test(`${kind} is ${code} after ${attempts} attempt(s), reported once`, async () => {
      http.answer(APP, kind);
      const fetched = await fetchDocument();
      assert.equal(fetched.kind === 'fault' && fetched.fault.code, code);
      assert.deepEqual(codes(), [code]);
      assert.equal(http.requests.length, attempts);
      assert.equal(faults[0]?.requestUrl, APP);
      assert.equal(faults[0]?.requestMethod, 'POST');
      assert.match(faults[0]?.requestVariables ?? '', /^CallSid=CA1&/);
    });
  }

  test('the cause of a refused certificate has its own code', async () => {
    const reasons: readonly (readonly [string, number])[] = [
      ['ERR_TLS_CERT_ALTNAME_INVALID', 11235],
      ['CERT_HAS_EXPIRED', 11236],
      ['DEPTH_ZERO_SELF_SIGNED_CERT', 11237],
    ];
    for (const [reason, code] of reasons) {
      const cause = Object.assign(new Error(reason), { code: reason });
      http.answer(APP, Object.assign(new Error('tls', { cause }), { code: 'tls' }));
      const fetched = await fetchDocument();
      assert.equal(fetched.kind === 'fault' && fetched.fault.code, code);
    }
  });

  const answers: readonly (readonly [string, Parameters<ScriptedHttp['answer']>[1], number])[] = [
    ['status 500', { status: 500, body: new TextEncoder().encode('oops') }, 11200],
    ['status 404', { status: 404 }, 11200],
    ['nothing', { status: 204 }, 11770],
    ['white space', xml(' \n'), 11770],
    ['malformed TwiML', xml('<Response>'), 12100],
    ['another root', xml('<html/>'), 12102],
    ['JSON', { headers: { 'content-type': 'application/json' }, body: new TextEncoder().encode('{}') }, 12300],
    ['a nested Say', xml('<Response><Say>a<Say>b</Say></Say></Response>'), 12200],
    ['a Say that is too long', xml(`<Response><Say>${'a'.repeat(5000)}</Say></Response>`), 13521],
    ['too much TwiML', xml(`<Response><!--${'a'.repeat(70_000)}--></Response>`), 11750],
    [
      'bytes of another charset',
      { headers: { 'content-type': 'text/xml; charset=utf-8' }, body: Uint8Array.of(0x3c, 0xe9, 0xff, 0x3e) },
      12100,
    ],
    ['audio that is none', { headers: { 'content-type': 'audio/wav' }, body: Uint8Array.of(1, 2, 3) }, 12300],
  ];
  for (const [name, answer, code] of answers) {
    test(`${name} is ${code}, reported once with what was answered`, async () => {
      http.answer(APP, answer);
      const fetched = await fetchDocument();
      assert.equal(fetched.kind === 'fault' && fetched.fault.code, code);
      assert.equal(fetched.kind === 'fault' && fetched.fault.level, 'error');
      assert.deepEqual(codes(), [code]);
      assert.equal(http.requests.length, 1);
      assert.equal(typeof faults[0]?.responseBody, 'string');
    });
  }

  test('the fallback is asked with the code and the URL of the failure', async () => {
    http.answer(APP, { status: 500 }).answer(FALLBACK, DOCUMENT);
    const fetched = await fetchDocument({ url: `${APP}#rc=0`, fallbackUrl: FALLBACK, fallbackMethod: 'GET' });
    assert.equal(fetched.kind === 'document' && fetched.baseUrl, FALLBACK);
    const query = new URL(http.requests[1]?.url ?? '').searchParams;
    assert.equal(query.get('ErrorCode'), '11200');
    assert.equal(query.get('ErrorUrl'), APP);
    assert.equal(query.get('CallSid'), 'CA1');
    assert.deepEqual(codes(), [11200]);
  });

  test('the user and password of a URL are not kept with the fault', async () => {
    await fetchDocument({ url: 'http://me:hidden@app/voice' });
    assert.equal(faults[0]?.requestUrl, APP);
    assert.ok(!JSON.stringify(faults).includes('hidden'));
  });

  test('a fallback that fails too is a second fault, and the last', async () => {
    http.answer(APP, { status: 500 }).answer(FALLBACK, 'bad-host');
    const fetched = await fetchDocument({ fallbackUrl: FALLBACK });
    assert.equal(fetched.kind === 'fault' && fetched.fault.code, 11210);
    assert.deepEqual(codes(), [11200, 11210]);
  });
});

suite('retries', () => {
  test('a connection that fails is tried again with the same token', async () => {
    http.answer(APP, 'refused', DOCUMENT);
    assert.equal((await fetchDocument()).kind, 'document');
    const tokens = http.requests.map((each) => each.headers?.['i-twilio-idempotency-token']);
    assert.equal(tokens.length, 2);
    assert.equal(tokens[0], tokens[1]);
    assert.deepEqual(codes(), []);
  });

  test('follow the fragment of the URL', async () => {
    http.answer(APP, { status: 500 }, { status: 502 }, DOCUMENT);
    assert.equal((await fetchDocument({ url: `${APP}#rc=2&rp=5xx` })).kind, 'document');
    assert.equal(http.requests.length, 3);
    assert.equal(http.requests[0]?.url, APP);
  });
});

suite('a sound', () => {
  const wav = (headers: Record<string, string> = {}) => ({
    headers: { 'content-type': 'audio/x-wav', ...headers },
    body: WAV,
  });

  test('is fetched into a file', async () => {
    http.answer(SOUND, wav());
    const sound = await webhooks.fetchSound(SOUND, sender);
    assert.ok(sound.kind === 'file');
    assert.deepEqual([...readFileSync(sound.path)], [...WAV]);
  });

  test('is not fetched again while it is fresh, nor twice at once', async () => {
    http.answer(SOUND, wav({ 'cache-control': 'max-age=60' }));
    const both = await Promise.all([webhooks.fetchSound(SOUND, sender), webhooks.fetchSound(SOUND, sender)]);
    assert.deepEqual(both[0], both[1]);
    assert.deepEqual(await webhooks.fetchSound(SOUND, sender), both[0]);
    assert.equal(http.requests.length, 1);
    await clock.advance(61_000);
    await webhooks.fetchSound(SOUND, sender);
    assert.equal(http.requests.length, 2);
  });

  test('that may have changed is asked for with its validators', async () => {
    http.answer(SOUND, wav({ etag: '"1"' }), { status: 304 });
    const first = await webhooks.fetchSound(SOUND, sender);
    assert.deepEqual(await webhooks.fetchSound(SOUND, sender), first);
    assert.equal(http.requests[1]?.headers?.['if-none-match'], '"1"');
  });

  test('of one account is not given to another', async () => {
    http.answer(SOUND, wav({ 'cache-control': 'max-age=60' }));
    await webhooks.fetchSound(SOUND, sender);
    await webhooks.fetchSound(SOUND, { ...sender, accountSid: 'AC2' });
    assert.equal(http.requests.length, 2);
  });

  test('that is none is 13420, one that is too large 11751, one that is absent 11200', async () => {
    const cases = [
      [xml('<html/>'), 13420],
      [{ headers: { 'content-type': 'audio/wav' }, body: Uint8Array.of(1) }, 13420],
      ['too-large', 11751],
      [{ status: 404 }, 11200],
    ] as const;
    for (const [answer, code] of cases) {
      http.answer(SOUND, answer);
      const sound = await webhooks.fetchSound(SOUND, sender);
      assert.equal(sound.kind === 'fault' && sound.fault.code, code);
    }
    assert.deepEqual(codes(), []);
  });

  test('in place of a document is played, without a second request', async () => {
    http.answer(APP, { headers: { 'content-type': 'audio/wav' }, body: WAV });
    const fetched = await fetchDocument();
    assert.ok(fetched.kind === 'document');
    const [play] = fetched.document.root.children;
    assert.equal(play?.name, 'Play');
    const sound = await webhooks.fetchSound(play.text, sender);
    assert.equal(sound.kind, 'file');
    assert.equal(http.requests.length, 1);
  });
});

suite('an event', () => {
  const event = { url: APP, method: 'POST', parameters: { CallStatus: 'completed' } } as const;

  test('is posted, whatever the application answers with', async () => {
    http.answer(APP, { status: 204 });
    await webhooks.postEvent(event, sender);
    assert.equal(http.requests[0]?.body, 'CallStatus=completed');
    assert.deepEqual(codes(), []);
  });

  test('that is not taken is warning 15003', async () => {
    http.answer(APP, { status: 500 });
    await webhooks.postEvent(event, sender);
    assert.deepEqual(codes(), [15003]);
    assert.equal(faults[0]?.level, 'warning');
    assert.match(faults[0]?.message ?? '', /11200.*status 500/);
    assert.equal(faults[0]?.requestUrl, APP);
  });
});
