import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import { silentLogger } from '../base/logger.ts';
import { seededRandom } from '../base/random.ts';
import type { AccountSid } from '../base/sid.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { Place } from '../comms/place.ts';
import { commsMigrations } from '../comms/records/migrations.ts';
import { openRecords, type Records } from '../comms/records/records.ts';
import { openSecrets } from '../comms/records/secrets.ts';
import { migrate } from '../store/migrate.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import { atEnd } from '../testkit/scope.ts';
import { CONFIG_DEFAULTS, type Config } from './config.ts';
import { applyDeclared, FIRST_NUMBER, mainAccount } from './declared.ts';

const SID = `AC${'a'.repeat(32)}` as AccountSid;
const TOKEN = 'b'.repeat(32);
const config = (more: Partial<Config> = {}): Config =>
  ({ ...CONFIG_DEFAULTS, data: '/tmp', ...more }) as unknown as Config;

interface Start {
  readonly records: Records;
  readonly place: Place;
}

async function opened(context: TestContext): Promise<{ records: Records; start(config: Config): Promise<Start> }> {
  const [clock, random] = [new VirtualClock(1_700_000_000_000), seededRandom(3)];
  const store = openSqliteStore({ clock, logger: silentLogger });
  atEnd(context, () => store.close());
  await migrate(store, commsMigrations, { clock });
  const records = openRecords({ store, clock, random, secrets: openSecrets(new Uint8Array(32), random) });
  return {
    records,
    async start(given) {
      const account = await mainAccount(given, records);
      const place = await Place.open({ records, store, clock, random }, account);
      await applyDeclared(given, place, records);
      return { records, place };
    },
  };
}

suite('the main account', () => {
  test('is made once and found again', async (context) => {
    const { start } = await opened(context);
    const first = (await start(config())).place.account;
    const again = (await start(config())).place.account;
    assert.equal(again.sid, first.sid);
    assert.equal(again.authToken, first.authToken);
  });

  test('is the declared one, with the declared token', async (context) => {
    const { start } = await opened(context);
    const { place } = await start(config({ accountSid: SID, authToken: TOKEN }));
    assert.deepEqual([place.account.sid, place.account.authToken], [SID, TOKEN]);
    const changed = await start(config({ accountSid: SID, authToken: 'c'.repeat(32) }));
    assert.equal(changed.place.account.authToken, 'c'.repeat(32));
  });
});

suite('what the configuration declares', () => {
  test('is there after the start: applications, numbers, phones, trunks', async (context) => {
    const { records, start } = await opened(context);
    const declared = config({
      applications: [{ friendlyName: 'shop', voiceUrl: 'http://app/shop' }],
      numbers: [
        { phoneNumber: '+12025550150', application: 'shop' },
        { phoneNumber: '+12025550151', voiceUrl: 'http://app/two' },
      ],
      phones: [{ name: 'bob', password: 'secret', number: '+12025550152' }],
      trunks: [{ name: 'out', uri: 'sip:gateway.example', prefixes: ['+44'] }],
    });
    await start(declared);
    const number = await records.numbers.findByNumber('+12025550150');
    const application = await records.applications.find(
      number?.accountSid as AccountSid,
      number?.voiceApplicationSid ?? '',
    );
    assert.equal(application?.voiceUrl, 'http://app/shop');
    assert.equal((await records.numbers.findByNumber('+12025550151'))?.voiceUrl, 'http://app/two');
    assert.equal((await records.phones.byNumber('+12025550152'))?.name, 'bob');
    assert.deepEqual((await records.trunks.byName('out'))?.prefixes, ['+44']);
  });

  test('is brought up to date by the next start, and keeps its sids', async (context) => {
    const { records, start } = await opened(context);
    const first = config({
      applications: [{ friendlyName: 'shop', voiceUrl: 'http://app/old' }],
      numbers: [{ phoneNumber: '+12025550150', voiceUrl: 'http://app/old' }],
      phones: [{ name: 'bob', password: 'secret' }],
      trunks: [
        { name: 'out', uri: 'sip:gateway.example' },
        { name: 'other', uri: 'sip:other.example' },
      ],
    });
    const { place } = await start(first);
    const before = await records.numbers.findByNumber('+12025550150');
    const [kept, changed] = [await records.trunks.byName('out'), await records.trunks.byName('other')];
    await start({
      ...first,
      applications: [{ friendlyName: 'shop', voiceUrl: 'http://app/new' }],
      numbers: [{ phoneNumber: '+12025550150', voiceUrl: 'http://app/new' }],
      trunks: [
        { name: 'out', uri: 'sip:gateway.example' },
        { name: 'other', uri: 'sip:moved.example' },
      ],
    });
    const after = await records.numbers.findByNumber('+12025550150');
    assert.deepEqual([after?.sid, after?.voiceUrl], [before?.sid, 'http://app/new']);
    const applications = await records.applications.list(place.account.sid, [], { size: 10 });
    assert.deepEqual(
      applications.records.map(({ voiceUrl }) => voiceUrl),
      ['http://app/new'],
    );
    assert.equal((await records.trunks.byName('out'))?.sid, kept?.sid);
    assert.equal((await records.trunks.byName('other'))?.uri, 'sip:moved.example');
    assert.ok(changed);
    assert.equal((await records.phones.list()).length, 1);
  });

  test('has a number for the first call unless numbers are declared or there', async (context) => {
    const { records, start } = await opened(context);
    await start(config());
    await start(config());
    const own = await records.numbers.findByNumber(FIRST_NUMBER);
    assert.ok(own);
    await records.numbers.delete(own.accountSid, own.sid);
    await start(config({ numbers: [{ phoneNumber: '+12025550150' }] }));
    await start(config());
    assert.equal(await records.numbers.findByNumber(FIRST_NUMBER), undefined);
  });

  test('is refused where it cannot be: an unknown application, a number of a phone', async (context) => {
    const { start } = await opened(context);
    await assert.rejects(start(config({ numbers: [{ phoneNumber: '+12025550150', application: 'shop' }] })), {
      code: 'bad-config',
      message: /"shop"; declared ones: none/,
    });
    await assert.rejects(
      start(
        config({
          numbers: [{ phoneNumber: '+12025550150' }],
          phones: [{ name: 'bob', password: 'x', number: '+12025550150' }],
        }),
      ),
      /a number rings a phone or an application, not both/,
    );
  });

  test('a phone has a password or a script that can be used, and keeps it', async (context) => {
    const { records, start } = await opened(context);
    const refusal = (phone: object): Promise<unknown> =>
      start(config({ phones: [{ name: 'bob', ...phone }] })).then(
        () => 'started',
        (error: Error) => error.message,
      );
    assert.match(String(await refusal({})), /bob has neither a password nor a script/);
    assert.match(
      String(await refusal({ script: ['hear Welcome', 'jump'] })),
      /script of bob: "bob:2: jump".*want one of/,
    );
    assert.match(String(await refusal({ script: '/nowhere/a.phone' })), /script of bob cannot be read: ENOENT/);
    assert.equal(await records.phones.byName('bob'), undefined);
    await start(config({ phones: [{ name: 'bob', script: ['hear Welcome', 'press 1'] }] }));
    const { script, scriptPassword } = (await records.phones.byName('bob')) ?? {};
    assert.deepEqual(script, { name: 'bob', text: 'hear Welcome\npress 1' });
    assert.ok((scriptPassword ?? '').length >= 12);
  });
});
