import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { amplitudeOf } from './goertzel.ts';
import { Resampler } from './resample.ts';

function sine(hertz: number, sampleRate: number, seconds = 1): Float32Array {
  return Float32Array.from({ length: sampleRate * seconds }, (_, i) =>
    Math.sin((2 * Math.PI * hertz * i) / sampleRate),
  );
}

function convert(input: Float32Array, from: number, to: number, chunk = input.length): Float32Array {
  const resampler = new Resampler(from, to);
  const parts: Float32Array[] = [];
  for (let at = 0; at < input.length; at += chunk) parts.push(resampler.push(input.subarray(at, at + chunk)));
  parts.push(resampler.end());
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

/** Without the ends, where the filter sees the silence around. */
function middle(samples: Float32Array, sampleRate: number): Float32Array {
  return samples.subarray(sampleRate / 4, (3 * sampleRate) / 4);
}

const decibels = (amplitude: number): number => 20 * Math.log10(Math.max(amplitude, 1e-9));

for (const from of [48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 11_025]) {
  test(`brings ${from} Hz to 8 kHz: speech passes at its level, what is above the band does not`, () => {
    for (const hertz of [300, 1000, 3000, 3400]) {
      const output = convert(sine(hertz, from), from, 8000);
      assert.equal(output.length, 8000);
      assert.ok(Math.abs(decibels(amplitudeOf(hertz, middle(output, 8000), 8000))) < 0.5, `${hertz} Hz`);
    }
    for (const hertz of [4400, 5000, 5400]) {
      const alias = 8000 - hertz;
      const level = decibels(amplitudeOf(alias, middle(convert(sine(hertz, from), from, 8000), 8000), 8000));
      assert.ok(level < -50, `${hertz} Hz comes through as ${alias} Hz at ${level} dB`);
    }
  });
}

for (const [from, to] of [
  [8000, 16_000],
  [8000, 48_000],
  [8000, 44_100],
  [44_101, 8000],
  [12_345, 8000],
] as const) {
  test(`brings ${from} Hz to ${to} Hz`, () => {
    const output = convert(sine(1000, from), from, to);
    assert.equal(output.length, to);
    assert.ok(Math.abs(decibels(amplitudeOf(1000, middle(output, to), to))) < 0.5);
    const rest = middle(output, to).map((value, i) => value - Math.sin((2 * Math.PI * 1000 * (i + to / 4)) / to));
    assert.ok(decibels(Math.max(...rest.map((value) => Math.abs(value)))) < -40);
  });
}

test('does not shift the sound in time', () => {
  const impulse = new Float32Array(48_000);
  impulse[24_000] = 1;
  const output = convert(impulse, 48_000, 8000);
  assert.equal(output.indexOf(Math.max(...output)), 4000);
});

test('gives the same samples however the input is cut', () => {
  const input = sine(700, 22_050, 0.2);
  const whole = convert(input, 22_050, 8000);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3000 }), (chunk) => {
      assert.deepEqual(convert(input, 22_050, 8000, chunk), whole);
    }),
    { numRuns: 20 },
  );
});

test('gives ceil(n × to / from) samples for any n', () => {
  fc.assert(
    fc.property(fc.nat(3000), fc.constantFrom(8000, 11_025, 44_100, 48_000), (length, from) => {
      assert.equal(convert(new Float32Array(length), from, 8000).length, Math.ceil((length * 8000) / from));
    }),
    { numRuns: 60 },
  );
});

test('passes equal rates through untouched', () => {
  const input = sine(1000, 8000, 0.1);
  assert.deepEqual(convert(input, 8000, 8000, 77), input);
});
