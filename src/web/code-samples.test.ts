import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { codeSample } from './code-samples.ts';

const FACTS = {
  origin: 'http://localhost:3600',
  accountSid: 'AC1',
  authToken: "it's a \\secret",
  from: '+12025550100',
  to: 'client:browser-1',
  url: 'http://127.0.0.1:3600/console/twiml/welcome',
};

test('the lines for Node are five, and their texts are what was meant', () => {
  const lines = codeSample('node', FACTS).split('\n');
  assert.equal(lines.length, 5);
  const [, made = ''] = lines;
  const expression = made.slice(made.indexOf('twilio('));
  // Quotes and backslashes within a text end nothing.
  const twilio = (...values: unknown[]): string => JSON.stringify(values);
  assert.equal(runInNewContext(expression, { twilio }), JSON.stringify(['AC1', FACTS.authToken]));
});

test('the shell gives curl what was meant', () => {
  const printed = codeSample('curl', FACTS).replace(/^curl/, "printf '%s\\n'");
  assert.deepEqual(execFileSync('sh', ['-c', printed], { encoding: 'utf8' }).trimEnd().split('\n'), [
    '-u',
    `AC1:${FACTS.authToken}`,
    '--data-urlencode',
    'To=client:browser-1',
    '--data-urlencode',
    'From=+12025550100',
    '--data-urlencode',
    `Url=${FACTS.url}`,
    'http://localhost:3600/2010-04-01/Accounts/AC1/Calls.json',
  ]);
});
