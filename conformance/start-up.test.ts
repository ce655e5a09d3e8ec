import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { Baresip } from '../src/testkit/baresip.ts';
import { eventually } from '../src/testkit/eventually.ts';
import { everyPeer } from '../src/testkit/peers.ts';
import { launch, Tandem, tandemCommand, type TandemOptions } from '../src/testkit/tandem-process.ts';
import { temporaryFolder } from '../src/testkit/temporary-folder.ts';
import { atEnd, type Scope } from '../src/testkit/scope.ts';
import { WebApplication } from '../src/testkit/web-application.ts';

const NUMBER = '+12025550142';
const PHONES = [{ name: 'alice', password: 'secret' }];

interface CallAnswer {
  readonly sid: string;
  readonly status: string;
}

/** Starts what cannot start, and gives its end. */
async function failedStart(
  scope: Scope,
  options: TandemOptions,
): Promise<{ readonly code: number | null; readonly text: string }> {
  const running = await launch(scope, options);
  const { code } = await running.ended;
  return { code, text: running.stderr.all.join('\n') };
}

test('the first line says where the program listens', async (t) => {
  const tandem = await Tandem.start(t);
  const { pid, http, sip, accountSid, authToken } = tandem.ready;
  assert.equal(tandem.process.stdout.all[0], JSON.stringify(tandem.ready));
  assert.equal(pid, tandem.process.pid);
  assert.match(http, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.match(sip.udp, /^127\.0\.0\.1:\d+$/);
  assert.match(sip.tcp, /^127\.0\.0\.1:\d+$/);
  assert.match(accountSid, /^AC[0-9a-f]{32}$/);
  assert.match(authToken, /^[0-9a-f]{32}$/);
  assert.equal((await tandem.fetch(`/2010-04-01/Accounts/${accountSid}.json`)).status, 200);
});

test('a person sees a banner with the way to the first call', async (t) => {
  const running = await launch(t, { banner: true });
  await running.line(/Tandem is ready/);
  await running.line(/calls\.create/);
  await running.line(/Ctrl-C stops/);
  assert.deepEqual(await running.end('SIGINT'), { code: 0, signal: null });
});

test('the configuration file declares account, numbers and phones, so that a job starts from nothing', async (t) => {
  const [accountSid, authToken] = [`AC${'0123456789abcdef'.repeat(2)}`, 'fedcba9876543210'.repeat(2)];
  const config = { accountSid, authToken, phones: PHONES, numbers: [{ phoneNumber: NUMBER, friendlyName: 'Desk' }] };
  const tandem = await Tandem.start(t, { config });
  assert.equal(tandem.ready.accountSid, accountSid);
  assert.equal(tandem.ready.authToken, authToken);
  const response = await tandem.fetch(`/2010-04-01/Accounts/${accountSid}/IncomingPhoneNumbers.json`);
  const { incoming_phone_numbers: numbers } = (await response.json()) as {
    incoming_phone_numbers: { phone_number: string; friendly_name: string }[];
  };
  assert.deepEqual(
    numbers.map((each) => [each.phone_number, each.friendly_name]),
    [[NUMBER, 'Desk']],
  );
});

test("commands find the server by its data folder, whose secrets are its owner's only", async (t) => {
  const data = join(temporaryFolder(t, 'data'), 'place');
  const tandem = await Tandem.start(t, { data });
  const runFile = join(data, 'run.json');
  assert.equal(statSync(runFile).mode & 0o777, 0o600);
  assert.equal(statSync(data).mode & 0o777, 0o700);
  const { pid, http: url, https, accountSid, authToken } = tandem.ready;
  assert.deepEqual(JSON.parse(readFileSync(runFile, 'utf8')), { pid, url, https, accountSid, authToken });

  const command = (...args: readonly string[]) => tandemCommand([...args, '--data', data, '--json']);
  const added = await command('phone', 'add', 'alice', '--number', '+12025550107');
  assert.equal(added.code, 0, added.stderr);
  const phone = added.json() as { name: string; password: string; number: string; registrar: string };
  assert.equal(phone.name, 'alice');
  assert.equal(phone.number, '+12025550107');
  assert.equal(phone.registrar, tandem.sip);
  assert.ok(phone.password.length >= 8);

  const listed = (await command('phone', 'list')).json() as { phones: { name: string; password?: string }[] };
  assert.deepEqual(
    listed.phones.map(({ name, password }) => ({ name, password })),
    [{ name: 'alice', password: undefined }],
  );

  const number = await command('number', 'add', NUMBER, '--voice-url', 'http://127.0.0.1:1/voice');
  assert.equal((number.json() as { voice_url: string }).voice_url, 'http://127.0.0.1:1/voice');

  const twiml = join(temporaryFolder(t, 'twiml'), 'hello.xml');
  writeFileSync(twiml, '<Response><Say>Hello.</Say></Response>');
  const called = await command('call', NUMBER, '+12025550107', '--twiml', twiml);
  const { sid, status } = called.json() as CallAnswer;
  assert.equal(status, 'queued');
  const calls = await eventually(async () => (await command('calls')).json() as CallAnswer[], {
    until: (list) => list[0]?.status === 'no-answer',
    what: 'the end of the call to a phone that is not registered',
  });
  assert.equal(calls[0]?.sid, sid);

  const stopped = await command('stop');
  assert.equal(stopped.code, 0, stopped.stderr);
  assert.deepEqual(await tandem.over(), { code: 0, signal: null });
  assert.equal(existsSync(runFile), false);
  const late = await command('calls');
  assert.equal(late.code, 1);
  assert.match(late.stderr, /no server runs on the data folder .*tandem up/);
});

test('a phone that the command made registers and rings', everyPeer('baresip'), async (t) => {
  const tandem = await Tandem.start(t, { config: { numbers: [{ phoneNumber: NUMBER }] } });
  const added = await tandem.command('phone', 'add', 'bob', '--json');
  const { password } = added.json() as { password: string };
  const bob = await Baresip.start(t, { user: 'bob', password, server: tandem.sip });
  const { phones } = (await tandem.command('phone', 'list', '--json')).json() as {
    phones: { contacts: { userAgent?: string }[] }[];
  };
  assert.match(phones[0]?.contacts[0]?.userAgent ?? '', /baresip/);
  const application = await WebApplication.start(t);
  const url = application.on('/voice', '<Hangup/>');
  const args = ['call', NUMBER, `sip:bob@${tandem.sip}`, '--url', url, '--json', '--server', tandem.http];
  const called = await tandem.command(...args);
  assert.equal(called.code, 0, called.stderr);
  await bob.event('CALL_CLOSED');
});

test('the first SIGTERM ends calls, writes them down and exits with 0', everyPeer('baresip'), async (t) => {
  const data = temporaryFolder(t, 'data');
  const application = await WebApplication.start(t);
  const config = { phones: PHONES, numbers: [{ phoneNumber: NUMBER }] };
  const tandem = await Tandem.start(t, { data, config });
  const alice = await Baresip.start(t, { user: 'alice', server: tandem.sip });
  const sid = await liveCall(tandem, alice, application.on('/status', { body: '' }));
  await tandem.stop();
  await alice.event('CALL_CLOSED');
  const { params } = await application.request('/status');
  assert.equal(params['CallStatus'], 'completed');

  const again = await Tandem.start(t, { data, config });
  assert.equal((await callOf(again, sid)).status, 'completed');
});

test('a second SIGTERM ends at once', everyPeer('baresip'), async (t) => {
  const tandem = await Tandem.start(t, { config: { phones: PHONES, numbers: [{ phoneNumber: NUMBER }] } });
  const alice = await Baresip.start(t, { user: 'alice', server: tandem.sip });
  await liveCall(tandem, alice);
  // A phone that does not answer BYE keeps the drain waiting.
  alice.process.send('SIGSTOP');
  atEnd(t, () => alice.process.send('SIGCONT'));
  tandem.process.send('SIGTERM');
  await tandem.process.line(/"event":"stopping","calls":1/);
  const asked = performance.now();
  tandem.process.send('SIGTERM');
  const { code } = await tandem.over();
  assert.equal(code, 130);
  assert.ok(performance.now() - asked < 2000, `${performance.now() - asked} ms after the second signal`);
});

test(
  'a call that a crash cut off is closed at the next start, and never dialled again',
  everyPeer('baresip'),
  async (t) => {
    const data = temporaryFolder(t, 'data');
    const config = { phones: PHONES, numbers: [{ phoneNumber: NUMBER }] };
    const tandem = await Tandem.start(t, { data, config });
    const alice = await Baresip.start(t, { user: 'alice', server: tandem.sip });
    const sid = await liveCall(tandem, alice);
    await tandem.kill();
    const again = await Tandem.start(t, { data, config });
    const { status } = await callOf(again, sid);
    assert.ok(['completed', 'failed'].includes(status), status);
    assert.equal(alice.events.all.filter((event) => event.type === 'CALL_ESTABLISHED').length, 1);
  },
);

test('a start that cannot be says why, and what to do', async (t) => {
  await t.test('the data folder is held by another process', async () => {
    const data = temporaryFolder(t, 'data');
    const tandem = await Tandem.start(t, { data });
    const { code, text } = await failedStart(t, { data });
    assert.equal(code, 1);
    assert.match(text, new RegExp(`in use by another process \\(pid ${tandem.ready.pid}\\)`));
  });

  for (const door of ['http', 'sip'] as const) {
    await t.test(`the named ${door} port is taken`, async () => {
      const { port, release } = await takenPort();
      const { code, text } = await failedStart(t, { flags: [`--${door}`, `127.0.0.1:${port}`] });
      await release();
      assert.equal(code, 1);
      assert.match(text, new RegExp(`127\\.0\\.0\\.1:${port} is taken .*--${door} HOST:PORT`));
    });
  }

  await t.test('a key of the configuration is not known', async () => {
    const { code, text } = await failedStart(t, { config: { fones: [] } });
    assert.equal(code, 1);
    assert.match(text, /fones/);
    assert.match(text, /phones/);
  });

  await t.test('a value of the configuration is wrong', async () => {
    const { code, text } = await failedStart(t, { config: { numbers: [{ phoneNumber: '555' }] } });
    assert.equal(code, 1);
    assert.match(text, /numbers.*phoneNumber/s);
    assert.match(text, /555/);
  });

  await t.test('a flag is not known', async () => {
    const { code, stderr } = await tandemCommand(['up', '--htp', '127.0.0.1:0']);
    assert.equal(code, 2);
    assert.match(stderr, /--htp/);
  });
});

async function takenPort(): Promise<{ readonly port: number; release(): Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { port, release: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** A call to alice that goes on until somebody ends it. */
async function liveCall(tandem: Tandem, alice: Baresip, statusCallback?: string): Promise<string> {
  const fields = {
    From: NUMBER,
    To: `sip:alice@${tandem.sip}`,
    Twiml: '<Response><Pause length="60"/></Response>',
    ...(statusCallback === undefined ? {} : { StatusCallback: statusCallback }),
  };
  const path = `/2010-04-01/Accounts/${tandem.ready.accountSid}/Calls.json`;
  const response = await tandem.fetch(path, { method: 'POST', body: new URLSearchParams(fields) });
  const { sid } = (await response.json()) as CallAnswer;
  await alice.event('CALL_ESTABLISHED');
  await eventually(() => callOf(tandem, sid), { until: ({ status }) => status === 'in-progress', what: 'the talk' });
  return sid;
}

async function callOf(tandem: Tandem, sid: string): Promise<CallAnswer> {
  const response = await tandem.fetch(`/2010-04-01/Accounts/${tandem.ready.accountSid}/Calls/${sid}.json`);
  return (await response.json()) as CallAnswer;
}
