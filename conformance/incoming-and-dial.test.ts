import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import twilio, { type Twilio } from 'twilio';
import { Baresip, type BaresipOptions } from '../src/testkit/baresip.ts';
import { eventually } from '../src/testkit/eventually.ts';
import { startKamailio } from '../src/testkit/kamailio.ts';
import { everyPeer } from '../src/testkit/peers.ts';
import { secondsOfTone } from '../src/testkit/sound-measure.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';
import { WebApplication, type WebHandler, type WebRequest } from '../src/testkit/web-application.ts';

const NUMBER = '+12025550142';
const UNKNOWN_NUMBER = '+12025550199';
const ALICE = { user: 'alice', hertz: 600 };
const BOB = { user: 'bob', hertz: 900 };
const TALK_SECONDS = 3;

/** A place with a number, its application, and a way to run one call from alice to that number. */
interface Scene {
  readonly tandem: Tandem;
  readonly application: WebApplication;
  readonly client: Twilio;
  readonly alice: Baresip;
  phone(options: Partial<BaresipOptions> & { readonly user: string }): Promise<Baresip>;
  /** Alice dials the number, whose application answers so. */
  dial(document: WebHandler): Promise<{ readonly voice: WebRequest; readonly mark: number }>;
  /** The request of Dial's action. */
  afterDial(mark: number): Promise<WebRequest['params']>;
}

async function openScene(t: TestContext, config: Readonly<Record<string, unknown>> = {}): Promise<Scene> {
  const application = await WebApplication.start(t);
  const phones = [ALICE, BOB].map(({ user }) => ({ name: user, password: 'secret' }));
  const numbers = [{ phoneNumber: NUMBER, voiceUrl: `${application.url}/voice` }];
  const tandem = await Tandem.start(t, { config: { phones, numbers, callsPerSecond: 100, ...config } });
  application.authToken = tandem.ready.authToken;
  application.on('/after', '<Hangup/>');
  const client = twilio(tandem.ready.accountSid, tandem.ready.authToken);
  client.api.baseUrl = tandem.http;
  const alice = await Baresip.start(t, { ...ALICE, server: tandem.sip });
  let dialled = 0;
  return {
    tandem,
    application,
    client,
    alice,
    phone: (options) => Baresip.start(t, { server: tandem.sip, ...options }),
    async dial(document) {
      const mark = application.requests.mark();
      dialled = alice.events.mark();
      application.on('/voice', document);
      await alice.dial(`sip:${NUMBER}@${tandem.sip}`);
      return { voice: await application.request('/voice', { from: mark }), mark };
    },
    async afterDial(mark) {
      const { params } = await application.request('/after', { from: mark, withinMs: 20_000 });
      await alice.event('CALL_CLOSED', { from: dialled });
      return params;
    },
  };
}

/** Resolves with the seconds between the answer and the end, as the phone saw them. */
async function talkTime(phone: Baresip, from: number): Promise<number> {
  await phone.event('CALL_ESTABLISHED', { from });
  const answered = performance.now();
  await phone.event('CALL_CLOSED', { from, withinMs: 20_000 });
  return (performance.now() - answered) / 1000;
}

function assertHears(phone: Baresip, hertz: { readonly of: number; readonly own: number }, seconds: number): void {
  const heard = phone.heard();
  const [other, own] = [secondsOfTone(heard, hertz.of), secondsOfTone(heard, hertz.own)];
  assert.ok(other > seconds - 0.7, `${other} s of the other phone's ${hertz.of} Hz, want about ${seconds}`);
  assert.equal(own, 0, `the phone hears ${own} s of its own ${hertz.own} Hz`);
}

test('a phone dials a number of the place, and its application answers', everyPeer('baresip'), async (t) => {
  const { tandem, application, client, alice, dial } = await openScene(t);
  const { voice } = await dial('<Pause length="1"/><Say>Good day.</Say>');
  await alice.event('CALL_CLOSED');

  const { params } = voice;
  assert.equal(params['To'], NUMBER);
  assert.match(params['From'] ?? '', /^sip:alice@/);
  assert.equal(params['Direction'], 'inbound');
  assert.equal(params['CallStatus'], 'ringing');
  assert.equal(params['AccountSid'], tandem.ready.accountSid);
  // The phone hears of the end a moment before the row says so.
  const call = await eventually(() => client.calls(params['CallSid'] ?? '').fetch(), {
    until: ({ status }) => status === 'completed',
    what: 'the end of the call in its row',
  });
  assert.equal(call.direction, 'inbound');
  assert.equal(call.phoneNumberSid, (await client.incomingPhoneNumbers.list({ phoneNumber: NUMBER }))[0]?.sid);
  assert.deepEqual(application.unsigned, []);
});

