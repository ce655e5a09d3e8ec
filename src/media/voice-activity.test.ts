import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { toneSamples } from './tone.ts';
import { levelDb, VoiceActivity } from './voice-activity.ts';

const RATE = 8000;
const FRAME = 160;
const random = seededRandom(3);

function noise(ms: number, peak: number): Int16Array {
  return Int16Array.from({ length: ms * 8 }, () =>
    Math.round((((random.bytes(1)[0] as number) - 127.5) / 127.5) * peak),
  );
}

/** Share of the frames that count as sound. */
function share(activity: VoiceActivity, samples: Int16Array): number {
  let sound = 0;
  for (let at = 0; at + FRAME <= samples.length; at += FRAME) {
    if (activity.push(samples.subarray(at, at + FRAME))) sound += 1;
  }
  return sound / Math.floor(samples.length / FRAME);
}

test('counts digital silence and a quiet line as silence, for as long as it lasts', () => {
  const activity = new VoiceActivity({ sampleRate: RATE });
  assert.equal(share(activity, new Int16Array(RATE)), 0);
  assert.equal(share(activity, noise(2000, 40)), 0);
  assert.equal(activity.silentMs, 3000);
  assert.equal(activity.heard, false);
});

test('takes a tone for sound however long it holds', () => {
  const activity = new VoiceActivity({ sampleRate: RATE });
  const tone = toneSamples({ hertz: [900], durationMs: 20_000, sampleRate: RATE, level: -25 });
  assert.ok(share(activity, tone) > 0.99);
  assert.equal(activity.silentMs, 0);
  assert.ok(activity.heard);
});

test('learns a steady background and still hears what stands above it', () => {
  const activity = new VoiceActivity({ sampleRate: RATE });
  share(activity, noise(6000, 500));
  assert.ok(share(activity, noise(2000, 500)) < 0.05);
  assert.ok(share(activity, noise(1000, 5000)) > 0.9);
});

test('counts the silence from the last sound, and bridges the gaps between words', () => {
  const activity = new VoiceActivity({ sampleRate: RATE });
  const word = toneSamples({ hertz: [300, 700], durationMs: 200, sampleRate: RATE });
  assert.ok(share(activity, word) > 0.8);
  assert.equal(share(activity, new Int16Array(FRAME * 5)), 1);
  share(activity, new Int16Array(FRAME * 45));
  assert.equal(activity.silentMs, 1000);
});

test('ignores a single click and a constant offset', () => {
  const activity = new VoiceActivity({ sampleRate: RATE });
  share(activity, new Int16Array(FRAME * 10));
  assert.equal(share(activity, new Int16Array(FRAME * 10).fill(3000)), 0);
  const click = new Int16Array(FRAME * 10);
  click[800] = 30_000;
  assert.equal(share(activity, click), 0);
});

test('measures level against full scale', () => {
  const square = Int16Array.from({ length: FRAME }, (_, i) => (i % 2 === 0 ? 32_767 : -32_767));
  assert.ok(Math.abs(levelDb(square)) < 0.01);
  assert.equal(levelDb(new Int16Array(FRAME)), -100);
});
