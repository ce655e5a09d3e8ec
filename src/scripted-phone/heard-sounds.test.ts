import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeardSounds } from './heard-sounds.ts';
import type { Hearing } from './hearing.ts';

function heard(...sounds: readonly (string | Pick<Hearing, 'text' | 'outcome'>)[]): HeardSounds {
  const all = new HeardSounds();
  for (const each of sounds) {
    const { text, outcome } = typeof each === 'string' ? { text: each, outcome: 'whole' as const } : each;
    all.begins({ how: 'say', text });
    all.ends({ how: 'say', text, outcome, heardMs: 1_500 });
  }
  return all;
}

test('a text is found over several sounds in a row, whatever its blanks and capitals', () => {
  assert.equal(heard('Press one', 'for  Sales').findWhole('one for sales'), true);
  assert.equal(heard('Press one', 'for sales').findWhole(/^Press one for sales$/), true);
});

test('a sound that was cut is not heard, and joins nothing', () => {
  const all = heard('Press one', { text: 'or two', outcome: 'cut' }, 'for sales');
  assert.deepEqual([all.findWhole('or two'), all.findWhole('one for')], [false, false]);
  assert.equal(all.instead, 'heard "Press one", "or two" (cut after 1.5 s), "for sales"');
});

test('each look goes on behind what the one before it found', () => {
  const all = heard('Hello', 'Goodbye', 'Hello');
  assert.deepEqual(
    [1, 2, 3].map(() => all.findWhole('hello')),
    [true, true, false],
  );
  const begun = heard('Hello', 'Goodbye');
  assert.deepEqual([begun.findWhole('goodbye'), begun.findBegun('hello')], [true, false]);
  assert.equal(begun.instead, 'heard nothing');
});
