import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { atEnd } from '../testkit/scope.ts';
import { temporaryFolder } from '../testkit/temporary-folder.ts';
import { writeRunFile } from './data-folder.ts';
import { examine } from './doctor.ts';
import type { Finding } from './doctor/finding.ts';

const PATH = process.env['PATH'];

async function findings(
  context: TestContext,
  config: object,
  environment: Record<string, string> = {},
): Promise<readonly Finding[]> {
  const data = temporaryFolder(context, 'doctor');
  writeFileSync(join(data, 'tandem.json'), JSON.stringify(config));
  return examine({ data, environment: { PATH, ...environment } });
}

const about = (all: readonly Finding[], subject: string): Finding | undefined =>
  all.find((each) => each.subject === subject);

suite('doctor', () => {
  test('stops at a configuration that cannot be used', async (context) => {
    const [only, ...rest] = await findings(context, { drian: 1 });
    assert.equal(only?.level, 'error');
    assert.match(only.text, /"drian"/);
    assert.deepEqual(rest, []);
  });

  test('says which port is taken, and by which flag another is named', async (context) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    atEnd(context, () => void taken.close());
    const address = taken.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const all = await findings(context, { http: `127.0.0.1:${port}`, sip: '127.0.0.1:0' });
    assert.equal(about(all, 'HTTP port')?.level, 'warning');
    assert.match(about(all, 'HTTP port')?.text ?? '', /--http/);
    assert.equal(about(all, 'SIP port (UDP)')?.level, 'ok');
    assert.equal(about(all, 'clock')?.level, 'ok');
    assert.ok(about(all, 'speech'));
    assert.ok(about(all, 'firewall'));
  });

  test('sees the server that runs, and then leaves its ports alone', async (context) => {
    const data = temporaryFolder(context, 'doctor');
    await writeRunFile(data, { pid: process.pid, url: 'http://127.0.0.1:9', accountSid: 'AC1', authToken: 't' });
    const all = await examine({ data, environment: { PATH } });
    assert.match(about(all, 'server')?.text ?? '', new RegExp(`process ${process.pid}`));
    assert.equal(about(all, 'HTTP port'), undefined);
  });

  test('finds addresses that cannot be used, before it tries them', async (context) => {
    for (const config of [{ http: 'example.com:80' }, { sip: '127.0.0.1' }, { rtp: '1-2' }]) {
      const [only, ...rest] = await findings(context, config);
      assert.deepEqual([only?.subject, only?.level, rest], ['configuration', 'error', []]);
      assert.match(only?.text ?? '', new RegExp(`^${Object.keys(config)[0]}: got `));
    }
  });

  test('finds that the speech engine that is wanted is missing', async (context) => {
    const all = await findings(context, { speechEngine: 'flite' }, { PATH: '' });
    assert.equal(about(all, 'speech')?.level, 'error');
    assert.match(about(all, 'speech')?.text ?? '', /flite/);
  });

  test('takes a run file of a process that is gone, or a broken one, for no server', async (context) => {
    const data = temporaryFolder(context, 'doctor');
    for (const text of ['{', 'null', '{"pid": 2147483646}']) {
      writeFileSync(join(data, 'run.json'), text);
      const all = await examine({ data, environment: { PATH } });
      assert.equal(about(all, 'server')?.level, 'warning', text);
      assert.match(about(all, 'server')?.text ?? '', /tandem up/);
    }
  });

  test('warns of credentials that would go to the vendor', async (context) => {
    const all = await findings(
      context,
      {},
      { TWILIO_ACCOUNT_SID: `AC${'e'.repeat(32)}`, TWILIO_REGION: 'http://here:1' },
    );
    const apps = all.filter(({ subject }) => subject === 'apps');
    assert.deepEqual(
      apps.map(({ level }) => level),
      ['warning', 'warning'],
    );
    assert.match(apps[0]?.text ?? '', /client\.api\.baseUrl/);
    assert.equal(about(await findings(context, {}), 'apps')?.level, 'ok');
  });
});
