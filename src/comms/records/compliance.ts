import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { seededRandom } from '../../base/random.ts';
import { newSid, type Sid } from '../../base/sid.ts';
import { migrate } from '../../store/migrate.ts';
import type { Store } from '../../store/store.ts';
import type { KeptSounds } from './recordings.ts';
import type { Account, Call, Notification, Recording } from '../model.ts';
import { commsMigrations } from './migrations.ts';
import { numberTypeOf, type OwnedNumber } from './numbers.ts';
import type { New } from './owned-records.ts';
import type { RecordPage } from './page.ts';
import { openRecords, type Records } from './records.ts';
import { openSecrets } from './secrets.ts';

const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

const voice = {
  voiceUrl: 'http://app.test/voice',
  voiceMethod: 'POST',
  voiceFallbackUrl: null,
  voiceFallbackMethod: 'GET',
  statusCallback: null,
  statusCallbackMethod: 'POST',
} as const;
const sms = { smsUrl: null, smsMethod: 'POST', smsFallbackUrl: null, smsFallbackMethod: 'POST' } as const;

const FAULT = {
  log: '0',
  errorCode: 11200,
  messageText: 'HTTP 502',
  messageDate: START_MS,
  requestMethod: 'POST',
  requestUrl: 'http://app.test/',
  requestVariables: 'CallSid=CA1&From=%2B1555',
  responseBody: 'Bad "Gateway" ☎',
  responseHeaders: 'Content-Type=text%2Fhtml',
} as const;

