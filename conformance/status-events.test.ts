import assert from 'node:assert/strict';
import { test } from 'node:test';
import twilio from 'twilio';
import { Baresip } from '../src/testkit/baresip.ts';
import { everyPeer } from '../src/testkit/peers.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';
import { WebApplication, type WebRequest } from '../src/testkit/web-application.ts';

const NUMBER = '+12025550142';
const EVERY_EVENT = ['initiated', 'ringing', 'answered', 'completed'];
const IN_ORDER = ['initiated', 'ringing', 'in-progress', 'completed'];

function assertPlainCall(events: readonly WebRequest[]): void {
  assert.deepEqual(
    events.map(({ params }) => params['CallStatus']),
    IN_ORDER,
  );
  assert.deepEqual(
    events.map(({ params }) => params['SequenceNumber']),
    ['0', '1', '2', '3'],
  );
  for (const { params } of events) {
    assert.equal(params['CallbackSource'], 'call-progress-events');
    assert.ok(!Number.isNaN(Date.parse(params['Timestamp'] ?? '')), `Timestamp ${params['Timestamp']}`);
  }
  const last = events.at(-1)?.params;
  assert.equal(last?.['SipResponseCode'], '200');
  assert.ok(Number(last?.['CallDuration']) >= 1);
  assert.equal(last?.['Duration'], '1');
}

test('status events', everyPeer('baresip'), async (t) => {
  const application = await WebApplication.start(t);
  const tandem = await Tandem.start(t, {
    config: {
      phones: ['alice', 'bob'].map((name) => ({ name, password: 'secret' })),
      numbers: [
        {
          phoneNumber: NUMBER,
          voiceUrl: `${application.url}/voice`,
          statusCallback: `${application.url}/number-status`,
        },
      ],
      callsPerSecond: 100,
    },
  });
  application.authToken = tandem.ready.authToken;
  const alice = await Baresip.start(t, { user: 'alice', server: tandem.sip });
  const client = twilio(tandem.ready.accountSid, tandem.ready.authToken);
  client.api.baseUrl = tandem.http;
  for (const path of ['/status', '/child-status', '/number-status']) application.on(path, { body: '' });
  const told = (path: string, callSid: string): readonly WebRequest[] =>
    application.requests.all.filter((each) => each.path === path && each.params['CallSid'] === callSid);

  await t.test('of a plain call arrive once each, in order', async () => {
    const { sid } = await client.calls.create({
      to: `sip:alice@${tandem.sip}`,
      from: NUMBER,
      twiml: '<Response><Pause length="1"/></Response>',
      statusCallback: `${application.url}/status`,
      statusCallbackEvent: EVERY_EVENT,
    });
    await application.request('/status', { where: ({ params }) => params['CallStatus'] === 'completed' });
    assertPlainCall(told('/status', sid));
  });

  await t.test('of a call that asks for none but its end are one', async () => {
    const mark = application.requests.mark();
    const { sid } = await client.calls.create({
      to: `sip:alice@${tandem.sip}`,
      from: NUMBER,
      twiml: '<Response/>',
      statusCallback: `${application.url}/status?only=end`,
      statusCallbackMethod: 'GET',
    });
    const { method, rawUrl } = await application.request('/status', {
      from: mark,
      where: ({ params }) => params['CallSid'] === sid,
    });
    assert.equal(method, 'GET');
    assert.match(rawUrl, /^\/status\?only=end&/);
    assert.equal((await client.calls(sid).fetch()).status, 'completed');
    assert.deepEqual(
      told('/status', sid).map(({ params }) => params['CallStatus']),
      ['completed'],
    );
  });

  await t.test('of a number tell the end of its incoming call, those of a Dial noun the whole child call', async () => {
    await Baresip.start(t, { user: 'bob', server: tandem.sip });
    application.on(
      '/voice',
      `<Dial timeLimit="1"><Sip statusCallback="/child-status" statusCallbackEvent="${EVERY_EVENT.join(' ')}">sip:bob@${tandem.sip}</Sip></Dial>`,
    );
    await alice.dial(`sip:${NUMBER}@${tandem.sip}`);
    const parent = await application.request('/number-status');
    assert.equal(parent.params['CallStatus'], 'completed');
    const { params } = await application.request('/child-status', {
      where: (each) => each.params['CallStatus'] === 'completed',
    });
    assert.equal(params['ParentCallSid'], parent.params['CallSid']);
    assert.equal(params['Direction'], 'outbound-dial');
    assertPlainCall(told('/child-status', params['CallSid'] ?? ''));
    assert.equal(told('/number-status', parent.params['CallSid'] ?? '').length, 1);
  });

  await t.test('are signed, every one', () => assert.deepEqual(application.unsigned, []));
});
