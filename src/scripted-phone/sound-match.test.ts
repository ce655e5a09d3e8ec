import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FRAME_SAMPLES } from '../media/sound-format.ts';
import { murmurOf } from './murmur.ts';
import { ArrivedSound, REAL_TIME_RULES, SoundMatch, type MatchRules, type MatchState } from './sound-match.ts';

const SOUND = murmurOf('Welcome to the bakery');
const WINDOW = { before: 0, after: 4000 };

/** What becomes of the sound when this arrives, frame by frame. */
function outcome(
  arriving: Int16Array,
  rules?: MatchRules,
): {
  readonly state: MatchState;
  readonly heardMs: number;
  readonly offset: number;
} {
  const arrived = new ArrivedSound();
  const match = new SoundMatch(SOUND, 0, { ...WINDOW, ...rules });
  for (let at = 0; at < arriving.length; at += FRAME_SAMPLES) {
    arrived.push(arriving.subarray(at, at + FRAME_SAMPLES));
    match.update(arrived);
  }
  const { state, heardMs, offset } = match;
  return { state, heardMs, offset };
}

function joined(...parts: readonly Int16Array[]): Int16Array {
  return Int16Array.from(parts.flatMap((part) => [...part]));
}

const silence = (samples: number): Int16Array => new Int16Array(samples);

suite('a sound in what arrives', () => {
  test('is found wherever it begins, and heard at its end', () => {
    const { state, offset } = outcome(joined(silence(777), SOUND, silence(FRAME_SAMPLES * 4)));
    assert.deepEqual({ state, offset }, { state: 'heard', offset: 777 });
  });

  test('is heard at half its loudness', () => {
    assert.equal(
      outcome(
        joined(
          SOUND.map((sample) => sample / 2),
          silence(2000),
        ),
      ).state,
      'heard',
    );
  });

  test('is not heard while its end is missing', () => {
    assert.equal(outcome(SOUND.subarray(0, SOUND.length - 1600)).state, 'following');
  });

  test('is lost in silence, in another sound, and backwards', () => {
    const others = [silence(SOUND.length), murmurOf('Welcome to the factory, dear'), SOUND.toReversed()];
    for (const other of others) assert.equal(outcome(joined(other, silence(8000))).state, 'lost');
  });

  test('is lost where it is cut, and tells how much of it came', () => {
    const half = Math.round(SOUND.length / 2);
    const { state, heardMs } = outcome(joined(SOUND.subarray(0, half), silence(16_000)));
    assert.equal(state, 'lost');
    assert.ok(Math.abs(heardMs - half / 8) < 100, `${heardMs} ms`);
  });

  test('is not heard when every other frame is missing', () => {
    const holed = SOUND.slice();
    for (let at = 0; at < holed.length; at += 2 * FRAME_SAMPLES) holed.fill(0, at, at + FRAME_SAMPLES);
    assert.notEqual(outcome(joined(holed, silence(8000))).state, 'heard');
  });

  test('in real time is followed over what a jitter buffer leaves out or puts in, and not over more', () => {
    const third = FRAME_SAMPLES * 20;
    const withoutFrame = joined(SOUND.subarray(0, third), SOUND.subarray(third + 250), silence(4000));
    const withPause = joined(SOUND.subarray(0, third), silence(333), SOUND.subarray(third), silence(4000));
    for (const arriving of [withoutFrame, withPause]) {
      assert.equal(outcome(arriving, REAL_TIME_RULES).state, 'heard');
      assert.notEqual(outcome(arriving).state, 'heard');
    }
    const half = joined(SOUND.subarray(0, Math.round(SOUND.length / 2)), silence(16_000));
    assert.equal(outcome(half, REAL_TIME_RULES).state, 'lost');
    assert.equal(outcome(joined(murmurOf('Welcome to the factory'), silence(9000)), REAL_TIME_RULES).state, 'lost');
  });
});
