import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fault, faultOfProblem, isFaultCode } from './faults.ts';

test('a fault has the level of its code, its title and what was got', () => {
  const made = fault(11200, 'got status 500, want 200', { requestUrl: 'http://app/' });
  assert.deepEqual(made, {
    code: 11200,
    level: 'error',
    message: 'The application did not give a usable HTTP answer: got status 500, want 200',
    moreInfo: '/docs/errors/11200',
    requestUrl: 'http://app/',
  });
  assert.equal(fault(13410).level, 'warning');
});

test('untrusted text is cut', () => {
  const made = fault(12100, 'x'.repeat(100_000), { responseBody: 'y'.repeat(100_000) });
  assert.equal(made.message.length, 1000);
  assert.equal(made.responseBody?.length, 16_384);
});

test('a problem of a document keeps its level and names its line once', () => {
  const made = faultOfProblem({ code: 12200, level: 'error', message: 'Say inside Say', line: 3 });
  assert.equal(made.level, 'error');
  assert.match(made.message, /: line 3: Say inside Say$/);
  const parsed = faultOfProblem({ code: 12100, level: 'error', message: 'line 3: unclosed tag', line: 3 });
  assert.match(parsed.message, /: line 3: unclosed tag$/);
});

test('only codes of the table are codes', () => {
  assert.ok(isFaultCode(11200));
  for (const code of [0, 99_999, NaN]) assert.ok(!isFaultCode(code));
});