/** What the records promise, on any store. `open` gives an empty one each time. */
export function recordsCompliance(title: string, open: () => Promise<Store>): void {
  describe(title, () => {
    let store: Store;
    let clock: VirtualClock;
    let records: Records;
    let account: Account;
    const random = seededRandom(7);

    before(async () => {
      clock = new VirtualClock(START_MS + 0.25);
      store = await open();
      await migrate(store, commsMigrations, { clock });
      records = openRecords({ store, clock, random, secrets: openSecrets(random.bytes(32), random) });
      account = await records.accounts.create({ friendlyName: 'Main' });
    });
    after(() => store.close());

    const newCall = (changes: Partial<Call> = {}): Call => ({
      ...records.calls.build({
        accountSid: account.sid,
        parentCallSid: null,
        to: '+15550002222',
        from: '+15550001111',
        phoneNumberSid: null,
        status: 'queued',
        stage: 'queued',
        direction: 'outbound-api',
        startTime: null,
        endTime: null,
        duration: null,
        answeredBy: null,
        forwardedFrom: null,
        callerName: null,
        queueTime: 0,
        trunkSid: null,
        sipResponseCode: null,
        eventsNumbered: 0,
        endUntold: false,
        endReason: null,
        plan: { url: 'http://app.test/voice' },
      }),
      ...changes,
    });
    const newNumber = (phoneNumber: string): New<OwnedNumber> => ({
      accountSid: account.sid,
      friendlyName: phoneNumber,
      phoneNumber,
      type: numberTypeOf(phoneNumber),
      ...voice,
      ...sms,
      voiceApplicationSid: null,
      smsApplicationSid: null,
      voiceCallerIdLookup: false,
    });

    it('an account comes back as it was made, and owns itself', async () => {
      assert.deepEqual(await records.accounts.find(account.sid), account);
      assert.equal(account.ownerAccountSid, account.sid);
      assert.equal(account.dateCreated, START_MS);
      assert.match(account.authToken, /^[0-9a-f]{32}$/);
    });

    it('a main account sees its sub-accounts, a sub-account only itself', async () => {
      const sub = await records.accounts.create({ friendlyName: 'Sub', ownerAccountSid: account.sid });
      const seen = await records.accounts.list(account, [], { size: 10 });
      assert.deepEqual(new Set(seen.records.map((each) => each.sid)), new Set([account.sid, sub.sid]));
      const own = await records.accounts.list(sub, [], { size: 10 });
      assert.deepEqual(own.records, [sub]);
      assert.deepEqual(await records.accounts.first(), account);
    });

    it('secrets are not readable in the tables', async () => {
      const key = await records.keys.issue(account.sid, 'ci');
      const call = newCall({ plan: { twiml: '<Response/>', sipAuthPassword: 'hush-hush' } });
      await records.calls.insert(call);
      const texts: string[] = [];
      for (const table of ['comms_account', 'comms_api_key', 'comms_call']) {
        texts.push(JSON.stringify(await store.read({ sql: `select * from ${table}`, parameters: [] })));
      }
      for (const secret of [account.authToken, key.secret, 'hush-hush']) {
        assert.ok(!texts.join().includes(secret), `${secret} is in a table`);
      }
      assert.equal((await records.keys.findBySid(key.sid))?.secret, key.secret);
      assert.deepEqual((await records.calls.find(account.sid, call.sid))?.plan, call.plan);
    });

    it('a number belongs to one account, and is found by its digits', async () => {
      const number = await records.numbers.create(newNumber('+15550001111'));
      assert.deepEqual(await records.numbers.findByNumber('+15550001111'), number);
      assert.equal(await records.numbers.owns(account.sid, '+15550001111'), true);
      assert.equal(await records.numbers.owns(newSid('AC', random), '+15550001111'), false);
      await assert.rejects(records.numbers.create(newNumber('+15550001111')), {
        name: 'CommsError',
        faultCode: 21422,
      });
    });

    it('a number forgets an application that is deleted', async () => {
      const application = await records.applications.create({
        accountSid: account.sid,
        friendlyName: 'IVR',
        ...voice,
        ...sms,
        voiceCallerIdLookup: true,
        smsStatusCallback: null,
        messageStatusCallback: null,
        publicApplicationConnectEnabled: false,
      });
      assert.deepEqual(await records.applications.find(account.sid, application.sid), application);
      const number = await records.numbers.create({
        ...newNumber('+15550003333'),
        voiceApplicationSid: application.sid,
      });
      await records.applications.delete(account.sid, application.sid);
      assert.equal((await records.numbers.find(account.sid, number.sid))?.voiceApplicationSid, null);
      await assert.rejects(records.applications.delete(account.sid, application.sid), { faultCode: 20404 });
    });

    it('an update changes what it names, and the time', async () => {
      const key = await records.keys.issue(account.sid, 'before');
      await clock.advance(5000);
      const changed = await records.keys.update(account.sid, key.sid, { friendlyName: 'after' });
      assert.deepEqual(changed, { ...key, friendlyName: 'after', dateUpdated: key.dateUpdated + 5000 });
    });

    it('another account can neither see, change nor delete a record', async () => {
      const key = await records.keys.issue(account.sid, 'mine');
      const stranger = newSid('AC', random);
      assert.equal(await records.keys.find(stranger, key.sid), undefined);
      await assert.rejects(records.keys.update(stranger, key.sid, { friendlyName: 'x' }), { code: 'not-found' });
      await assert.rejects(records.keys.delete(stranger, key.sid), { code: 'not-found' });
      assert.deepEqual(await records.keys.find(account.sid, key.sid), key);
    });

    describe('SIP users', () => {
      it('a user may do what a mapping of the list allows, with the digest of that realm', async () => {
        const { credentialLists, credentials, domains, mappings, digests } = records;
        const domain = await domains.create({
          accountSid: account.sid,
          friendlyName: 'Home',
          domainName: 'home.test',
          ...voice,
          sipRegistration: true,
          emergencyCallingEnabled: false,
          secure: false,
          byocTrunkSid: null,
          emergencyCallerSid: null,
        });
        const list = await credentialLists.create({ accountSid: account.sid, friendlyName: 'Staff' });
        await credentials.create({
          accountSid: account.sid,
          credentialListSid: list.sid,
          username: 'alice',
          password: 'Circle of Life',
        });
        assert.equal(await digests.find('home.test', 'alice', 'registrations'), undefined);
        await mappings.create(domain, list, 'registrations');
        const digest = await digests.find('HOME.test', 'alice', 'registrations');
        // printf 'alice:home.test:Circle of Life' | md5sum
        assert.equal(digest?.ha1Md5, 'd9360f58c99a72a972959e0f67591c51');
        // printf 'alice:home.test:Circle of Life' | sha256sum
        assert.equal(digest.ha1Sha256, '897194c5fe61981b5706da638e09e41afbc09c6a5feeb088f41c8f8656aa1f5a');
        assert.equal(digest.realm, 'home.test');
        assert.equal(await digests.find('home.test', 'alice', 'calls'), undefined);
        assert.equal(await digests.find('home.test', 'bob', 'registrations'), undefined);
        assert.deepEqual(await mappings.mappedDomains([domain.sid]), new Set([domain.sid]));
        await assert.rejects(mappings.create(domain, list, 'registrations'), { faultCode: 20409 });
        await credentialLists.delete(account.sid, list.sid);
        assert.equal(await digests.find('home.test', 'alice', 'registrations'), undefined);
        assert.deepEqual(await mappings.mappedDomains([domain.sid]), new Set());
      });

      it('a name occurs once in a list', async () => {
        const list = await records.credentialLists.create({ accountSid: account.sid, friendlyName: 'Twice' });
        const user = { accountSid: account.sid, credentialListSid: list.sid, username: 'al', password: 'x' };
        await records.credentials.create(user);
        await assert.rejects(records.credentials.create(user), { code: 'refused', faultCode: 20409 });
      });
    });

    describe('calls', () => {
      it('a call comes back as it was written', async () => {
        const call = newCall({
          plan: { url: 'http://app.test/', statusCallbackEvents: ['initiated', 'completed'], record: true },
          duration: 17,
          sipResponseCode: 200,
        });
        await records.calls.insert(call);
        assert.deepEqual(await records.calls.findBySid(call.sid), call);
      });

      it('fractions of a millisecond that a clock gives are cut off', async () => {
        const call = newCall({ startTime: START_MS + 0.75, queueTime: 12.5 });
        await records.calls.insert(call);
        const found = await records.calls.findBySid(call.sid);
        assert.deepEqual([found?.startTime, found?.queueTime], [START_MS, 12]);
      });

      it('a change that expects another stage is not made', async () => {
        const call = newCall();
        await records.calls.insert(call);
        const cancel = { status: 'canceled', stage: 'ended' } as const;
        assert.equal(await records.calls.change(call.sid, { stage: 'dialling' }, { expectStage: 'queued' }), true);
        assert.equal(await records.calls.change(call.sid, cancel, { expectStage: 'queued' }), false);
        assert.equal((await records.calls.findBySid(call.sid))?.status, 'queued');
      });

      it('a statement joins a bigger write: all or nothing', async () => {
        const [one, two] = [newCall(), newCall()];
        await records.calls.insert(two);
        const both = [records.calls.insertStatement(one), records.calls.insertStatement(two)];
        await assert.rejects(store.write(both), { code: 'duplicate' });
        assert.equal(await records.calls.findBySid(one.sid), undefined);
      });

      it('names those that a restart interrupted', async () => {
        const calls = [newCall({ stage: 'dialling' }), newCall({ stage: 'live' }), newCall({ stage: 'ended' })];
        for (const call of calls) await records.calls.insert(call);
        const unfinished = new Set((await records.calls.unfinished()).map((call) => call.sid));
        assert.deepEqual(
          calls.map((call) => unfinished.has(call.sid)),
          [true, true, false],
        );
      });

      it('pages neither repeat nor leave out a call while more arrive, many in one millisecond', async () => {
        const owner = await records.accounts.create({ friendlyName: 'Busy' });
        const accountSid = owner.sid;
        const present = Array.from({ length: 57 }, () => newCall({ accountSid }));
        await store.write(present.map((call) => records.calls.insertStatement(call)));
        await clock.advance(1);
        const seen: string[] = [];
        let page = await records.calls.list(accountSid, [], { size: 10 });
        for (;;) {
          seen.push(...page.records.map((call) => call.sid));
          await records.calls.insert(newCall({ accountSid }));
          if (!page.hasNext) break;
          page = await records.calls.list(accountSid, [], { size: 10, position: positionAfter(page) });
        }
        assert.equal(seen.length, 57);
        assert.deepEqual(new Set(seen), new Set(present.map((call) => call.sid)));
      });

      it('a page before a position is the page that was there', async () => {
        const owner = await records.accounts.create({ friendlyName: 'Back' });
        for (let n = 0; n < 6; n += 1) {
          await clock.advance(1);
          await records.calls.insert(newCall({ accountSid: owner.sid }));
        }
        const first = await records.calls.list(owner.sid, [], { size: 2 });
        const second = await records.calls.list(owner.sid, [], { size: 2, position: positionAfter(first) });
        const newest = second.records[0];
        assert.ok(newest !== undefined);
        const position = { side: 'before', dateCreated: newest.dateCreated, key: newest.sid } as const;
        const again = await records.calls.list(owner.sid, [], { size: 2, position });
        assert.deepEqual(again.records, first.records);
        assert.deepEqual([again.hasPrevious, again.hasNext], [false, true]);
        assert.deepEqual([first.hasPrevious, second.hasPrevious], [false, true]);
      });

      it('filters narrow a list', async () => {
        const owner = await records.accounts.create({ friendlyName: 'Filter' });
        await records.calls.insert(newCall({ accountSid: owner.sid, status: 'busy', startTime: 1000 }));
        await records.calls.insert(newCall({ accountSid: owner.sid, status: 'busy', startTime: 2000 }));
        await records.calls.insert(newCall({ accountSid: owner.sid, status: 'failed', startTime: 3000 }));
        const list = async (...where: Parameters<typeof records.calls.list>[1]) =>
          (await records.calls.list(owner.sid, where, { size: 10 })).records.map((call) => call.startTime);
        assert.deepEqual((await list(['status', '=', 'busy'])).sort(), [1000, 2000]);
        assert.deepEqual(await list(['status', '=', 'busy'], ['startTime', '>=', 1500]), [2000]);
        assert.deepEqual(await list(['parentCallSid', '=', null], ['startTime', '<', 1500]), [1000]);
      });
    });

    it('finds the calls whose end is still to be told, and notes that it was told without touching them', async () => {
      const [untold, told] = [newCall({ stage: 'ended', endUntold: true }), newCall({ stage: 'ended' })];
      for (const call of [untold, told]) await records.calls.insert(call);
      const sids = async (): Promise<string[]> => (await records.calls.endsUntold()).map(({ sid }) => sid);
      assert.deepEqual(await sids(), [untold.sid]);
      await records.calls.endTold(untold.sid);
      assert.deepEqual(await sids(), []);
      assert.deepEqual(await records.calls.findBySid(untold.sid), { ...untold, endUntold: false });
      await records.calls.delete(account.sid, untold.sid);
      await records.calls.endTold(untold.sid);
    });

    it('finds the recordings whose end is still to be told, and notes that it was told', async () => {
      const untoldEnd = { url: 'http://app.test/r', method: 'POST', events: ['completed', 'absent'] } as const;
      const fields = {
        accountSid: account.sid,
        callSid: newSid('CA', random),
        conferenceSid: null,
        source: 'RecordVerb',
        channels: 1,
        track: 'both',
        startTime: START_MS,
        duration: null,
        errorCode: null,
        blobId: null,
      } as const;
      const ended = await records.recordings.create({ ...fields, status: 'absent', untoldEnd });
      await records.recordings.create({ ...fields, status: 'absent', untoldEnd: null });
      await records.recordings.create({ ...fields, status: 'in-progress', untoldEnd });
      assert.deepEqual(await records.recordings.endsUntold(), [ended]);
      await records.recordings.endTold(ended.sid);
      assert.deepEqual(await records.recordings.endsUntold(), []);
      assert.deepEqual(await records.recordings.find(account.sid, ended.sid), { ...ended, untoldEnd: null });
    });

    it('a recording that is discarded stays as deleted and gives up its sound once', async () => {
      const recording: Recording = records.recordings.build({
        accountSid: account.sid,
        callSid: newSid('CA', random),
        conferenceSid: null,
        status: 'completed',
        source: 'RecordVerb',
        channels: 1,
        track: 'both',
        startTime: START_MS,
        duration: 3,
        errorCode: null,
        blobId: 'ab'.repeat(32),
        untoldEnd: null,
      });
      await records.recordings.insert(recording);
      const released: string[] = [];
      const sounds: KeptSounds = {
        release: async (blobId, holder) => {
          await store.write(holder);
          released.push(blobId);
        },
      };
      await records.recordings.discard(account.sid, recording.sid, sounds);
      assert.deepEqual(released, [recording.blobId]);
      const kept = await records.recordings.find(account.sid, recording.sid);
      assert.deepEqual([kept?.status, kept?.blobId], ['deleted', null]);
      await assert.rejects(records.recordings.discard(account.sid, recording.sid, sounds), { code: 'not-found' });
    });

    it('a notification of what happens once to a call is written once, by whatever run', async () => {
      const callSid = newSid('CA', seededRandom(77));
      const ofCall = { ...FAULT, accountSid: account.sid, callSid };
      await records.notifications.createOnce(ofCall);
      await records.notifications.createOnce(ofCall);
      await records.notifications.createOnce({ ...ofCall, errorCode: 12_401 });
      const page = await records.notifications.list(account.sid, [['callSid', '=', callSid]], { size: 10 });
      assert.equal(page.records.length, 2);
    });

    it('a notification keeps what the application answered', async () => {
      const owner = { accountSid: account.sid, callSid: null };
      const notification: Notification = await records.notifications.create({ ...owner, ...FAULT });
      assert.deepEqual(await records.notifications.find(account.sid, notification.sid), notification);
    });

    it('phones are found by name and by number', async () => {
      const phone = {
        name: 'kitchen',
        accountSid: account.sid,
        number: '+15550009999',
        credentialSid: newSid('CR', random),
        script: { name: 'a.phone', text: 'hear Welcome' },
        scriptPassword: 'secret',
        dateCreated: START_MS,
      };
      await store.write([records.phones.insertStatement(phone)]);
      assert.deepEqual(await records.phones.byNumber('+15550009999'), phone);
      await assert.rejects(store.write([records.phones.insertStatement(phone)]), { code: 'duplicate' });
      await store.write([records.phones.deleteStatement('kitchen')]);
      assert.equal(await records.phones.byName('kitchen'), undefined);
    });

    it('a trunk comes back as it was written; its password is not readable', async () => {
      const trunk = {
        sid: newSid('TK', random),
        accountSid: account.sid,
        name: 'carrier',
        uri: 'sip:carrier.test',
        username: 'me',
        password: 'trunk-password',
        register: true,
        prefixes: ['+', '112'],
        maxCalls: 10,
        dateCreated: START_MS,
      };
      await store.write([records.trunks.insertStatement(trunk)]);
      assert.deepEqual(await records.trunks.list(), [trunk]);
      const rows = await store.read({ sql: 'select * from comms_trunk', parameters: [] });
      assert.ok(!JSON.stringify(rows).includes('trunk-password'));
    });
  });
}

function positionAfter(page: RecordPage<{ readonly sid: Sid; readonly dateCreated: number }>) {
  const last = page.records.at(-1);
  assert.ok(last !== undefined);
  return { side: 'after', dateCreated: last.dateCreated, key: last.sid } as const;
}
