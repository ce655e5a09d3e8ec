import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ApiError } from './api-error.ts';
import { MAX_FIELDS, parseParameters } from './parameters.ts';

describe('parameters', () => {
  it('are decoded; repeated ones are a list', () => {
    const form = parseParameters('A=x%20y+z&E=one&E=two+three&empty=&flag&%C3%BC=%E2%98%8E');
    assert.equal(form.text('A'), 'x y z');
    assert.deepEqual(form.words('E'), ['one', 'two', 'three']);
    assert.deepEqual([form.text('empty'), form.filled('empty'), form.text('flag')], ['', undefined, '']);
    assert.equal(form.text('ü'), '☎');
    assert.equal(form.text('absent'), undefined);
    assert.equal(form.text('__proto__'), undefined);
  });

  it('say what was got and what is wanted', () => {
    const form = parseParameters('Timeout=999&Url=javascript:alert(1)&Method=PUT&Flag=maybe');
    const bad = (read: () => unknown, code: number, message: RegExp) =>
      assert.throws(read, (error) => error instanceof ApiError && error.code === code && message.test(error.message));
    bad(() => form.integer('Timeout', { low: 1, high: 600, code: 21208 }), 21208, /"999".*1 to 600/);
    bad(() => form.url('Url', 21205), 21205, /absolute http or https/);
    bad(() => form.method('Method', 21209), 21209, /GET, POST/);
    bad(() => form.flag('Flag'), 20001, /true, false/);
    bad(() => form.required('To', { code: 21201 }), 21201, /missing/);
  });

  it('an empty URL takes away, a missing one leaves', () => {
    const form = parseParameters('VoiceUrl=');
    assert.deepEqual([form.url('VoiceUrl', 1), form.url('SmsUrl', 1)], [null, undefined]);
  });

  it('are at most so many', () => {
    assert.equal(parseParameters('a=1&'.repeat(MAX_FIELDS - 1)).names().length, 1);
    assert.throws(() => parseParameters('a=1&'.repeat(MAX_FIELDS + 1)), ApiError);
  });

  it('any text is parsed or refused with a status', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        try {
          parseParameters(text);
        } catch (error) {
          assert.ok(error instanceof ApiError && error.status === 400);
        }
      }),
    );
  });

  it('what URLSearchParams writes is read the same', () => {
    const text = fc.string({ unit: 'grapheme' }).filter((each) => !each.includes('\0'));
    fc.assert(
      fc.property(
        fc.dictionary(
          text.filter((name) => name !== ''),
          text,
        ),
        (fields) => {
          const form = parseParameters(new URLSearchParams(fields).toString());
          for (const [name, value] of Object.entries(fields)) assert.equal(form.text(name, { maxChars: 9999 }), value);
        },
      ),
    );
  });
});
