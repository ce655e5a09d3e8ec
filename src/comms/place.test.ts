import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { atEnd } from '../testkit/scope.ts';
import type { CommsError } from './comms-error.ts';
import type { Account } from './model.ts';
import { HOME_DOMAIN, Place, type NewPhone, type NewTrunk, type PlaceOptions } from './place.ts';
import { openTemporaryRecords, type TemporaryRecords } from './test/temporary-records.ts';

interface World extends TemporaryRecords {
  readonly place: Place;
  readonly account: Account;
  readonly options: PlaceOptions;
}

async function world(t: TestContext): Promise<World> {
  const ports = { clock: new VirtualClock(1_000_000), random: seededRandom(3) };
  const temporary = await openTemporaryRecords(ports);
  atEnd(t, () => temporary.close());
  const account = await temporary.records.accounts.create({ friendlyName: 'Main' });
  const options = { ...ports, records: temporary.records, store: temporary.store };
  return { ...temporary, account, options, place: await Place.open(options, account) };
}

function refused(message: RegExp, httpStatus = 400): (error: CommsError) => boolean {
  return (error) => {
    assert.match(error.message, message);
    assert.equal(error.httpStatus, httpStatus);
    return true;
  };
}

function numberFields(account: Account, phoneNumber: string): Parameters<World['records']['numbers']['create']>[0] {
  return {
    accountSid: account.sid,
    phoneNumber,
    friendlyName: phoneNumber,
    type: 'local',
    voiceUrl: null,
    voiceMethod: 'POST',
    voiceFallbackUrl: null,
    voiceFallbackMethod: 'POST',
    statusCallback: null,
    statusCallbackMethod: 'POST',
    smsUrl: null,
    smsMethod: 'POST',
    smsFallbackUrl: null,
    smsFallbackMethod: 'POST',
    voiceApplicationSid: null,
    smsApplicationSid: null,
    voiceCallerIdLookup: false,
  };
}

test('the home domain is made once, with one list of phones that may register and call', async (t) => {
  const { options, account, place, records } = await world(t);
  const again = await Place.open(options, account);
  assert.equal(again.domain.sid, place.domain.sid);
  assert.equal(place.domain.domainName, HOME_DOMAIN);
  assert.equal(place.domain.sipRegistration, true);
  await place.addPhone({ name: 'alice' });
  await again.addPhone({ name: 'bob' });
  const lists = await records.credentialLists.list(account.sid, [], { size: 10 });
  assert.equal(lists.records.length, 1);
  for (const kind of ['registrations', 'calls'] as const) {
    assert.ok((await records.digests.find(HOME_DOMAIN, 'bob', kind)) !== undefined, kind);
  }
});

test('a phone may register with the password that it was given, or with one that is made', async (t) => {
  const { place, records, account } = await world(t);
  const given = await place.addPhone({ name: 'alice', password: 'secret', number: '+12025550101' });
  assert.equal(given.password, 'secret');
  assert.deepEqual(
    { ...given.phone, credentialSid: '' },
    {
      name: 'alice',
      accountSid: account.sid,
      number: '+12025550101',
      credentialSid: '',
      script: null,
      scriptPassword: null,
      dateCreated: 1_000_000,
    },
  );
  const made = await place.addPhone({ name: 'bob' });
  assert.match(made.password, /^[\w-]{12}$/);
  assert.notEqual((await place.addPhone({ name: 'carol' })).password, made.password);
  const digest = await records.digests.find(HOME_DOMAIN, 'alice', 'registrations');
  // MD5 of alice:home.tandem:secret
  assert.equal(digest?.ha1Md5, '20eab1141758a88577e52bdc33551b18');
});

test('a phone with a name or a number that cannot be used is refused with the reason', async (t) => {
  const { place, records } = await world(t);
  const cases: readonly (readonly [NewPhone, RegExp])[] = [
    [{ name: '' }, /^name: got ""; want 1 to 64 of letters, digits/],
    [{ name: 'a b' }, /^name: got "a b"/],
    [{ name: 'x'.repeat(65) }, /^name: got "x{65}"/],
    [{ name: 'a@b' }, /^name/],
    [{ name: 'é' }, /^name/],
    [{ name: 'a\n' }, /^name: got "a\\n"/],
    [{ name: 'alice', number: '+12' }, /^number: got "\+12"; want E\.164, e\.g\. \+12025550123/],
    [{ name: 'alice', number: '' }, /^number/],
  ];
  for (const [phone, message] of cases) await assert.rejects(place.addPhone(phone), refused(message));
  assert.deepEqual(await records.phones.list(), []);
});

test('a name or a number is given to one phone only, and the one before stays as it was', async (t) => {
  const { place, records } = await world(t);
  await place.addPhone({ name: 'alice', password: 'first', number: '+12025550101' });
  const before = await records.digests.find(HOME_DOMAIN, 'alice', 'registrations');
  await assert.rejects(
    place.addPhone({ name: 'alice', password: 'other' }),
    refused(/named alice exists already; for a new password/, 409),
  );
  await assert.rejects(place.addPhone({ name: 'bob', number: '+12025550101' }), refused(/exists already/, 409));
  assert.deepEqual(await records.digests.find(HOME_DOMAIN, 'alice', 'registrations'), before);
  assert.equal(await records.digests.find(HOME_DOMAIN, 'bob', 'registrations'), undefined);
  assert.equal((await records.phones.list()).length, 1);
});

