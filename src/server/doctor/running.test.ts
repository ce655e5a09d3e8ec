import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { suite, test } from 'node:test';
import { atEnd } from '../../testkit/scope.ts';
import { Tandem } from '../../testkit/tandem-process.ts';
import {
  examineRunning,
  heldBackFinding,
  mediaFinding,
  phonesFinding,
  trunkFinding,
  webhookFindings,
} from './running.ts';

suite('doctor, of the server that runs', () => {
  test('asks it for its media, phones, trunks and the hosts of its webhooks', async (t) => {
    const tandem = await Tandem.start(t, {
      config: {
        phones: [{ name: 'alice', password: 'secret' }],
        trunks: [{ name: 'line', uri: 'sip:127.0.0.1:9' }],
        numbers: [{ phoneNumber: '+12025550100', voiceUrl: 'http://127.0.0.1:1/voice' }],
      },
    });
    const { pid, http, accountSid, authToken } = tandem.ready;
    const all = await examineRunning({ pid, url: http, accountSid, authToken });
    assert.deepEqual(
      all.map(({ subject, level }) => [subject, level]),
      [
        ['server', 'ok'],
        ['media', 'ok'],
        ['phones', 'warning'],
        ['trunk line', 'ok'],
        ['strangers', 'ok'],
        ['webhooks', 'warning'],
      ],
    );
  });

  test('says that the process of the run file does not answer', async () => {
    const run = { pid: process.pid, url: 'http://127.0.0.1:1', accountSid: 'AC1', authToken: 't' };
    const [only, ...rest] = await examineRunning(run);
    assert.deepEqual([only?.level, rest], ['error', []]);
    assert.match(only?.text ?? '', new RegExp(`process ${process.pid} .*tandem up`));
  });

  test('says when the sound is late, and when no call is taken', () => {
    const status = (latenessMs: number, accepting: boolean): Parameters<typeof mediaFinding>[0] => ({
      liveCalls: 0,
      media: { legs: 2, latenessMs, accepting },
    });
    assert.equal(mediaFinding(status(2, true)).level, 'ok');
    assert.equal(mediaFinding(status(45, true)).level, 'warning');
    assert.equal(mediaFinding(status(45, false)).level, 'error');
  });

  test('names who is held back, until when, and how much was dropped', () => {
    const held = { door: 'SIP', source: 'udp 192.0.2.1', until: 0, times: 2, dropped: 7 };
    const { level, text } = heldBackFinding(Array.from({ length: 12 }, () => held));
    assert.equal(level, 'warning');
    assert.match(
      text,
      /^held back: udp 192\.0\.2\.1 \(SIP\) until 1970-01-01T00:00:00\.000Z, time 2, 7 requests dropped;/,
    );
    assert.match(text, /; and 2 more/);
  });

  test('names the phones that are not registered, and the trunks that do not work', () => {
    const [here, away] = [
      { name: 'alice', contacts: [{}] },
      { name: 'bob', contacts: [] },
    ];
    assert.match(phonesFinding([here, away]).text, /: bob /);
    assert.equal(phonesFinding([here]).level, 'ok');
    assert.equal(phonesFinding([]).level, 'ok');
    const trunk = { name: 'line', register: true };
    assert.equal(trunkFinding({ ...trunk, state: 'registered at 192.0.2.1' }).level, 'ok');
    assert.equal(trunkFinding({ ...trunk, state: 'failed at 192.0.2.1' }).level, 'warning');
    assert.equal(trunkFinding({ ...trunk, register: false, state: 'at 192.0.2.1' }).level, 'ok');
    assert.equal(trunkFinding({ ...trunk, register: false, state: 'line.example does not resolve' }).level, 'warning');
  });

  test('knows an application that takes connections from one that does not, and asks each once', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    atEnd(t, () => void server.close());
    const here = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const handlings = [
      { voice_url: `${here}/a`, status_callback: `${here}/b`, voice_fallback_url: null },
      { voice_url: 'http://127.0.0.1:1/', status_callback: 'no url' },
    ];
    const levels = (await webhookFindings(handlings)).map(({ level, text }) => [level, text.split(' ')[0]]);
    assert.deepEqual(levels, [
      ['ok', here],
      ['warning', 'http://127.0.0.1:1'],
    ]);
  });
});
