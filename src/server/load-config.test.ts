import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { temporaryFolder } from '../testkit/temporary-folder.ts';
import { ConfigError, loadConfig } from './load-config.ts';

function folderWith(context: TestContext, config: unknown): string {
  const folder = temporaryFolder(context, 'config');
  const text = typeof config === 'string' ? config : JSON.stringify(config);
  writeFileSync(join(folder, 'tandem.json'), text);
  return folder;
}

async function complaint(sources: Parameters<typeof loadConfig>[0]): Promise<string> {
  try {
    await loadConfig(sources);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message;
  }
  throw new Error('the configuration was taken');
}

suite('configuration', () => {
  test('is the defaults where nothing is said', async (context) => {
    const data = temporaryFolder(context, 'config');
    const config = await loadConfig({ flags: { data }, environment: {} });
    assert.equal(config.data, data);
    assert.equal(config.callsPerSecond, 1);
    assert.equal(config.http, undefined);
    assert.deepEqual(config.emergencyNumbers, ['112', '911']);
  });

  test('takes flags before the environment before the file', async (context) => {
    const data = folderWith(context, { callsPerSecond: 2, drain: 2, rtp: '30000-30010' });
    const environment = { TANDEM_CALLS_PER_SECOND: '3', TANDEM_DRAIN: '3', PATH: '/bin' };
    const config = await loadConfig({ flags: { data, callsPerSecond: 4, drain: undefined }, environment });
    assert.deepEqual([config.callsPerSecond, config.drain, config.rtp], [4, 3, '30000-30010']);
  });

  test('finds the file of the data folder that the environment names', async (context) => {
    const data = folderWith(context, { logLevel: 'debug' });
    assert.equal((await loadConfig({ flags: {}, environment: { TANDEM_DATA: data } })).logLevel, 'debug');
  });

  test('reads lists, objects and switches of the environment as JSON, texts as they are', async (context) => {
    const data = temporaryFolder(context, 'config');
    const environment = {
      TANDEM_DATA: data,
      TANDEM_LAN: 'true',
      TANDEM_PHONES: '[{"name":"bob","password":"secret"}]',
      TANDEM_AUTH_TOKEN: '12345678901234567890',
      TANDEM_URL: 'http://read.elsewhere',
    };
    const config = await loadConfig({ flags: {}, environment });
    assert.equal(config.lan, true);
    assert.equal(config.phones[0]?.name, 'bob');
    assert.equal(config.authToken, '12345678901234567890');
  });

  test('names an unknown key with what was meant or is known, wherever it stands', async (context) => {
    const data = folderWith(context, { callPerSecond: 2 });
    assert.match(
      await complaint({ flags: { data }, environment: {} }),
      /"callPerSecond" is not a known key.*callsPerSecond/,
    );
    const inPhone = folderWith(context, { phones: [{ name: 'bob', password: 'x', nummer: '1' }] });
    assert.match(
      await complaint({ flags: { data: inPhone }, environment: {} }),
      /phones\.0: "nummer".*did you mean "number"/,
    );
    const empty = temporaryFolder(context, 'config');
    const environment = { TANDEM_CALLS_A_SECOND: '2' };
    assert.match(await complaint({ flags: { data: empty }, environment }), /TANDEM_CALLS_A_SECOND is not known/);
  });

  test('names a wrong value with what was got and what is wanted, and never a secret', async (context) => {
    const data = temporaryFolder(context, 'config');
    const wrong = async (flags: object): Promise<string> => complaint({ flags: { data, ...flags }, environment: {} });
    assert.match(await wrong({ callsPerSecond: 'fast' }), /callsPerSecond: got "fast"; it must be number/);
    assert.match(await wrong({ callsPerSecond: NaN }), /callsPerSecond: got NaN/);
    assert.match(await wrong({ logLevel: 'loud' }), /logLevel: got "loud"; it must be "debug" or/);
    assert.match(await wrong({ numbers: [{ phoneNumber: '12' }] }), /numbers\.0\.phoneNumber: got "12"/);
    assert.doesNotMatch(await wrong({ authToken: 'hush!' }), /hush/);
    assert.doesNotMatch(await wrong({ phones: [{ name: 'bob', password: '' }] }), /""/);
    assert.doesNotMatch(await wrong({ postgresql: 'mysql://user:hush@host' }), /hush/);
  });

  test('says which file is missing, is not JSON, is no object, is too long', async (context) => {
    const missing = join(temporaryFolder(context, 'config'), 'none.json');
    assert.match(await complaint({ flags: {}, environment: {}, file: missing }), /none\.json cannot be read/);
    const below = join(process.execPath, 'data');
    assert.match(await complaint({ flags: { data: below }, environment: {} }), /ENOTDIR.*data folder is .*--data DIR/);
    for (const [text, said] of [
      ['{', /tandem\.json is not JSON/],
      ['[]', /want one JSON object/],
      [`{"data": "${'x'.repeat(1_100_000)}"}`, /at most 1048576 bytes/],
    ] as const) {
      const data = folderWith(context, text);
      assert.match(await complaint({ flags: { data }, environment: {} }), said);
    }
  });
});
