import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HoldBack, SUMMARY_MS, type HoldBackOptions } from './hold-back.ts';
import { silentLogger, type Logger } from './logger.ts';
import { VirtualClock } from './virtual-clock.ts';

const SHAPE = { burst: 4, forgivenPerSecond: 0.01, firstMs: 10_000, longestMs: 30_000, calmMs: 1_000_000 };

function open(options: Partial<HoldBackOptions> = {}): { clock: VirtualClock; hold: HoldBack; lines: object[] } {
  const clock = new VirtualClock(1_000_000);
  const lines: object[] = [];
  const logger: Logger = { ...silentLogger, warn: (fields) => void lines.push(fields) };
  return { clock, lines, hold: new HoldBack({ door: 'test', clock, logger, shape: SHAPE, ...options }) };
}

function failUntilHeld(hold: HoldBack, source: string): number {
  for (let count = 1; count < 100; count += 1) {
    hold.fail(source);
    if (hold.waitMs(source) > 0) return count;
  }
  throw new Error('never held back');
}

test('holds back whoever used up the allowance, alone, each time twice as long up to the longest', async () => {
  const { clock, hold } = open();
  const waits: number[] = [];
  for (let times = 0; times < 4; times += 1) {
    failUntilHeld(hold, 'a');
    waits.push(hold.waitMs('a'));
    await clock.advance(hold.waitMs('a'));
    assert.equal(hold.drops('a'), false, 'it ends by itself');
  }
  assert.deepEqual(waits, [10_000, 20_000, 30_000, 30_000]);
  assert.equal(hold.drops('b'), false);
});

test('an address that the operator frees is heard at once and begins anew, and no other is', () => {
  const { hold } = open();
  for (const source of ['udp 192.0.2.1', 'tcp 192.0.2.1', 'udp 192.0.2.11']) failUntilHeld(hold, source);
  assert.deepEqual(
    hold.free('192.0.2.1').map(({ source }) => source),
    ['udp 192.0.2.1', 'tcp 192.0.2.1'],
  );
  assert.deepEqual(
    hold.view().map(({ source }) => source),
    ['udp 192.0.2.11'],
  );
  assert.deepEqual(hold.free('192.0.2.1'), []);
  assert.equal(failUntilHeld(hold, 'udp 192.0.2.1'), 4, 'with the whole allowance');
  assert.equal(hold.waitMs('udp 192.0.2.1'), 10_000, 'as for the first time');
});

test('what comes within a silence does not prolong it, and its end leaves a short patience', async () => {
  const { clock, hold } = open();
  assert.equal(failUntilHeld(hold, 'a'), 4);
  for (let index = 0; index < 50; index += 1) {
    assert.equal(hold.drops('a'), true);
    hold.fail('a');
  }
  await clock.advance(10_000);
  assert.equal(hold.drops('a'), false);
  assert.equal(failUntilHeld(hold, 'a'), 1);
});

test('a source that behaved long enough begins anew', async () => {
  const { clock, hold } = open();
  failUntilHeld(hold, 'a');
  await clock.advance(10_000 + SHAPE.calmMs + 1);
  assert.equal(failUntilHeld(hold, 'a'), 4);
  assert.equal(hold.waitMs('a'), 10_000);
});

test('a good end makes up for what looked like a failure, and a pardon for everything', () => {
  const { hold } = open();
  for (let index = 0; index < 100; index += 1) {
    hold.fail('a');
    hold.forgive('a');
  }
  assert.equal(hold.drops('a'), false);
  failUntilHeld(hold, 'a');
  hold.pardon('a');
  assert.equal(hold.drops('a'), false);
});

test('nobody is held back where the silence is 0', () => {
  const { hold } = open({ shape: { ...SHAPE, firstMs: 0 } });
  for (let index = 0; index < 100; index += 1) hold.fail('a');
  assert.equal(hold.drops('a'), false);
});

test('remembers a bounded number of sources', () => {
  const { hold } = open({ maxSources: 10 });
  failUntilHeld(hold, 'first');
  for (let index = 0; index < 10; index += 1) failUntilHeld(hold, `s${index}`);
  assert.equal(hold.view().length, 10);
  assert.equal(hold.drops('first'), false);
});

test('says what it held back in one line a period, and nothing in a quiet one', async () => {
  const { clock, hold, lines } = open();
  failUntilHeld(hold, 'a');
  for (let index = 0; index < 1_000; index += 1) hold.drops('a');
  for (let index = 0; index < 20; index += 1) hold.drop(`junk${index}`);
  assert.deepEqual(
    hold.view().map(({ source, dropped, times }) => [source, dropped, times]),
    [['a', 1_000, 1]],
  );
  await clock.advance(SUMMARY_MS);
  assert.equal(lines.length, 1);
  assert.deepEqual(lines[0], {
    door: 'test',
    held: 0,
    dropped: 1_020,
    sources: { a: 1_000, junk0: 1, junk1: 1, junk2: 1, junk3: 1 },
  });
  await clock.advance(SUMMARY_MS * 3);
  assert.equal(lines.length, 1);
});
