import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  align,
  alignFollowing,
  dominantHertz,
  longestGapMs,
  resample,
  rms,
  secondsOfTone,
  shareAt,
} from './sound-measure.ts';
import { encodeWav, mono, readWav, throughMulaw, toneSamples } from './wav.ts';

const SECOND = 8000;

/** Noise in syllables of 200 ms with pauses of 100 ms, the same for the same seed. */
function babble(seconds: number, seed = 1): Float64Array {
  let state = seed;
  return Float64Array.from({ length: seconds * SECOND }, (_, i) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (i / 8) % 300 < 200 ? (state / 2 ** 32 - 0.5) * 0.6 : 0;
  });
}

function join(...parts: readonly Float64Array[]): Float64Array {
  return Float64Array.from(parts.flatMap((part) => [...part]));
}

const silence = (seconds: number): Float64Array => new Float64Array(Math.round(seconds * SECOND));

test('a tone is written, read back, and found at its frequency', () => {
  const heard = mono(readWav(encodeWav(toneSamples({ hertz: 594.5, seconds: 1 }))));
  assert.ok(Math.abs(dominantHertz(heard) - 594.5) < 1.5, `${dominantHertz(heard)}`);
  assert.ok(shareAt(heard, 594.5) > 0.95);
  assert.ok(shareAt(heard, 900) < 0.01);
  assert.ok(Math.abs(rms(heard) - 0.4 / Math.SQRT2) < 0.01);
});

test('the share of a tone is measured beside another one', () => {
  const low = toneSamples({ hertz: 600, seconds: 1, amplitude: 0.4 });
  const high = toneSamples({ hertz: 900, seconds: 1, amplitude: 0.2 });
  const both = low.map((value, i) => value + high[i]!);
  assert.ok(Math.abs(shareAt(both, 600) - 0.8) < 0.03);
  assert.ok(Math.abs(shareAt(both, 900) - 0.2) < 0.03);
});

test('a lost packet hardly changes the share of a tone', () => {
  const tone = toneSamples({ hertz: 600, seconds: 1 });
  const cut = join(tone.subarray(0, 4003), tone.subarray(4163));
  assert.ok(shareAt(cut, 600) > 0.9);
});

test('the time of a tone is told apart from the silence and the noise around it', () => {
  const heard = join(silence(0.5), toneSamples({ hertz: 900, seconds: 1 }), babble(1));
  assert.ok(Math.abs(secondsOfTone(heard, 900) - 1) <= 0.1, `${secondsOfTone(heard, 900)}`);
  assert.equal(secondsOfTone(heard, 600), 0);
});

test('finds speech in a longer recording that a telephone line has passed', () => {
  const speech = babble(2);
  const heard = throughMulaw(join(silence(0.4), speech, silence(0.7)).map((value) => value * 0.5));
  const { correlation, lag } = align(heard, speech);
  assert.ok(correlation > 0.98, `${correlation}`);
  assert.equal(lag, 0.4 * SECOND);
});

test('other speech, and no speech, do not correlate', () => {
  assert.ok(align(join(silence(0.4), babble(2, 7), silence(1)), babble(2)).correlation < 0.3);
  assert.equal(align(silence(3), babble(2)).correlation, 0);
});

test('a recording that ends early correlates with the part that is there', () => {
  const { correlation } = align(babble(2).subarray(0, 1.5 * SECOND), babble(2));
  assert.ok(correlation > 0.8 && correlation < 0.95, `${correlation}`);
});

test('a hole inside a syllable is a gap of its length, a pause of the reference is none', () => {
  const speech = babble(2);
  assert.equal(longestGapMs(join(silence(0.1), speech), speech, 0.1 * SECOND), 0);
  const holed = speech.map((value, i) => (i >= 4880 && i < 5520 ? 0 : value));
  assert.equal(longestGapMs(holed, speech, 0), 80);
});

test('resampling keeps a tone and its level', () => {
  const wide = toneSamples({ hertz: 600, seconds: 0.5, sampleRate: 22_050 });
  const narrow = resample(wide, 22_050, 8000);
  assert.ok(Math.abs(dominantHertz(narrow) - 600) < 1.5);
  assert.ok(Math.abs(rms(narrow) / rms(wide) - 1) < 0.02);
});

test('resampling takes away what the lower rate cannot carry', () => {
  const narrow = resample(toneSamples({ hertz: 6000, seconds: 0.5, sampleRate: 22_050 }), 22_050, 8000);
  assert.ok(rms(narrow) < 0.01, `${rms(narrow)}`);
});

test('a stereo WAV is split into its channels', () => {
  const interleaved = Float64Array.from([0.1, -0.2, 0.3, -0.4]);
  const bytes = encodeWav(interleaved);
  bytes.writeUInt16LE(2, 22);
  const { channels } = readWav(bytes);
  assert.deepEqual(
    channels.map((channel) => [...channel].map((value) => Math.round(value * 10) / 10)),
    [
      [0.1, 0.3],
      [-0.2, -0.4],
    ],
  );
});

test('speech is followed over the shifts of a jitter buffer; other speech, and half of it, are not taken for it', () => {
  const speech = babble(4);
  const shifted = join(
    silence(0.3),
    speech.subarray(0, 9000),
    silence(0.02),
    speech.subarray(9000, 20_000),
    speech.subarray(20_160),
  );
  const { correlation, lag } = alignFollowing(shifted, speech);
  assert.ok(correlation > 0.95 && lag === 2400, `${correlation} at ${lag}`);
  assert.ok(align(shifted, speech).correlation < 0.8);
  assert.ok(alignFollowing(babble(6, 7), speech).correlation < 0.4);
  const half = alignFollowing(join(silence(0.3), speech.subarray(0, 16_000), silence(3)), speech).correlation;
  assert.ok(half < 0.6, `${half}`);
  assert.ok(alignFollowing(silence(6), speech).correlation < 0.01);
});
