import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import twilio from 'twilio';
import { Baresip } from '../src/testkit/baresip.ts';
import { eventually } from '../src/testkit/eventually.ts';
import { everyPeer } from '../src/testkit/peers.ts';
import { rms } from '../src/testkit/sound-measure.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';
import { WebApplication, type WebAnswer } from '../src/testkit/web-application.ts';

const NUMBER = '+12025550142';
/** One attempt, one second: the rules of delivery are in the fragment of the URL. */
const QUICK = '#rc=0&rt=1000&tt=1000';

const MISBEHAVIOURS: readonly { readonly name: string; readonly answer: WebAnswer; readonly code: string }[] = [
  { name: 'answers 500', answer: { status: 500, body: 'no' }, code: '11200' },
  { name: 'hangs', answer: { misbehave: 'hang' }, code: '11200' },
  { name: 'drips without end', answer: { misbehave: 'drip' }, code: '11200' },
  { name: 'resets the connection', answer: { misbehave: 'reset' }, code: '11205' },
  { name: 'answers nothing', answer: { type: 'text/xml', body: '' }, code: '11770' },
  { name: 'answers what is not XML', answer: { type: 'text/xml', body: '<Response><Say>' }, code: '12100' },
  {
    name: 'answers compressed and cut off',
    answer: {
      type: 'text/xml',
      body: gzipSync('<Response/>').subarray(0, -6),
      headers: { 'content-encoding': 'gzip' },
    },
    code: '11206',
  },
  {
    name: 'answers a Say inside a Say',
    answer: { type: 'text/xml', body: '<Response><Say>one <Say>two</Say></Say></Response>' },
    code: '12200',
  },
  {
    name: 'answers a Say that is too long',
    answer: { type: 'text/xml', body: `<Response><Say>${'a'.repeat(4097)}</Say></Response>` },
    code: '13521',
  },
  { name: 'answers another type', answer: { type: 'application/pdf', body: '%PDF' }, code: '12300' },
];

test('an application that misbehaves', everyPeer('baresip'), async (t) => {
  const application = await WebApplication.start(t);
  const numbers = [{ phoneNumber: NUMBER, voiceUrl: `${application.url}/bad${QUICK}` }];
  const tandem = await Tandem.start(t, {
    config: { phones: [{ name: 'alice', password: 'secret' }], numbers, callsPerSecond: 100 },
  });
  application.authToken = tandem.ready.authToken;
  const alice = await Baresip.start(t, { user: 'alice', server: tandem.sip });
  const client = twilio(tandem.ready.accountSid, tandem.ready.authToken);
  client.api.baseUrl = tandem.http;
  application.on('/status', { body: '' });
  const call = async (
    options: { readonly fallbackUrl?: string } = {},
  ): Promise<{ sid: string; mark: number; from: number }> => {
    const [mark, from] = [application.requests.mark(), alice.events.mark()];
    const { sid } = await client.calls.create({
      to: `sip:alice@${tandem.sip}`,
      from: NUMBER,
      url: `${application.url}/bad${QUICK}`,
      statusCallback: `${application.url}/status`,
      ...options,
    });
    return { sid, mark, from };
  };
  const notifications = (sid: string): Promise<readonly string[]> =>
    eventually(async () => (await client.calls(sid).notifications.list()).map(({ errorCode }) => errorCode), {
      until: (codes) => codes.length > 0,
      what: 'a notification',
    });

  for (const { name, answer, code } of MISBEHAVIOURS) {
    await t.test(`${name}: an outgoing call ends failed, with one notification of ${code}`, async () => {
      application.on('/bad', answer);
      const { sid, mark, from } = await call();
      await alice.event('CALL_CLOSED', { from });
      const { params } = await application.request('/status', { from: mark });
      assert.equal(params['CallStatus'], 'failed');
      assert.deepEqual(await notifications(sid), [code]);
      assert.ok(rms(alice.heard()) < 0.001, 'an apology is not for who was called');
    });
  }

  await t.test('its fallback is told the error and takes over', async () => {
    application.on('/bad', { status: 500, body: 'no' });
    const { sid, mark, from } = await call({ fallbackUrl: application.on('/fallback', '<Hangup/>') });
    const { params } = await application.request('/fallback', { from: mark });
    assert.equal(params['ErrorCode'], '11200');
    assert.equal(params['ErrorUrl'], `${application.url}/bad`);
    const told = await application.request('/status', { from: mark });
    assert.equal(told.params['CallStatus'], 'completed');
    await alice.event('CALL_CLOSED', { from });
    assert.deepEqual(await notifications(sid), ['11200']);
  });

  await t.test('a redirection without end is cut off', async () => {
    application.on('/bad', '<Redirect>/bad</Redirect>');
    const { mark, from } = await call();
    await alice.event('CALL_CLOSED', { from, withinMs: 30_000 });
    assert.equal((await application.request('/status', { from: mark })).params['CallStatus'], 'failed');
  });

  await t.test('a phone that calls its number hears an apology, never silence', async () => {
    application.on('/bad', { status: 500, body: 'no' });
    const from = alice.events.mark();
    await alice.dial(`sip:${NUMBER}@${tandem.sip}`);
    await alice.event('CALL_CLOSED', { from, withinMs: 20_000 });
    const heard = alice.heard();
    assert.ok(heard.length > 8000, `${heard.length / 8000} s`);
    assert.ok(rms(heard) > 0.01, `the phone heard silence (${rms(heard)})`);
  });
});