test('Dial joins a second phone, and each hears only the other', everyPeer('baresip'), async (t) => {
  const { tandem, application, client, alice, phone, dial, afterDial } = await openScene(t);
  const bob = await phone(BOB);
  const { voice, mark } = await dial(
    `<Dial action="/after" timeLimit="${TALK_SECONDS}"><Sip>sip:bob@${tandem.sip}</Sip></Dial>`,
  );
  const seconds = await talkTime(bob, 0);
  const params = await afterDial(mark);

  assert.equal(params['DialCallStatus'], 'completed');
  const duration = Number(params['DialCallDuration']);
  assert.ok(
    Math.abs(duration - seconds) <= 1,
    `DialCallDuration ${duration}, the phone measured ${seconds.toFixed(1)}`,
  );
  assertHears(alice, { of: BOB.hertz, own: ALICE.hertz }, TALK_SECONDS);
  assertHears(bob, { of: ALICE.hertz, own: BOB.hertz }, TALK_SECONDS);

  const child = await client.calls(params['DialCallSid'] ?? '').fetch();
  assert.equal(child.parentCallSid, voice.params['CallSid']);
  assert.equal(child.direction, 'outbound-dial');
  assert.equal(child.status, 'completed');
  assert.equal(child.duration, String(duration));
  assert.deepEqual(application.unsigned, []);
});

test('what becomes of a Dial is what the phone really did', everyPeer('baresip'), async (t) => {
  const scene = await openScene(t);
  const { tandem, client, alice, dial, afterDial } = scene;
  const bob = await scene.phone({ ...BOB, answer: 'manual' });
  const toBob = (attributes = ''): string =>
    `<Dial action="/after" ${attributes}><Sip>sip:bob@${tandem.sip}</Sip></Dial>`;
  const outcome = async (mark: number): Promise<string | undefined> => (await afterDial(mark))['DialCallStatus'];

  await t.test('a phone that refuses is busy', async () => {
    const from = bob.events.mark();
    const { mark } = await dial(toBob());
    await bob.event('CALL_INCOMING', { from });
    await bob.hangup();
    const params = await afterDial(mark);
    assert.equal(params['DialCallStatus'], 'busy');
    assert.ok(!(Number(params['DialCallDuration']) > 0), `a duration of ${params['DialCallDuration']}`);
    assert.equal((await client.calls(params['DialCallSid'] ?? '').fetch()).status, 'busy');
  });

  await t.test('a phone that rings too long is no-answer, and stops ringing', async () => {
    const from = bob.events.mark();
    const { mark } = await dial(toBob('timeout="2"'));
    await bob.event('CALL_INCOMING', { from });
    await bob.event('CALL_CLOSED', { from });
    assert.equal(await outcome(mark), 'no-answer');
  });

  await t.test('a user and a number that nobody has are failed', async () => {
    const nobody = await dial(`<Dial action="/after"><Sip>sip:nobody@${tandem.sip}</Sip></Dial>`);
    assert.equal(await outcome(nobody.mark), 'failed');
    const unknown = await dial(`<Dial action="/after">${UNKNOWN_NUMBER}</Dial>`);
    assert.equal(await outcome(unknown.mark), 'failed');
  });

  await t.test('a call that is canceled over the API while it rings is canceled', async () => {
    const from = bob.events.mark();
    const { mark, voice } = await dial(toBob());
    await bob.event('CALL_INCOMING', { from });
    // The phone rings a moment before its 180 is here.
    const child = await eventually(
      async () => (await client.calls.list({ parentCallSid: voice.params['CallSid'] ?? '' }))[0],
      { until: (call) => call?.status === 'ringing', what: 'the child call that rings' },
    );
    await client.calls(child?.sid ?? '').update({ status: 'canceled' });
    await bob.event('CALL_CLOSED', { from });
    assert.equal(await outcome(mark), 'canceled');
  });

  await t.test('a caller who gives up stops the ringing, and the call to the other phone is canceled', async () => {
    const from = bob.events.mark();
    const { voice } = await dial(toBob());
    await bob.event('CALL_INCOMING', { from });
    const [child] = await client.calls.list({ parentCallSid: voice.params['CallSid'] ?? '' });
    await alice.hangup();
    await bob.event('CALL_CLOSED', { from });
    await eventually(async () => (await client.calls(child?.sid ?? '').fetch()).status, {
      until: (status) => status === 'canceled',
      what: 'the status canceled',
    });
  });
});

