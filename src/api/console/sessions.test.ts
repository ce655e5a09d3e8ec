import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { SESSION_IDLE_MS, Sessions } from './sessions.ts';
import { VisitorPace } from './visitor-pace.ts';

function scene() {
  const clock = new VirtualClock(1_800_000_000_000);
  const sessions = new Sessions(clock, seededRandom(1));
  const open = (): string => sessions.open({ secure: false }).split(';', 1)[0] ?? '';
  return { clock, sessions, open };
}

suite('sessions', () => {
  test('no script sees the cookie, no other site sends it, and over TLS it stays there', () => {
    const { sessions } = scene();
    assert.match(
      sessions.open({ secure: true }),
      /^tandem_session=[0-9a-f]{64}; Path=\/console; HttpOnly; SameSite=Strict; Max-Age=43200; Secure$/,
    );
  });

  test('end when they are not used, when they are closed, and never begin by a guess', async () => {
    const { clock, sessions, open } = scene();
    const cookie = open();
    await clock.advance(SESSION_IDLE_MS - 1);
    assert.ok(sessions.has(`other=1; ${cookie}`));
    await clock.advance(SESSION_IDLE_MS - 1);
    assert.ok(sessions.has(cookie), 'each use renews it');
    await clock.advance(SESSION_IDLE_MS);
    assert.equal(sessions.has(cookie), false);
    const closed = open();
    sessions.close(closed);
    assert.equal(sessions.has(closed), false);
    assert.equal(sessions.has(`tandem_session=${'0'.repeat(64)}`), false);
    assert.equal(sessions.has(undefined), false);
  });

  test('are bounded: a new one ends the one that was used longest ago', () => {
    const { sessions, open } = scene();
    const [first, second] = [open(), open()];
    assert.ok(sessions.has(first));
    for (let more = 0; more < 999; more += 1) open();
    assert.ok(sessions.has(first));
    assert.equal(sessions.has(second), false);
  });
});

test('an address that asks too often waits, and no other does', async () => {
  const clock = new VirtualClock(0);
  const pace = new VisitorPace(clock, { ratePerSecond: 1, burst: 2 });
  pace.take('a');
  pace.take('a');
  assert.throws(() => pace.take('a'), { status: 429, headers: { 'retry-after': '1' } });
  pace.take('b');
  await clock.advance(1000);
  pace.take('a');
});
