import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { PhoneError } from './phone-error.ts';
import { expectSteps, parseScript, pressSteps, saySteps } from './script.ts';

suite('a script', () => {
  test('is read a step a line, and each step knows its line', () => {
    const steps = parseScript(
      '# a menu\nhear "Welcome"\n\n  silence 1.5s\npress 1w#\nrequest /a Digits=1 Name=A%20B\nended\n',
      'a.phone',
    );
    assert.deepEqual(steps, [
      { line: 'a.phone:2: hear "Welcome"', action: { kind: 'hear', text: 'Welcome' } },
      { line: 'a.phone:4: silence 1.5s', action: { kind: 'silence', ms: 1500 } },
      { line: 'a.phone:5: press 1w#', action: { kind: 'press', keys: '1w#' } },
      {
        line: 'a.phone:6: request /a Digits=1 Name=A%20B',
        action: { kind: 'request', url: '/a', parameters: { Digits: '1', Name: 'A B' } },
      },
      { line: 'a.phone:7: ended', action: { kind: 'ended' } },
    ]);
  });

  for (const wrong of ['jump', 'hear', 'press x', 'wait soon', 'wait 5', 'fault many', 'request']) {
    test(`refuses "${wrong}", naming the line`, () => {
      assert.throws(
        () => parseScript(`hear a\n${wrong}`, 'b.phone'),
        (error) => error instanceof PhoneError && error.code === 'bad-script' && error.message.includes('b.phone:2'),
      );
    });
  }

  test('of the command line waits for a text or a time before the key', () => {
    const kinds = (argument: string): readonly unknown[] => pressSteps(argument).map(({ action }) => action);
    assert.deepEqual(kinds('1@"Press 1"'), [
      { kind: 'hear', text: 'Press 1' },
      { kind: 'press', keys: '1' },
    ]);
    assert.deepEqual(kinds('12#@3s')[0], { kind: 'wait', ms: 3000 });
    assert.deepEqual(kinds('7'), [{ kind: 'press', keys: '7' }]);
    assert.deepEqual(saySteps('hello@the beep').at(-1)?.action, { kind: 'say', text: 'hello' });
    assert.equal(expectSteps('Hello')[0]?.line, '--expect "Hello"');
  });
});
