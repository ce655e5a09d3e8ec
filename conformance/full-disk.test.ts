import assert from 'node:assert/strict';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import twilio from 'twilio';
import { Baresip } from '../src/testkit/baresip.ts';
import { eventually } from '../src/testkit/eventually.ts';
import { everyPeer } from '../src/testkit/peers.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';
import { temporaryFolder } from '../src/testkit/temporary-folder.ts';
import { WebApplication } from '../src/testkit/web-application.ts';

const DISK_MEGABYTES = 12;
const FROM = '+12025550100';
const ABSENT_BECAUSE_IT_FAILED = '12400';
/** What was refused is written again every five seconds. */
const WRITTEN_AGAIN_MS = 15_000;

function needs(): { readonly skip?: string } {
  if (process.platform !== 'linux') return { skip: 'a small disk: only Linux has mount namespaces' };
  if (process.getuid?.() !== 0) return { skip: 'a small disk: only root may mount one' };
  return everyPeer('baresip');
}

/** Puts a file on the disk that takes whatever is left; a return frees it. */
function fillDisk(path: string): () => void {
  const file = openSync(path, 'w');
  for (const bytes of [65_536, 4096]) {
    assert.throws(
      () => {
        for (;;) writeSync(file, new Uint8Array(bytes));
      },
      { code: 'ENOSPC' },
    );
  }
  return () => {
    closeSync(file);
    rmSync(path);
  };
}

test('a full disk refuses what is new, and a live call goes on', needs(), async (t) => {
  const data = temporaryFolder(t, 'full');
  const tandem = await Tandem.start(t, {
    data,
    // The disk is seen by this process only, and goes with it.
    environment: { SMALL_DISK: data },
    inside: [
      ...['unshare', '--mount', 'sh', '-c'],
      `mount -t tmpfs -o size=${DISK_MEGABYTES}m none "$SMALL_DISK" && exec "$0" "$@"`,
    ],
    config: { phones: [{ name: 'alice', password: 'secret' }], callsPerSecond: 100 },
  });
  const application = await WebApplication.start(t);
  application.authToken = tandem.ready.authToken;
  const client = twilio(tandem.ready.accountSid, tandem.ready.authToken, { autoRetry: false });
  client.api.baseUrl = tandem.http;
  const alice = await Baresip.start(t, { user: 'alice', server: tandem.sip });

  const url = application.on('/answer', '<Gather timeout="20" numDigits="1" action="/pressed"/>');
  application.on('/pressed', '<Gather timeout="20" numDigits="1" action="/again"/>');
  application.on('/again', '<Hangup/>');
  const request = { to: `sip:alice@${tandem.sip}`, from: FROM, url };
  const call = await client.calls.create({
    ...request,
    record: true,
    statusCallback: application.on('/status', ''),
    recordingStatusCallback: application.on('/recording', ''),
    recordingStatusCallbackEvent: ['absent'],
  });
  await alice.event('CALL_ESTABLISHED');
  await application.request('/answer');
  const free = fillDisk(join('/proc', String(tandem.ready.pid), 'root', data, 'filler'));

  await t.test('creates are refused with a code and 503', async () => {
    const refusal = { status: 503, code: 20503, message: /disk of the server is full: nothing was accepted/ };
    await assert.rejects(client.calls.create(request), refusal);
    await assert.rejects(client.incomingPhoneNumbers.create({ phoneNumber: '+12025550177' }), refusal);
    const phone = await tandem.command('phone', 'add', 'bob');
    assert.deepEqual([phone.code, phone.stdout], [1, '']);
    assert.match(phone.stderr, /disk of the server is full.*\(error 20503\)/);
  });

  await t.test('what is there is read as before', async () => {
    assert.equal((await client.calls(call.sid).fetch()).status, 'in-progress');
  });

  await t.test('the live call goes on to its end', async () => {
    await alice.press('1');
    assert.equal((await application.request('/pressed')).params['Digits'], '1');
    await alice.press('2');
    assert.equal((await application.request('/again')).params['Digits'], '2');
    await alice.event('CALL_CLOSED');
    const { params } = await application.request('/status');
    assert.equal(params['CallStatus'], 'completed');
  });

  await t.test('its recording ends absent, and the application hears so', async () => {
    const { params } = await application.request('/recording');
    assert.deepEqual([params['RecordingStatus'], params['ErrorCode']], ['absent', ABSENT_BECAUSE_IT_FAILED]);
  });

  await t.test('with room again, what was refused is written down and calls are taken', async () => {
    free();
    const ended = await eventually(() => client.calls(call.sid).fetch(), {
      until: ({ status }) => status === 'completed',
      what: 'the end of the call in its record',
      withinMs: WRITTEN_AGAIN_MS,
    });
    assert.ok(Number(ended.duration) > 0, String(ended.duration));
    await eventually(() => client.recordings.list(), {
      until: ([recording]) => recording?.status === 'absent',
      what: 'the end of the recording in its record',
      withinMs: WRITTEN_AGAIN_MS,
    });
    assert.match((await client.calls.create(request)).sid, /^CA/);
  });
});
