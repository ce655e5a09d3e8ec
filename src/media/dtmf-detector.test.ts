import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { DtmfDetector, type DetectedKey } from './dtmf-detector.ts';
import { decodeG711, encodeG711 } from '../wire/sound/g711.ts';
import { saturate } from './mixer.ts';
import { dtmfHertz, dtmfTone, toneSamples } from './tone.ts';

const RATE = 8000;
const KEYS = '0123456789*#ABCD';

function joined(...parts: readonly Int16Array[]): Int16Array {
  const all = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function silence(ms: number, sampleRate = RATE): Int16Array {
  return new Int16Array((ms * sampleRate) / 1000);
}

function keyTone(key: string, ms: number, sampleRate = RATE): Int16Array {
  return toneSamples({
    ...(dtmfTone(key, ms, sampleRate) as { hertz: [number, number]; sampleRate: number }),
    durationMs: ms,
  });
}

function detect(samples: Int16Array, sampleRate = RATE): DetectedKey[] {
  const detector = new DtmfDetector({ sampleRate });
  const frame = sampleRate / 50;
  const keys: DetectedKey[] = [];
  for (let at = 0; at < samples.length; at += frame) keys.push(...detector.push(samples.subarray(at, at + frame)));
  return keys;
}

const heard = (samples: Int16Array, sampleRate = RATE): string =>
  detect(samples, sampleRate)
    .map(({ key }) => key)
    .join('');

test('hears every key, at 8 and at 16 kHz, and after G.711', () => {
  for (const sampleRate of [8000, 16_000]) {
    const parts = [...KEYS].flatMap((key) => [keyTone(key, 80, sampleRate), silence(60, sampleRate)]);
    assert.equal(heard(joined(...parts), sampleRate), KEYS);
  }
  const sound = joined(...[...KEYS].flatMap((key) => [keyTone(key, 80), silence(60)]));
  for (const codec of ['PCMU', 'PCMA'] as const) {
    const bytes = new Uint8Array(sound.length);
    encodeG711(codec, sound, bytes);
    decodeG711(codec, bytes, sound);
    assert.equal(heard(sound), KEYS);
  }
});

test('hears presses of 45 ms wherever they fall, and tells their length', () => {
  for (let offset = 0; offset < 13; offset++) {
    const keys = detect(joined(silence(offset), keyTone('5', 45), silence(100)));
    assert.deepEqual(
      keys.map(({ key }) => key),
      ['5'],
    );
  }
  const [key] = detect(joined(silence(20), keyTone('8', 300), silence(100)));
  assert.ok(key !== undefined && Math.abs(key.durationMs - 300) < 30, String(key?.durationMs));
});

test('refuses presses of 20 ms', () => {
  for (let offset = 0; offset < 13; offset++)
    assert.equal(heard(joined(silence(offset), keyTone('5', 20), silence(100))), '');
});

test('takes a press with a short break as one, and two presses of one key as two', () => {
  assert.equal(heard(joined(keyTone('1', 100), silence(8), keyTone('1', 100), silence(100))), '1');
  assert.equal(heard(joined(keyTone('1', 60), silence(60), keyTone('1', 60), silence(100))), '11');
});

test('takes the twist that lines bring, and no more', () => {
  const pair = (levels: readonly number[]): Int16Array =>
    joined(toneSamples({ hertz: dtmfHertz('6') ?? [], levels, durationMs: 80, sampleRate: RATE }), silence(60));
  assert.equal(heard(pair([-10, -16])), '6');
  assert.equal(heard(pair([-14, -10])), '6');
  assert.equal(heard(pair([-8, -22])), '');
  assert.equal(heard(pair([-22, -8])), '');
});

test('takes frequencies 1.5 % off, and refuses those 3.5 % off', () => {
  const shifted = (share: number): Int16Array => {
    const hertz = (dtmfHertz('3') ?? []).map((frequency) => frequency * (1 + share));
    return joined(toneSamples({ hertz, level: -10, durationMs: 100, sampleRate: RATE }), silence(60));
  };
  for (const share of [-0.015, 0.015]) assert.equal(heard(shifted(share)), '3');
  for (const share of [-0.035, 0.035]) assert.equal(heard(shifted(share)), '');
});

test('hears keys through noise 20 dB below, and nothing in noise alone', () => {
  const random = seededRandom(7);
  const noise = (samples: number, peak: number): Int16Array =>
    Int16Array.from({ length: samples }, () => (((random.bytes(1)[0] as number) - 127.5) / 127.5) * peak);
  const sound = joined(...[...KEYS].flatMap((key) => [keyTone(key, 80), silence(80)]));
  const hiss = noise(sound.length, 1500);
  assert.equal(heard(sound.map((value, i) => saturate(value + (hiss[i] as number)))), KEYS);
  assert.equal(heard(noise(RATE * 10, 20_000)), '');
});

test('is not talked into keys by other tones, chords and sweeps', () => {
  for (const hertz of [[350, 440], [440, 480], [480, 620], [697], [1209], [600, 900], [941, 697], [697, 1209, 1000]]) {
    assert.equal(
      heard(joined(toneSamples({ hertz, level: -6, durationMs: 500, sampleRate: RATE }), silence(60))),
      '',
      hertz.join(),
    );
  }
  const sweep = Int16Array.from({ length: RATE * 4 }, (_, i) => {
    const time = i / RATE;
    const phase = 2 * Math.PI * (100 * time + 150 * time * time);
    // A voice: a gliding tone with falling harmonics.
    return 6000 * (Math.sin(phase) + 0.6 * Math.sin(2 * phase) + 0.4 * Math.sin(3 * phase) + 0.2 * Math.sin(4 * phase));
  });
  assert.equal(heard(sweep), '');
});
