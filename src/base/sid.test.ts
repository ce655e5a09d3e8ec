import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from './random.ts';
import { newSid, parseSid } from './sid.ts';

describe('sid', () => {
  it('reads back what it makes', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const sid = newSid('CA', seededRandom(seed));
        assert.match(sid, /^CA[0-9a-f]{32}$/);
        assert.equal(parseSid('CA', sid), sid);
        assert.equal(parseSid('AC', sid), undefined);
      }),
    );
  });

  it('refuses every other form', () => {
    const hex = '0123456789abcdef0123456789abcdef';
    const bad = [
      '',
      'CA',
      hex,
      `CA${hex.slice(1)}`,
      `CA${hex}0`,
      `CA${hex.toUpperCase()}`,
      `ca${hex}`,
      `CA${hex}\n`,
      ` CA${hex}`,
    ];
    for (const text of bad) assert.equal(parseSid('CA', text), undefined, JSON.stringify(text));
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseSid('CA', text)));
  });
});
