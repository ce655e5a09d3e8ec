import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { parseRange } from '../recording-sound.ts';
import { ApiUnderTest } from './api-under-test.ts';

const SOUND = Uint8Array.from({ length: 1000 }, (_, n) => n % 251);
const BLOB = 'cd'.repeat(32);

describe('the sound of a recording', () => {
  let api: ApiUnderTest;
  let path: string;
  before(async () => {
    api = await ApiUnderTest.open();
    const recording = await api.insertRecording({ blobId: BLOB });
    api.writeSound(BLOB, SOUND);
    path = `${api.parts.url}/2010-04-01/Accounts/${api.parts.account.sid}/Recordings/${recording.sid}`;
  });
  after(() => api.close());

  const bytes = async (response: Response) => new Uint8Array(await response.arrayBuffer());

  it('is there with .wav and without a suffix; .json is the resource', async () => {
    for (const suffix of ['', '.wav']) {
      const response = await fetch(`${path}${suffix}`);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-type'), 'audio/x-wav');
      assert.equal(response.headers.get('accept-ranges'), 'bytes');
      assert.deepEqual(await bytes(response), SOUND);
    }
    const head = await fetch(`${path}.wav`, { method: 'HEAD' });
    assert.deepEqual([head.status, head.headers.get('content-length')], [200, '1000']);
    assert.equal((await fetch(`${path}.json`)).status, 401);
  });

  it('comes in parts', async () => {
    for (const [range, status, want] of [
      ['bytes=0-99', 206, SOUND.slice(0, 100)],
      ['bytes=990-', 206, SOUND.slice(990)],
      ['bytes=-10', 206, SOUND.slice(990)],
      ['bytes=990-5000', 206, SOUND.slice(990)],
      ['bytes=5-4', 200, SOUND],
      ['bytes=0-1,5-6', 200, SOUND],
      ['lines=1-2', 200, SOUND],
    ] as const) {
      const response = await fetch(`${path}.wav`, { headers: { range } });
      assert.equal(response.status, status, range);
      assert.deepEqual(await bytes(response), want, range);
    }
    const part = await fetch(`${path}.wav`, { headers: { range: 'bytes=100-199' } });
    assert.equal(part.headers.get('content-range'), 'bytes 100-199/1000');
    await part.arrayBuffer();
    const beyond = await fetch(`${path}.wav`, { headers: { range: 'bytes=1000-' } });
    assert.deepEqual([beyond.status, beyond.headers.get('content-range')], [416, 'bytes */1000']);
    await beyond.text();
  });

  it('is not sent again to one who has it', async () => {
    const etag = (await fetch(path, { method: 'HEAD' })).headers.get('etag') ?? '';
    assert.equal((await fetch(path, { headers: { 'if-none-match': etag } })).status, 304);
    const other = await fetch(path, { headers: { range: 'bytes=0-9', 'if-range': '"other"' } });
    assert.equal(other.status, 200);
    await other.arrayBuffer();
  });

  it('is kept as WAV only, and says so', async () => {
    const response = await fetch(`${path}.mp3`);
    assert.deepEqual([response.status, ((await response.json()) as { code: number }).code], [406, 20406]);
  });

  it('credentials that are given must be right', async () => {
    const response = await fetch(path, { headers: { authorization: 'Basic eDp5' } });
    assert.equal(response.status, 401);
    await response.text();
  });

  it('wants credentials where the operator says so', async () => {
    const closed = await ApiUnderTest.open({ openRecordings: false });
    const recording = await closed.insertRecording({ blobId: BLOB });
    closed.writeSound(BLOB, SOUND);
    const url = `${closed.parts.url}/2010-04-01/Accounts/${closed.parts.account.sid}/Recordings/${recording.sid}`;
    const anonymous = await fetch(url);
    assert.equal(anonymous.status, 401);
    await anonymous.text();
    const known = await closed.get(`/Recordings/${recording.sid}.wav`);
    assert.deepEqual(await bytes(known), SOUND);
    await closed.close();
  });

  it('is not there while the recording has none, nor for another account', async () => {
    const running = await api.insertRecording({ status: 'in-progress' });
    for (const url of [
      path.replace(/RE.*$/, running.sid),
      path.replace(/AC[0-9a-f]+/, `AC${'0'.repeat(32)}`),
      path.replace(/RE.*$/, 'REx'),
    ]) {
      const response = await fetch(url);
      assert.equal(response.status, 404);
      await response.text();
    }
  });

  it('a range that is taken lies within the sound', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^bytes=\d{0,6}-\d{0,6}$/), fc.nat(100_000), (header, size) => {
        const range = parseRange(header, size);
        if (range === undefined || range === 'unsatisfiable') return;
        assert.ok(range.start >= 0 && range.start <= range.end && range.end < size, JSON.stringify(range));
      }),
    );
  });
});
