// Run by unchanged-sdk.test.ts in a network of its own: what it installs is gone with that network.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { RunningProcess } from '../../src/testkit/child-process.ts';
import { settleInside } from '../../src/testkit/own-names.ts';
import { Tandem } from '../../src/testkit/tandem-process.ts';
import { temporaryFolder } from '../../src/testkit/temporary-folder.ts';
import { WebApplication } from '../../src/testkit/web-application.ts';

const SDK = join(import.meta.dirname, '../../node_modules/twilio');

/** A program for the vendor's service, with no line for this one; pages of lists and errors take the same way. */
const PROGRAM = `
const client = require('twilio')();
const url = process.env.APPLICATION_URL;
(async () => {
  const call = await client.calls.create({ to: 'sip:alice@home.tandem', from: '+12025550100', url });
  console.log('call ' + call.sid);
  for (const each of ['one', 'two', 'three']) await client.applications.create({ friendlyName: each });
  const names = (await client.applications.list({ pageSize: 1 })).map((each) => each.friendlyName);
  console.log('applications ' + names.sort().join(' '));
  await client.calls('CA' + '0'.repeat(32)).fetch().catch((error) => console.log('error ' + error.code));
})().catch((error) => console.log('failed ' + error.message));
`;

test('the server SDK with no line changed places a call here by a hosts file and a trusted authority', async (t) => {
  const names = await settleInside(t);
  const application = await WebApplication.start(t);
  const url = application.on('/voice', '<Say>Hello.</Say><Gather numDigits="1" timeout="10" action="/digits"/>');
  application.on('/digits', '<Hangup/>');
  const tandem = await Tandem.start(t, {
    flags: ['--https', '127.0.0.1:443'],
    config: { phones: [{ name: 'alice', script: ['hear "Hello"', 'press 4'] }] },
  });
  application.authToken = tandem.ready.authToken;
  const folder = temporaryFolder(t, 'unchanged');
  const [ca, program] = [join(folder, 'ca.pem'), join(folder, 'program.cjs')];
  writeFileSync(program, PROGRAM.replace("'twilio'", JSON.stringify(SDK)));
  const run = (environment: Readonly<Record<string, string>>): RunningProcess =>
    RunningProcess.start(process.execPath, [program], {
      environment: {
        TWILIO_ACCOUNT_SID: tandem.ready.accountSid,
        TWILIO_AUTH_TOKEN: tandem.ready.authToken,
        APPLICATION_URL: url,
        ...environment,
      },
    });
  const astray = run({});
  assert.match(await astray.line(/^failed/), /ENOTFOUND api\.twilio\.com/);
  assert.deepEqual(names.names(), ['api.twilio.com'], 'without the hosts file a name server is asked');

  const hosts = readFileSync('/etc/hosts', 'utf8');
  const installed = await tandem.command('trust', '--install', '--ca', ca);
  assert.equal(installed.code, 0, installed.stderr);
  for (const trusting of [
    { NODE_EXTRA_CA_CERTS: ca },
    { TWILIO_CA_BUNDLE: ca, TWILIO_REGION: 'ie1', TWILIO_EDGE: 'dublin' },
    // What the system trusts is enough for a Node that is told to look there.
    { NODE_OPTIONS: '--use-system-ca', TWILIO_EDGE: 'sao-paulo' },
  ]) {
    const mark = application.requests.mark();
    const unchanged = run(trusting);
    const [, sid = ''] = /^call (CA\w{32})$/.exec(await unchanged.line(/^(call|failed)/)) ?? [];
    assert.match(await unchanged.line(/^(applications|failed)/), /^applications .*one.*three.*two/);
    assert.equal(await unchanged.line(/^error/), 'error 20404');
    const { params, signed } = await application.request('/digits', { from: mark });
    assert.deepEqual([params['CallSid'], params['Digits'], signed], [sid, '4', true], JSON.stringify(trusting));
  }
  assert.deepEqual(names.names(), ['api.twilio.com'], 'no name server is asked for the names in the hosts file');

  const removed = await tandem.command('trust', '--uninstall');
  assert.equal(removed.code, 0, removed.stderr);
  assert.equal(readFileSync('/etc/hosts', 'utf8'), hosts);
  assert.match(await run({ NODE_EXTRA_CA_CERTS: ca }).line(/^failed/), /ENOTFOUND/);
});
