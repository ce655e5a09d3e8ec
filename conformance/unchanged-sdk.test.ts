import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:net';
import { test } from 'node:test';
import { ownNamesOptions, runWithOwnNames } from '../src/testkit/own-names.ts';
import { RunningProcess } from '../src/testkit/child-process.ts';
import { Tandem, tandemCommand } from '../src/testkit/tandem-process.ts';
import { temporaryFolder } from '../src/testkit/temporary-folder.ts';

/** A program for the vendor's service, with no line for this one. */
const PROGRAM = `
const client = require('twilio')(process.env.TWILIO_ACCOUNT_SID, process.env.TWILIO_AUTH_TOKEN);
client.applications.create({ friendlyName: 'unchanged' })
  .then((made) => client.applications(made.sid).fetch())
  .then((found) => console.log('found ' + found.friendlyName), (error) => console.log('failed ' + error.message));
`;

test(
  'the server SDK with no line changed places a call here by a hosts file and a trusted authority',
  ownNamesOptions(),
  (t) => runWithOwnNames(t, join(import.meta.dirname, 'own-names/server-sdk.ts')),
);

test('the server SDK with no line changed reaches this place through it as a proxy', async (t) => {
  const tandem = await Tandem.start(t);
  const folder = temporaryFolder(t, 'unchanged');
  const program = join(folder, 'program.cjs');
  writeFileSync(
    program,
    PROGRAM.replace("'twilio'", JSON.stringify(join(import.meta.dirname, '../node_modules/twilio'))),
  );
  const { accountSid, authToken } = tandem.ready;
  const ca = join(folder, 'ca.pem');
  const printed = await tandemCommand([
    'trust',
    '--ca',
    ca,
    '--url',
    tandem.http,
    '--token',
    `${accountSid}:${authToken}`,
  ]);
  assert.equal(printed.code, 0, printed.stderr);
  assert.match(printed.stdout, /api\.twilio\.com/);
  const run = (environment: Readonly<Record<string, string>>): RunningProcess =>
    RunningProcess.start(process.execPath, [program], {
      environment: {
        PATH: process.env['PATH'] ?? '',
        TWILIO_ACCOUNT_SID: accountSid,
        TWILIO_AUTH_TOKEN: authToken,
        ...environment,
      },
    });
  const trusting = run({ HTTP_PROXY: tandem.http, NODE_EXTRA_CA_CERTS: ca });
  assert.equal(await trusting.line(/^(found|failed)/), 'found unchanged');
  const wary = run({ HTTP_PROXY: tandem.http });
  assert.match(await wary.line(/^(found|failed)/), /^failed .*certificate/);
});

test('the proxy leads to no other host', async (t) => {
  const tandem = await Tandem.start(t);
  const { hostname, port } = new URL(tandem.http);
  for (const target of ['example.org:443', 'api.twilio.com:80', 'twilio.com.example.org:443', '127.0.0.1:22']) {
    const socket = connect(Number(port), hostname);
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
    const answer = await new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))));
    socket.destroy();
    assert.match(answer, /^HTTP\/1\.1 403 /, target);
  }
});
