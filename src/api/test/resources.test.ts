import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Twilio } from 'twilio';
import { seededRandom } from '../../base/random.ts';
import { newSid } from '../../base/sid.ts';
import { CommsError } from '../../comms/comms-error.ts';
import { ApiUnderTest, START_MS } from './api-under-test.ts';

/** What the SDK throws for an error answer. */
const refusal = (status: number, code: number) => ({ name: /Error/, status, code });

describe('the stock SDK drives every resource', () => {
  let api: ApiUnderTest;
  let client: Twilio;
  let accountSid: string;
  before(async () => {
    api = await ApiUnderTest.open();
    client = api.client();
    accountSid = api.parts.account.sid;
  });
  after(() => api.close());

  it('accounts: create, list, fetch, update, close; a sub-account works with its own token', async () => {
    const sub = await client.api.v2010.accounts.create({ friendlyName: 'Branch' });
    assert.match(sub.sid, /^AC[0-9a-f]{32}$/);
    assert.equal(sub.ownerAccountSid, accountSid);
    assert.deepEqual(sub.dateCreated, new Date(START_MS));
    const listed = await client.api.v2010.accounts.list({ friendlyName: 'Branch' });
    assert.deepEqual(
      listed.map((each) => each.sid),
      [sub.sid],
    );
    const own = api.client(sub.sid, sub.authToken, sub.sid);
    assert.equal((await own.api.v2010.accounts(sub.sid).fetch()).friendlyName, 'Branch');
    await assert.rejects(own.api.v2010.accounts(accountSid).fetch(), refusal(404, 20404));
    await assert.rejects(own.api.v2010.accounts.create({}), refusal(403, 20403));

    const key = await client.api.v2010.accounts(sub.sid).newKeys.create({ friendlyName: 'of the branch' });
    assert.equal((await own.keys(key.sid).fetch()).friendlyName, 'of the branch');

    const suspended = await client.api.v2010.accounts(sub.sid).update({ status: 'suspended' });
    assert.equal(suspended.status, 'suspended');
    await assert.rejects(own.calls.list({ limit: 1 }), refusal(403, 20005));
    await assert.rejects(
      client.api.v2010
        .accounts(sub.sid)
        .calls.create({ to: '+15550001111', from: '+15550002222', twiml: '<Response/>' }),
      refusal(403, 20005),
    );
    assert.deepEqual(await client.api.v2010.accounts(sub.sid).calls.list({ limit: 1 }), []);
    await client.api.v2010.accounts(sub.sid).update({ status: 'closed' });
    await assert.rejects(client.api.v2010.accounts(sub.sid).update({ status: 'active' }), refusal(403, 20403));
    await assert.rejects(client.api.v2010.accounts(accountSid).update({ status: 'closed' }), refusal(403, 20403));
  });

  it('keys: the secret is shown once, and works until the key is deleted', async () => {
    const key = await client.newKeys.create({ friendlyName: 'CI' });
    assert.match(key.secret, /^[0-9a-f]{32}$/);
    const byKey = api.client(key.sid, key.secret);
    assert.deepEqual(await byKey.applications.list({ limit: 1 }), []);
    await assert.rejects(byKey.newKeys.create({}), refusal(403, 20403));
    await assert.rejects(byKey.api.v2010.accounts(accountSid).fetch(), refusal(403, 20403));
    assert.equal((await client.keys(key.sid).update({ friendlyName: 'CD' })).friendlyName, 'CD');
    assert.deepEqual(
      (await client.keys.list()).map((each) => each.toJSON()),
      [(await client.keys(key.sid).fetch()).toJSON()],
    );
    assert.equal((await client.signingKeys(key.sid).fetch()).friendlyName, 'CD');
    assert.equal(await client.keys(key.sid).remove(), true);
    await assert.rejects(byKey.applications.list({ limit: 1 }), refusal(401, 20003));
    await assert.rejects(client.keys(key.sid).fetch(), refusal(404, 20404));
  });

  it('applications: create, list, fetch, update, clear a URL, delete', async () => {
    const application = await client.applications.create({
      friendlyName: 'IVR',
      voiceUrl: 'https://app.test/voice?x=1',
      voiceMethod: 'GET',
      voiceCallerIdLookup: true,
    });
    assert.equal(application.voiceMethod, 'GET');
    assert.equal(application.smsUrl, null);
    assert.equal(application.voiceCallerIdLookup, true);
    assert.equal((await client.applications.list({ friendlyName: 'IVR' }))[0]?.sid, application.sid);
    assert.deepEqual(await client.applications.list({ friendlyName: 'other' }), []);
    await api.parts.clock.advance(2000);
    const updated = await client
      .applications(application.sid)
      .update({ voiceUrl: '', statusCallback: 'http://a.test/s' });
    assert.equal(updated.voiceUrl, null);
    assert.equal(updated.statusCallback, 'http://a.test/s');
    assert.equal(updated.friendlyName, 'IVR');
    assert.equal(updated.dateUpdated.getTime() - updated.dateCreated.getTime(), 2000);
    await assert.rejects(client.applications.create({ voiceUrl: 'ftp://a.test' }), refusal(400, 21402));
    assert.equal(await client.applications(application.sid).remove(), true);
    await assert.rejects(client.applications(application.sid).remove(), refusal(404, 20404));
  });

  it('incoming phone numbers: create, typed lists, fetch, update, delete', async () => {
    const application = await client.applications.create({ friendlyName: 'Numbers' });
    const number = await client.incomingPhoneNumbers.create({
      phoneNumber: '+1 (555) 123-4567',
      voiceUrl: 'http://app.test/',
    });
    assert.equal(number.phoneNumber, '+15551234567');
    assert.equal(number.friendlyName, '(555) 123-4567');
    assert.equal(number.capabilities.voice, true);
    const mobile = await client.incomingPhoneNumbers.mobile.create({ phoneNumber: '+491701234567' });
    const free = await client.incomingPhoneNumbers.create({ phoneNumber: '+18005551234' });
    const sids = async (list: { list(): Promise<{ sid: string }[]> }) => (await list.list()).map((each) => each.sid);
    assert.deepEqual(await sids(client.incomingPhoneNumbers.mobile), [mobile.sid]);
    assert.deepEqual(await sids(client.incomingPhoneNumbers.tollFree), [free.sid]);
    assert.deepEqual(await sids(client.incomingPhoneNumbers.local), [number.sid]);
    const found = await client.incomingPhoneNumbers.list({ phoneNumber: '+15551234567' });
    assert.equal(found[0]?.sid, number.sid);
    const updated = await client
      .incomingPhoneNumbers(number.sid)
      .update({ voiceApplicationSid: application.sid, friendlyName: 'Desk' });
    assert.equal(updated.voiceApplicationSid, application.sid);
    assert.equal(updated.voiceUrl, 'http://app.test/');
    const taken = { phoneNumber: '+15551234567' };
    await assert.rejects(client.incomingPhoneNumbers.create(taken), refusal(400, 21422));
    const phone = {
      name: 'desk',
      accountSid: api.parts.account.sid,
      credentialSid: newSid('CR', seededRandom(1)),
      script: null,
      scriptPassword: null,
    };
    await api.parts.store.write([
      api.parts.records.phones.insertStatement({ ...phone, number: '+15550009999', dateCreated: START_MS }),
    ]);
    const ringing = { phoneNumber: '+15550009999', voiceUrl: 'https://app.example/voice' };
    await assert.rejects(client.incomingPhoneNumbers.create(ringing), refusal(400, 21422));
    await assert.rejects(client.incomingPhoneNumbers.create({ phoneNumber: 'home' }), refusal(400, 21421));
    await assert.rejects(client.incomingPhoneNumbers.create({ areaCode: '415' }), refusal(400, 21452));
    await assert.rejects(
      client.incomingPhoneNumbers(number.sid).update({ voiceApplicationSid: 'AP1' }),
      refusal(400, 21218),
    );
    assert.equal(await client.incomingPhoneNumbers(number.sid).remove(), true);
    await assert.rejects(client.incomingPhoneNumbers(number.sid).fetch(), refusal(404, 20404));
  });

  it('calls: a request reaches the call service parsed, and comes back as the SDK expects', async () => {
    const call = await client.calls.create({
      to: 'sip:alice@home.test',
      from: '(555) 000-1111',
      url: 'http://app.test/voice',
      method: 'GET',
      statusCallback: 'http://app.test/status',
      statusCallbackEvent: ['initiated', 'answered'],
      sendDigits: '1w2#',
      timeout: 20,
      record: true,
      recordingChannels: 'dual',
      sipAuthUsername: 'u',
      sipAuthPassword: 'p',
    });
    assert.match(call.sid, /^CA[0-9a-f]{32}$/);
    assert.equal(call.status, 'queued');
    assert.equal(call.from, '+15550001111');
    assert.equal(call.fromFormatted, '(555) 000-1111');
    assert.equal(call.startTime, null);
    assert.equal(call.duration, null);
    assert.ok(call.dateCreated instanceof Date && call.dateCreated.getTime() >= START_MS);
    assert.deepEqual(api.parts.commands.requests.at(-1), {
      to: { kind: 'sip', uri: 'sip:alice@home.test' },
      from: { kind: 'number', number: '+15550001111' },
      plan: {
        url: 'http://app.test/voice',
        method: 'GET',
        statusCallback: 'http://app.test/status',
        statusCallbackMethod: 'POST',
        statusCallbackEvents: ['initiated', 'answered'],
        sendDigits: '1w2#',
        timeoutSeconds: 20,
        sipAuthUsername: 'u',
        sipAuthPassword: 'p',
        record: true,
        recordingChannels: 'dual',
        trim: true,
      },
    });
    assert.equal((await client.calls(call.sid).fetch()).sid, call.sid);
    await assert.rejects(client.calls(call.sid).remove(), refusal(409, 20409));
    assert.equal((await client.calls(call.sid).update({ status: 'canceled' })).status, 'canceled');
    await assert.rejects(client.calls(call.sid).update({ status: 'completed' }), refusal(400, 21220));
    assert.equal(await client.calls(call.sid).remove(), true);
    await assert.rejects(client.calls(call.sid).fetch(), refusal(404, 20404));
  });

  it('calls: what is wrong has its official code', async () => {
    const good = { to: '+15550002222', from: '+15550001111', twiml: '<Response/>' };
    const cases: [object, number][] = [
      [{ to: undefined, ...without(good, 'to') }, 21201],
      [{ ...good, to: 'nobody' }, 21211],
      [{ ...without(good, 'from') }, 21213],
      [{ ...good, from: 'sip:' }, 21212],
      [{ ...without(good, 'twiml') }, 21205],
      [{ ...good, url: 'voice.xml' }, 21205],
      [{ ...good, applicationSid: 'AP1' }, 21218],
      [{ ...good, sendDigits: '1x' }, 21206],
      [{ ...good, timeout: 601 }, 21208],
      [{ ...good, url: 'http://a.test/', method: 'PUT' }, 21209],
      [{ ...good, statusCallback: 'nowhere' }, 21609],
      [{ ...good, twiml: 'x'.repeat(4001) }, 20001],
      [{ ...good, statusCallbackEvent: ['hungup'] }, 20001],
      [{ ...good, machineDetection: 'maybe' }, 21234],
    ];
    for (const [fields, code] of cases) {
      // The SDK itself refuses a missing To or From, so the form is sent as it is.
      const form = new URLSearchParams();
      for (const [name, value] of Object.entries(fields)) {
        if (value !== undefined) form.set(name[0]?.toUpperCase() + name.slice(1), String(value));
      }
      const response = await api.get('/Calls.json', { method: 'POST', body: form });
      const body = (await response.json()) as { code: number; message: string; more_info: string; status: number };
      assert.deepEqual([response.status, body.code, body.status], [400, code, 400], JSON.stringify(fields));
      assert.equal(body.more_info, `${api.parts.url}/docs/errors/${code}`);
      assert.deepEqual(Object.keys(body).sort(), ['code', 'message', 'more_info', 'status']);
      const page = await fetch(body.more_info);
      assert.equal(page.status, 200);
      await page.text();
    }
  });

  it('calls: what the service refuses arrives with its code; what breaks inside stays inside', async () => {
    const request = { to: '+15550002222', from: '+15550001111', twiml: '<Response/>' };
    api.parts.commands.refusal = new CommsError('refused', 'From is not yours', { faultCode: 21210, httpStatus: 400 });
    await assert.rejects(client.calls.create(request), { ...refusal(400, 21210), message: 'From is not yours' });
    api.parts.commands.refusal = new Error('password is hunter2');
    await assert.rejects(client.calls.create(request), (error: Error & { code?: number }) => {
      assert.equal(error.code, 20500);
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    });
  });

  it('call recordings: start, list, fetch, pause the current one, delete when stopped', async () => {
    const call = await api.insertCall({ status: 'in-progress', stage: 'live' });
    const recordings = client.calls(call.sid).recordings;
    const recording = await recordings.create({ recordingStatusCallback: 'http://a.test/r', trim: 'do-not-trim' });
    assert.equal(recording.status, 'in-progress');
    assert.equal(api.parts.commands.recordingOptions.at(-1)?.statusCallback, 'http://a.test/r');
    assert.deepEqual(
      (await recordings.list()).map((each) => each.sid),
      [recording.sid],
    );
    assert.equal(
      (await client.calls(call.sid).recordings('Twilio.CURRENT').update({ status: 'paused' })).status,
      'paused',
    );
    const one = client.calls(call.sid).recordings(recording.sid);
    await assert.rejects(one.remove(), refusal(409, 20409));
    assert.equal((await one.update({ status: 'stopped', pauseBehavior: 'skip' })).status, 'stopped');
    assert.equal((await one.fetch()).callSid, call.sid);
    const other = await api.insertCall();
    await assert.rejects(client.calls(other.sid).recordings(recording.sid).fetch(), refusal(404, 20404));
    assert.equal(await one.remove(), true);
    await assert.rejects(one.fetch(), refusal(404, 20404));
  });

  it('recordings: list by call and date, fetch, delete; a deleted one is seen only on request', async () => {
    const call = await api.insertCall();
    const recording = await api.insertRecording({ callSid: call.sid, blobId: 'ab'.repeat(32) });
    const listed = await client.recordings.list({ callSid: call.sid });
    assert.deepEqual(
      listed.map((each) => [each.sid, each.duration, each.channels]),
      [[recording.sid, '2', 2]],
    );
    const fetched = await client.recordings(recording.sid).fetch();
    assert.equal(fetched.mediaUrl, `${api.parts.url}/2010-04-01/Accounts/${accountSid}/Recordings/${recording.sid}`);
    const tomorrow = new Date(START_MS + 86_400_000);
    assert.deepEqual(await client.recordings.list({ callSid: call.sid, dateCreatedAfter: tomorrow }), []);
    assert.equal((await client.recordings.list({ callSid: call.sid, dateCreated: new Date(START_MS) })).length, 1);
    assert.equal(await client.recordings(recording.sid).remove(), true);
    assert.deepEqual(api.parts.released, [recording.blobId]);
    await assert.rejects(client.recordings(recording.sid).fetch(), refusal(404, 20404));
    const deleted = await client.recordings(recording.sid).fetch({ includeSoftDeleted: true });
    assert.equal(deleted.status, 'deleted');
    assert.deepEqual(await client.recordings.list({ callSid: call.sid }), []);
    assert.equal((await client.recordings.list({ callSid: call.sid, includeSoftDeleted: true })).length, 1);
  });

  it('notifications: of the account and of a call, with what the application answered', async () => {
    const call = await api.insertCall();
    const notification = await api.insertNotification({ callSid: call.sid });
    await api.insertNotification({ log: '1', errorCode: 13510 });
    assert.equal((await client.api.v2010.accounts(accountSid).notifications.list()).length, 2);
    const warnings = await client.api.v2010.accounts(accountSid).notifications.list({ log: 1 });
    assert.deepEqual(
      warnings.map((each) => each.errorCode),
      ['13510'],
    );
    const ofCall = await client.calls(call.sid).notifications.list();
    assert.deepEqual(
      ofCall.map((each) => each.sid),
      [notification.sid],
    );
    const single = await client.calls(call.sid).notifications(notification.sid).fetch();
    assert.equal(single.responseBody, 'oops');
    assert.deepEqual(single.messageDate, new Date(START_MS));
    assert.equal(single.moreInfo, `${api.parts.url}/docs/errors/11200`);
  });

  it('SIP: domain, credential list, users and mappings, until a phone could register', async () => {
    const domain = await client.sip.domains.create({
      domainName: 'Office.test',
      friendlyName: 'Office',
      voiceUrl: 'http://app.test/sip',
      voiceStatusCallbackUrl: 'http://app.test/status',
      sipRegistration: true,
    });
    assert.equal(domain.domainName, 'office.test');
    assert.equal(domain.authType, '');
    assert.equal(domain.voiceStatusCallbackUrl, 'http://app.test/status');
    const list = await client.sip.credentialLists.create({ friendlyName: 'Staff' });
    const users = client.sip.credentialLists(list.sid).credentials;
    const alice = await users.create({ username: 'alice', password: 'correct horse 1' });
    assert.equal(JSON.stringify(alice).includes('correct horse'), false);
    await assert.rejects(users.create({ username: 'alice', password: 'x' }), refusal(409, 20409));
    await assert.rejects(users.create({ username: 'al ice', password: 'x' }), refusal(400, 20001));

    const registrations = client.sip.domains(domain.sid).auth.registrations.credentialListMappings;
    const mapping = await registrations.create({ credentialListSid: list.sid });
    assert.equal(mapping.sid, list.sid);
    const digest = await api.parts.records.digests.find('office.test', 'alice', 'registrations');
    await users(alice.sid).update({ password: 'another horse 2' });
    const changed = await api.parts.records.digests.find('office.test', 'alice', 'registrations');
    assert.ok(digest !== undefined && changed !== undefined && digest.ha1Md5 !== changed.ha1Md5);

    const calls = client.sip.domains(domain.sid).auth.calls.credentialListMappings;
    await calls.create({ credentialListSid: list.sid });
    assert.equal((await client.sip.domains(domain.sid).credentialListMappings.list())[0]?.domainSid, domain.sid);
    assert.equal((await client.sip.domains(domain.sid).fetch()).authType, 'CREDENTIAL_LIST');
    assert.equal((await client.sip.domains.list())[0]?.authType, 'CREDENTIAL_LIST');
    assert.equal((await registrations.list()).length, 1);
    assert.equal((await registrations(list.sid).fetch()).friendlyName, 'Staff');
    await assert.rejects(registrations.create({ credentialListSid: list.sid }), refusal(409, 20409));
    await assert.rejects(registrations.create({ credentialListSid: 'CL1' }), refusal(400, 20001));
    assert.equal(await registrations(list.sid).remove(), true);
    assert.equal(await api.parts.records.digests.find('office.test', 'alice', 'registrations'), undefined);
    assert.equal(await calls(list.sid).remove(), true);

    assert.deepEqual(
      (await users.list()).map((each) => each.username),
      ['alice'],
    );
    assert.equal((await users(alice.sid).fetch()).credentialListSid, list.sid);
    assert.equal(await users(alice.sid).remove(), true);
    const renamed = await client.sip.credentialLists(list.sid).update({ friendlyName: 'Crew' });
    assert.equal(renamed.friendlyName, 'Crew');
    assert.equal((await client.sip.credentialLists.list()).length, 1);
    assert.equal((await client.sip.credentialLists(list.sid).fetch()).friendlyName, 'Crew');
    assert.equal(await client.sip.credentialLists(list.sid).remove(), true);
    assert.equal((await client.sip.domains(domain.sid).update({ secure: true })).secure, true);
    await assert.rejects(client.sip.domains.create({ domainName: 'office.test' }), refusal(409, 20409));
    assert.deepEqual(await client.sip.ipAccessControlLists.list(), []);
    assert.deepEqual(await client.sip.domains(domain.sid).auth.calls.ipAccessControlListMappings.list(), []);
    assert.equal(await client.sip.domains(domain.sid).remove(), true);
    await assert.rejects(client.sip.domains(domain.sid).fetch(), refusal(404, 20404));
  });
});

function without<T extends object>(fields: T, name: keyof T): Partial<T> {
  const rest: Partial<T> = { ...fields };
  delete rest[name];
  return rest;
}
