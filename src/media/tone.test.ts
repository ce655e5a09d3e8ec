import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amplitudeOf } from '../wire/sound/goertzel.ts';
import { callProgressTone, dtmfHertz, dtmfTone, ToneGenerator, toneSamples } from './tone.ts';

const RATE = 8000;

test('makes a tone of the frequency and the level that was asked for', () => {
  for (const sampleRate of [8000, 16_000, 48_000]) {
    const samples = toneSamples({ hertz: [1000], durationMs: 500, sampleRate, level: -13 });
    assert.equal(samples.length, sampleRate / 2);
    const middle = samples.subarray(sampleRate / 10, sampleRate / 10 + sampleRate / 5);
    // -13 dBm0 is 16.17 dB below a full-scale sine.
    const wanted = 32_767 * 10 ** (-16.17 / 20);
    assert.ok(Math.abs(amplitudeOf(1000, middle, sampleRate) / wanted - 1) < 0.01);
    assert.ok(amplitudeOf(1300, middle, sampleRate) < wanted / 100);
  }
});

test('keeps the level of a sum the same however many parts it has', () => {
  const rms = (hertz: number[]): number => {
    const samples = toneSamples({ hertz, durationMs: 1000, sampleRate: RATE });
    return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
  };
  assert.ok(Math.abs(rms([400]) / rms([400, 900, 1700]) - 1) < 0.02);
});

test('starts and ends without a click', () => {
  const samples = toneSamples({ hertz: [1000], durationMs: 100, sampleRate: RATE, level: 0 });
  assert.ok(Math.abs(samples[1] as number) < 2500 && Math.abs(samples.at(-2) as number) < 2500);
});

test('goes on and off in its cadence, across frames of any length', () => {
  const tone = new ToneGenerator({ hertz: [425], cadenceMs: [480, 480], sampleRate: RATE });
  const samples = new Int16Array(RATE * 2);
  for (let at = 0; at < samples.length; at += 160) assert.equal(tone.fill(samples.subarray(at, at + 160)), 160);
  const loud = (fromMs: number, toMs: number): number =>
    Math.max(...samples.subarray(fromMs * 8, toMs * 8).map((value) => Math.abs(value)));
  assert.ok(loud(0, 480) > 4000 && loud(960, 1440) > 4000);
  assert.equal(loud(480, 960), 0);
  assert.equal(loud(1440, 1920), 0);
});

test('says where the tone ends within a frame, and fills the rest with silence', () => {
  const tone = new ToneGenerator({ hertz: [700], durationMs: 25, sampleRate: RATE });
  const frame = new Int16Array(160).fill(1);
  assert.equal(tone.fill(frame), 160);
  assert.equal(tone.fill(frame.fill(1)), 40);
  assert.ok(frame.subarray(40).every((value) => value === 0));
  assert.equal(tone.fill(frame), 0);
});

test('gives each key the two frequencies of Q.23, and no other', () => {
  assert.deepEqual(dtmfHertz('5'), [770, 1336]);
  assert.deepEqual(dtmfHertz('#'), [941, 1477]);
  assert.deepEqual(dtmfHertz('d'), [941, 1633]);
  assert.equal(dtmfHertz('w'), undefined);
  assert.equal(dtmfTone('', 100, RATE), undefined);
});

test('knows the network sounds of some countries and gives the others those of the US', () => {
  assert.deepEqual(callProgressTone('busy', 'DE').hertz, [425]);
  assert.deepEqual(callProgressTone('ringback', 'xx'), callProgressTone('ringback', 'us'));
});
