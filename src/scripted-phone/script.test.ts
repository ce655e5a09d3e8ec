import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { PhoneError } from './phone-error.ts';
import { parseResidentScript } from './resident-script.ts';
import { expectSteps, openingOf, parseScript, pressSteps, saySteps } from './script.ts';

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

  test('says with its first step, and only there, how the call begins', () => {
    assert.deepEqual(openingOf(parseScript('hear a', 'a')), { kind: 'answer', answer: 'yes' });
    assert.deepEqual(openingOf(parseScript('answer busy', 'a')), { kind: 'answer', answer: 'busy' });
    assert.deepEqual(openingOf(parseScript('# b\ncall +12025550100\nended', 'a')), {
      kind: 'call',
      to: '+12025550100',
    });
    assert.throws(() => parseScript('hear a\nanswer no', 'a'), /a:2: answer no.*only as the first step/);
  });

  test('of a running server has steps, none of them about what a phone does not see', () => {
    const wrong =
      (text: string): (() => unknown) =>
      () =>
        parseResidentScript({ name: 'a', text });
    assert.throws(wrong('hear a\nfault 11200'), /a:2: fault 11200.*a phone sees no requests, no faults/);
    assert.throws(wrong('# nothing'), /want at least one step/);
    assert.throws(wrong(`hear ${'a'.repeat(70_000)}`), /at most 65536 characters/);
    assert.equal(parseResidentScript({ name: 'a', text: 'hear a\nended' }).length, 2);
  });

  for (const wrong of [
    'answer maybe',
    'call nobody',
    'jump',
    'hear',
    'press x',
    'wait soon',
    'wait 5',
    'fault many',
    'request',
    'dials',
  ]) {
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
