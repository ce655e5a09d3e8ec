import assert from 'node:assert/strict';
import { it } from 'node:test';
import { VirtualClock } from '../base/virtual-clock.ts';
import { FRAME_LIMITS, PacketLimit } from './packet-limit.ts';

const FRAME = new Uint8Array(172);

it('admits so many packets in a second, none that is too long, and as many again in the next', async () => {
  const clock = new VirtualClock(0);
  const limit = new PacketLimit(clock, FRAME_LIMITS);
  const admitted = (): number => Array.from({ length: 1_000 }, () => limit.admits(FRAME)).filter(Boolean).length;
  assert.equal(limit.admits(new Uint8Array(FRAME_LIMITS.bytes + 1)), false);
  assert.equal(admitted(), FRAME_LIMITS.perSecond);
  await clock.advance(999);
  assert.equal(admitted(), 0);
  await clock.advance(1);
  assert.equal(admitted(), FRAME_LIMITS.perSecond);
});