test('calls over the API end as the phone ended them', everyPeer('baresip'), async (t) => {
  const { application, client, tandem, phone } = await openScene(t);
  const bob = await phone({ ...BOB, answer: 'manual' });
  application.on('/done', { body: '' });
  const place = async (
    options: { readonly timeout?: number } = {},
  ): Promise<{ sid: string; from: number; mark: number }> => {
    const [from, mark] = [bob.events.mark(), application.requests.mark()];
    const { sid } = await client.calls.create({
      to: `sip:bob@${tandem.sip}`,
      from: NUMBER,
      twiml: '<Response><Pause length="20"/></Response>',
      statusCallback: `${application.url}/done`,
      ...options,
    });
    await bob.event('CALL_INCOMING', { from });
    return { sid, from, mark };
  };
  const final = async (call: { sid: string; mark: number }): Promise<string> => {
    const { params } = await application.request('/done', { from: call.mark });
    const { status } = await client.calls(call.sid).fetch();
    assert.equal(params['CallStatus'], status);
    return status;
  };

  await t.test('refused: busy', async () => {
    const call = await place();
    await bob.hangup();
    assert.equal(await final(call), 'busy');
  });
  await t.test('not taken in time: no-answer', async () => {
    assert.equal(await final(await place({ timeout: 2 })), 'no-answer');
  });
  await t.test('canceled while it rings: canceled, and the phone stops ringing', async () => {
    const call = await place();
    await client.calls(call.sid).update({ status: 'canceled' });
    await bob.event('CALL_CLOSED', { from: call.from });
    assert.equal(await final(call), 'canceled');
  });
  await t.test('hung up by the phone: completed', async () => {
    const call = await place();
    await bob.accept();
    await bob.event('CALL_ESTABLISHED', { from: call.from });
    await bob.hangup();
    assert.equal(await final(call), 'completed');
  });
  await t.test('completed over the API: the phone is hung up', async () => {
    const call = await place();
    await bob.accept();
    await bob.event('CALL_ESTABLISHED', { from: call.from });
    // Before the server has taken in the answer, such an end would still be a cancellation.
    await eventually(() => client.calls(call.sid).fetch(), {
      until: ({ status }) => status === 'in-progress',
      what: 'the talk',
    });
    await client.calls(call.sid).update({ status: 'completed' });
    await bob.event('CALL_CLOSED', { from: call.from });
    assert.equal(await final(call), 'completed');
  });
});

test('calls go out and come in over a trunk that demands a password', everyPeer('baresip', 'kamailio'), async (t) => {
  const kamailio = await startKamailio(t);
  const trunk = {
    name: 'exchange',
    uri: `sip:${kamailio.address}`,
    username: NUMBER,
    password: `pw${NUMBER}`,
    register: true,
    prefixes: ['+44'],
  };
  const { alice, tandem, application, phone, dial, afterDial } = await openScene(t, { trunks: [trunk] });
  const carol = { user: '+441632960123', hertz: 1200 };
  const far = await phone({ ...carol, password: `pw${carol.user}`, server: kamailio.address });

  await t.test('Dial reaches a number behind the trunk, and each hears only the other', async () => {
    const { mark } = await dial(
      `<Dial action="/after" timeLimit="${TALK_SECONDS}" callerId="${NUMBER}">${carol.user}</Dial>`,
    );
    const seconds = await talkTime(far, 0);
    const params = await afterDial(mark);
    assert.equal(params['DialCallStatus'], 'completed');
    assert.ok(Math.abs(Number(params['DialCallDuration']) - seconds) <= 1, `${params['DialCallDuration']}, ${seconds}`);
    assertHears(alice, { of: carol.hertz, own: ALICE.hertz }, TALK_SECONDS);
    assertHears(far, { of: ALICE.hertz, own: carol.hertz }, TALK_SECONDS);
  });

  await t.test('a number that the other exchange does not know is failed', async () => {
    const { mark } = await dial('<Dial action="/after">+441632960999</Dial>');
    assert.equal((await afterDial(mark))['DialCallStatus'], 'failed');
  });

  await t.test('a number that no prefix of the trunk allows does not go out', async () => {
    const { mark } = await dial('<Dial action="/after">+331632960999</Dial>');
    assert.equal((await afterDial(mark))['DialCallStatus'], 'failed');
  });

  await t.test('a call that comes in over the trunk runs the application, which reaches a phone', async () => {
    const [mark, from, farFrom] = [application.requests.mark(), alice.events.mark(), far.events.mark()];
    application.on(
      '/voice',
      `<Dial action="/after" timeLimit="${TALK_SECONDS}"><Sip>sip:alice@${tandem.sip}</Sip></Dial>`,
    );
    await far.dial(`sip:${NUMBER}@${kamailio.address}`);
    const { params } = await application.request('/voice', { from: mark });
    assert.equal(params['From'], carol.user);
    assert.equal(params['To'], NUMBER);
    await talkTime(alice, from);
    const after = await application.request('/after', { from: mark });
    assert.equal(after.params['DialCallStatus'], 'completed');
    await far.event('CALL_CLOSED', { from: farFrom });
    assertHears(alice, { of: carol.hertz, own: ALICE.hertz }, TALK_SECONDS);
    assertHears(far, { of: ALICE.hertz, own: carol.hertz }, TALK_SECONDS);
  });

  assert.deepEqual(application.unsigned, []);
});