test('a number that leads to an application rings no phone', async (t) => {
  const { place, records, account } = await world(t);
  await records.numbers.create(numberFields(account, '+12025550100'));
  await assert.rejects(
    place.addPhone({ name: 'alice', number: '+12025550100' }),
    refused(/\+12025550100 leads to an application already/),
  );
});

test('a phone that was taken away may not register, and its name is free again', async (t) => {
  const { place, records } = await world(t);
  await place.addPhone({ name: 'alice', password: 'first' });
  assert.ok(await records.digests.find(HOME_DOMAIN, 'alice', 'registrations'));
  await place.removePhone('alice');
  assert.equal(await records.digests.find(HOME_DOMAIN, 'alice', 'registrations'), undefined);
  assert.equal(await records.phones.byName('alice'), undefined);
  await place.addPhone({ name: 'alice', password: 'second' });
});

test('a phone whose password was deleted by the API can still be taken away', async (t) => {
  const { place, records } = await world(t);
  const { phone } = await place.addPhone({ name: 'alice', password: 'first' });
  await records.credentials.delete(phone.accountSid, phone.credentialSid);
  await place.removePhone('alice');
  assert.deepEqual(await records.phones.list(), []);
});

test('what is not there cannot be taken away', async (t) => {
  const { place } = await world(t);
  await assert.rejects(place.removePhone('nobody'), refused(/there is no phone named "nobody"/, 404));
  await assert.rejects(place.removeTrunk('nothing'), refused(/there is no trunk named "nothing"/, 404));
});

test('a full disk takes no phone and no trunk, and says so with 503', async (t) => {
  const { place, fillDisk, records } = await world(t);
  fillDisk(true);
  await assert.rejects(place.addPhone({ name: 'alice' }), refused(/disk .* full/, 503));
  await assert.rejects(place.addTrunk({ name: 'line', uri: 'sip:192.0.2.1' }), refused(/disk .* full/, 503));
  fillDisk(false);
  assert.deepEqual([await records.phones.list(), await records.trunks.list()], [[], []]);
});

test('a trunk is kept with its password sealed, and lets nothing out until it is told', async (t) => {
  const { place, records, store } = await world(t);
  const trunk = await place.addTrunk({ name: 'line', uri: 'sip:192.0.2.1', username: 'u', password: 'geheim' });
  assert.deepEqual(trunk.prefixes, []);
  assert.deepEqual([trunk.register, trunk.maxCalls], [false, 10]);
  assert.match(trunk.sid, /^TK[0-9a-f]{32}$/);
  assert.deepEqual(await records.trunks.byName('line'), trunk);
  const [row] = await store.read({ sql: 'select * from comms_trunk', parameters: [] });
  assert.doesNotMatch(JSON.stringify(row), /geheim/);
  await place.removeTrunk('line');
  assert.equal(await records.trunks.byName('line'), undefined);
});

test('a trunk that cannot be used is refused with the reason', async (t) => {
  const { place, records } = await world(t);
  const line = { name: 'line', uri: 'sip:192.0.2.1' };
  const cases: readonly (readonly [NewTrunk, RegExp])[] = [
    [{ ...line, name: '../x' }, /^name: got "\.\.\/x"/],
    [{ ...line, uri: 'gateway' }, /^address: got "gateway"; want e\.g\. sip:gateway\.example:5060/],
    [{ ...line, uri: 'tel:+12025550100' }, /^address/],
    [{ ...line, uri: 'http://gateway' }, /^address/],
    [{ ...line, uri: 'sip:' }, /^address/],
    [{ ...line, prefixes: ['+1', 'abc'] }, /^prefix: got "abc"; want digits/],
    [{ ...line, maxCalls: 0 }, /^max calls: got 0/],
    [{ ...line, maxCalls: 1.5 }, /^max calls: got 1\.5/],
    [{ ...line, maxCalls: NaN }, /^max calls: got NaN/],
  ];
  for (const [trunk, message] of cases) await assert.rejects(place.addTrunk(trunk), refused(message));
  await place.addTrunk(line);
  await assert.rejects(place.addTrunk(line), refused(/a trunk named line exists already/, 409));
  assert.equal((await records.trunks.list()).length, 1);
});

test('there is a limit on trunks', async (t) => {
  const { place } = await world(t);
  for (let n = 0; n < 100; n++) await place.addTrunk({ name: `line-${n}`, uri: 'sip:192.0.2.1' });
  await assert.rejects(place.addTrunk({ name: 'one-more', uri: 'sip:192.0.2.1' }), refused(/there are 100 trunks/));
});

test('the secret that marks own calls is another one in each process', async (t) => {
  const { place } = await world(t);
  assert.match(place.loopSecret(), /^[0-9a-f]{32}$/);
  assert.notEqual(place.loopSecret(), place.loopSecret());
});
