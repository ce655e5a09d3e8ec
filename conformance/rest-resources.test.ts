import assert from 'node:assert/strict';
import { test } from 'node:test';
import twilio from 'twilio';
import { Baresip } from '../src/testkit/baresip.ts';
import { eventually } from '../src/testkit/eventually.ts';
import { everyPeer } from '../src/testkit/peers.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';
import { WebApplication } from '../src/testkit/web-application.ts';

const NUMBER = '+12025550142';

// What resources do to real phones; their properties, filters and errors are the subject of src/api/test.

test('what the REST API says takes effect on real phones', everyPeer('baresip'), async (t) => {
  const application = await WebApplication.start(t);
  const tandem = await Tandem.start(t, {
    config: { phones: [{ name: 'alice', password: 'secret' }], callsPerSecond: 100 },
  });
  application.authToken = tandem.ready.authToken;
  const { accountSid, authToken } = tandem.ready;
  const client = twilio(accountSid, authToken);
  client.api.baseUrl = tandem.http;
  const alice = await Baresip.start(t, { user: 'alice', server: tandem.sip, hertz: 900 });
  const callFromAlice = async (path: string): Promise<Readonly<Record<string, string>>> => {
    const [mark, from] = [application.requests.mark(), alice.events.mark()];
    await alice.dial(`sip:${NUMBER}@${tandem.sip}`);
    const { params } = await application.request(path, { from: mark });
    await alice.event('CALL_CLOSED', { from });
    return params;
  };

  const number = await client.incomingPhoneNumbers.create({
    phoneNumber: NUMBER,
    voiceUrl: application.on('/first', '<Hangup/>'),
  });

  await t.test('a number that was just made takes calls, and its changes take effect with the next one', async () => {
    assert.equal((await callFromAlice('/first'))['To'], NUMBER);
    await client
      .incomingPhoneNumbers(number.sid)
      .update({ voiceUrl: application.on('/second', '<Hangup/>'), voiceMethod: 'GET' });
    assert.equal((await callFromAlice('/second'))['To'], NUMBER);
  });

  await t.test('an application stands in for the addresses of a number', async () => {
    const container = await client.applications.create({
      friendlyName: 'container',
      voiceUrl: application.on('/container', '<Hangup/>'),
    });
    await client.incomingPhoneNumbers(number.sid).update({ voiceApplicationSid: container.sid });
    assert.equal((await callFromAlice('/container'))['To'], NUMBER);
  });

  await t.test('a key acts for the account until it is removed', async () => {
    const key = await client.newKeys.create({ friendlyName: 'for a test' });
    const byKey = twilio(key.sid, key.secret, { accountSid });
    byKey.api.baseUrl = tandem.http;
    const call = await byKey.calls.create({ to: 'client:nobody', from: NUMBER, twiml: '<Response/>' });
    assert.equal(call.accountSid, accountSid);
    await client.keys(key.sid).remove();
    await assert.rejects(byKey.calls.list(), { status: 401, code: 20003 });
  });

  await t.test('a SIP domain lets phones register once its credentials are mapped', async () => {
    const domainName = 'office.example';
    const domain = await client.sip.domains.create({
      domainName,
      sipRegistration: true,
      voiceUrl: application.on('/domain', '<Hangup/>'),
    });
    const list = await client.sip.credentialLists.create({ friendlyName: 'staff' });
    await client.sip.credentialLists(list.sid).credentials.create({ username: 'dora', password: 'Secret-12345678' });
    const phone = { user: 'dora', password: 'Secret-12345678', server: tandem.sip, domain: domainName };

    const early = await Baresip.start(t, { ...phone, register: 'unawaited' });
    await early.process.line(/dora@office.example: 40[13] /);
    await early.quit();
    await client.sip.domains(domain.sid).auth.registrations.credentialListMappings.create({
      credentialListSid: list.sid,
    });
    await client.sip.domains(domain.sid).auth.calls.credentialListMappings.create({ credentialListSid: list.sid });
    const dora = await Baresip.start(t, phone);

    const { sid } = await client.calls.create({ to: `sip:dora@${domainName}`, from: NUMBER, twiml: '<Response/>' });
    await dora.event('CALL_CLOSED');
    await eventually(() => client.calls(sid).fetch(), {
      until: ({ status }) => status === 'completed',
      what: 'its end',
    });

    const mark = application.requests.mark();
    await dora.dial(`sip:anybody@${domainName}`);
    const { params } = await application.request('/domain', { from: mark });
    assert.equal(params['SipDomain'], domainName);
    assert.match(params['From'] ?? '', /^sip:dora@office\.example/);
  });

  await t.test('a fault of the application is a notification of its call', async () => {
    const { sid } = await client.calls.create({
      to: `sip:alice@${tandem.sip}`,
      from: NUMBER,
      url: application.on('/broken', { body: 'not TwiML <', type: 'text/xml' }),
    });
    const notes = await eventually(() => client.calls(sid).notifications.list(), {
      until: (list) => list.length > 0,
      what: 'a notification',
    });
    assert.equal(notes[0]?.errorCode, '12100');
    const note = await client.calls(sid).notifications(notes[0].sid).fetch();
    assert.equal(note.callSid, sid);
    assert.equal(note.requestUrl, `${application.url}/broken`);
    assert.match(note.responseBody, /not TwiML/);
  });

  await t.test('a recording can be heard until it is removed', async () => {
    const from = alice.events.mark();
    const { sid } = await client.calls.create({
      to: `sip:alice@${tandem.sip}`,
      from: NUMBER,
      twiml: '<Response><Pause length="1"/></Response>',
      record: true,
    });
    await alice.event('CALL_CLOSED', { from });
    const [recording] = await eventually(() => client.calls(sid).recordings.list(), {
      until: (list) => list[0]?.status === 'completed',
      what: 'the recording',
    });
    assert.equal(recording?.source, 'OutboundAPI');
    const path = `/2010-04-01/Accounts/${accountSid}/Recordings/${recording.sid}`;
    const sound = await tandem.fetch(path);
    assert.equal(sound.headers.get('content-type')?.split(';')[0], 'audio/x-wav');
    assert.equal((await sound.bytes()).subarray(0, 4).toString(), '82,73,70,70');
    assert.equal(await client.recordings(recording.sid).remove(), true);
    assert.equal((await tandem.fetch(`${path}.wav`)).status, 404);
  });

  await t.test('a live call follows new TwiML and an end that the API gives it', async () => {
    const from = alice.events.mark();
    const { sid } = await client.calls.create({
      to: `sip:alice@${tandem.sip}`,
      from: NUMBER,
      twiml: '<Response><Pause length="60"/></Response>',
    });
    await alice.event('CALL_ESTABLISHED', { from });
    const url = application.on('/elsewhere', '<Pause length="60"/>');
    await eventually(() => client.calls(sid).fetch(), {
      until: ({ status }) => status === 'in-progress',
      what: 'talk',
    });
    await client.calls(sid).update({ url, method: 'GET' });
    await application.request('/elsewhere', { where: ({ params }) => params['CallSid'] === sid });
    await client.calls(sid).update({ status: 'completed' });
    await alice.event('CALL_CLOSED', { from });
    await assert.rejects(client.calls(sid).update({ status: 'completed' }), { status: 400, code: 21220 });
  });

  await t.test('a wrong token is refused with a challenge', async () => {
    const stranger = twilio(accountSid, '0'.repeat(32));
    stranger.api.baseUrl = tandem.http;
    await assert.rejects(stranger.calls.list(), { status: 401, code: 20003 });
    const plain = await fetch(`${tandem.http}/2010-04-01/Accounts/${accountSid}/Calls.json`);
    assert.match(plain.headers.get('www-authenticate') ?? '', /^Basic /);
  });

  assert.deepEqual(application.unsigned, []);
});
