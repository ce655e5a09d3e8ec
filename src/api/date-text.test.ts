import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Call } from '../comms/model.ts';
import { dateConditions, dateText } from './date-text.ts';
import { parseParameters } from './parameters.ts';

const NOON = Date.UTC(2010, 7, 31, 12, 0, 0);
const DAY = Date.UTC(2010, 7, 31);
const DAY_MS = 86_400_000;

describe('dates', () => {
  it('are RFC 2822 in UTC; none stays null', () => {
    assert.equal(dateText(Date.UTC(2010, 7, 31, 20, 36, 28, 999)), 'Tue, 31 Aug 2010 20:36:28 +0000');
    assert.equal(dateText(null), null);
  });

  const conditions = (query: string) => dateConditions<Call>(parseParameters(query), 'StartTime', 'startTime');

  it('without a comparison the whole day is meant', () => {
    const day = [
      ['startTime', '>=', DAY],
      ['startTime', '<', DAY + DAY_MS],
    ];
    assert.deepEqual(conditions('StartTime=2010-08-31'), day);
    assert.deepEqual(conditions('StartTime=2010-08-31T12:00:00Z'), day);
  });

  it('a comparison takes the time as it is shown, in whole seconds', () => {
    assert.deepEqual(conditions('StartTime%3E=2010-08-31T12:00:00Z'), [['startTime', '>=', NOON]]);
    assert.deepEqual(conditions('StartTime%3C=2010-08-31T12:00:00Z'), [['startTime', '<', NOON + 1000]]);
    assert.deepEqual(conditions('StartTime>=2010-08-31'), [['startTime', '>=', DAY]]);
  });

  it('zones count, also where the + was not percent-encoded; without one it is UTC', () => {
    for (const text of [
      '2010-08-31T14:00:00%2B02:00',
      '2010-08-31T14:00:00+02:00',
      '2010-08-31T12:00',
      '2010-08-31+12:00',
    ]) {
      assert.deepEqual(conditions(`StartTime>=${text}`), [['startTime', '>=', NOON]], text);
    }
  });

  it('what is no date is refused', () => {
    for (const text of ['soon', '2010-13-01', '2010-08', '31.08.2010', '2010-08-31T25:00:00Z']) {
      assert.throws(() => conditions(`StartTime=${text}`), { status: 400, code: 20001 }, text);
    }
  });
});
