import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { freshUntil, SoundCache } from './sound-cache.ts';

suite('SoundCache', () => {
  let directory = '';
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'tandem-sounds-'))));
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const about = { freshUntilMs: 0, etag: undefined, lastModified: undefined };
  const open = (clock: VirtualClock, maxBytes = 100): SoundCache =>
    new SoundCache({ directory: join(directory, 'sounds'), clock, random: seededRandom(1), maxBytes });

  test('keeps bytes as a file', async () => {
    const cache = open(new VirtualClock());
    const path = await cache.put('a', Uint8Array.of(1, 2, 3), about);
    assert.ok(path !== undefined);
    assert.deepEqual([...readFileSync(path)], [1, 2, 3]);
    assert.equal(cache.get('a')?.path, path);
    assert.equal(cache.get('b'), undefined);
  });

  test('removes the longest unused to make room, never what may be playing', async () => {
    const clock = new VirtualClock();
    const cache = open(clock);
    const first = await cache.put('a', new Uint8Array(60), about);
    assert.ok(first !== undefined);
    assert.equal(await cache.put('b', new Uint8Array(60), about), undefined);
    assert.ok(existsSync(first));
    await clock.advance(3_600_000);
    assert.ok((await cache.put('b', new Uint8Array(60), about)) !== undefined);
    assert.ok(!existsSync(first));
    assert.equal(cache.get('a'), undefined);
  });

  test('a replaced file stays while it may be playing', async () => {
    const clock = new VirtualClock();
    const cache = open(clock);
    const old = await cache.put('a', new Uint8Array(30), about);
    const replacement = await cache.put('a', new Uint8Array(30), about);
    assert.ok(old !== undefined && existsSync(old));
    assert.equal(cache.get('a')?.path, replacement);
    await clock.advance(3_600_000);
    await cache.put('b', new Uint8Array(1), about);
    assert.ok(!existsSync(old));
  });

  test('a sound that cannot be kept leaves nothing behind', async () => {
    const cache = open(new VirtualClock());
    const taken = await cache.put('a', new Uint8Array(10), about);
    assert.ok(taken !== undefined);
    // The same seed gives the same names: where the second sound would go stands a folder.
    const again = new SoundCache({ directory, clock: new VirtualClock(), random: seededRandom(1), maxBytes: 100 });
    await again.put('a', new Uint8Array(10), about);
    const second = await again.put('b', new Uint8Array(10), about);
    assert.ok(second !== undefined);
    mkdirSync(join(directory, 'sounds', basename(second)));
    await assert.rejects(cache.put('b', new Uint8Array(60), about));
    const left = readdirSync(join(directory, 'sounds'));
    assert.deepEqual(
      left.filter((name) => name.endsWith('.part')),
      [],
    );
    assert.ok((await cache.put('c', new Uint8Array(90), about)) !== undefined, 'its room is free again');
  });

  test('files of an earlier process are removed, others are left', async () => {
    const first = await open(new VirtualClock()).put('a', new Uint8Array(1), about);
    assert.ok(first !== undefined);
    const foreign = join(directory, 'sounds', 'notes.txt');
    writeFileSync(foreign, 'mine');
    await new SoundCache({
      directory: join(directory, 'sounds'),
      clock: new VirtualClock(),
      random: seededRandom(2),
    }).put('b', new Uint8Array(1), about);
    assert.ok(!existsSync(first));
    assert.ok(existsSync(foreign));
  });
});

test('freshness is what the response says, and nothing where it says nothing', () => {
  const now = 1_000_000;
  const cases: readonly (readonly [Record<string, string>, number])[] = [
    [{}, now],
    [{ 'cache-control': 'public, max-age=60' }, now + 60_000],
    [{ 'cache-control': 'max-age=60', age: '20' }, now + 40_000],
    [{ 'cache-control': 'max-age=60, no-store' }, now],
    [{ 'cache-control': 'no-cache' }, now],
    [{ date: 'Thu, 01 Jan 2026 00:00:00 GMT', expires: 'Thu, 01 Jan 2026 00:01:00 GMT' }, now + 60_000],
    [{ expires: '0' }, now],
    [{ 'cache-control': 'max-age=-1' }, now],
  ];
  for (const [headers, expected] of cases) assert.equal(freshUntil(headers, now), expected, JSON.stringify(headers));
});
