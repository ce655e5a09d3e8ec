import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { tandemCommand, type CommandResult } from '../testkit/tandem-process.ts';
import { temporaryFolder } from '../testkit/temporary-folder.ts';

function run(
  t: TestContext,
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<CommandResult> {
  return tandemCommand(args, { TANDEM_DATA: temporaryFolder(t, 'cli'), ...environment });
}

test('0: help is no failure, with the command or without', async (t) => {
  const [whole, one] = await Promise.all([run(t, ['--help']), run(t, ['phone', 'add', '--help'])]);
  assert.deepEqual([whole.code, whole.stderr, one.code, one.stderr], [0, '', 0, '']);
  assert.match(whole.stdout, /doctor/);
  assert.match(one.stdout, /--number <\+E164>/);
});

test('1: a command that cannot do its work says why on stderr only', async (t) => {
  const [calls, stop] = await Promise.all([run(t, ['calls', '--json']), run(t, ['stop'])]);
  for (const { code, stdout, stderr } of [calls, stop]) {
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^tandem: no server runs on the data folder .*; start one with: npx tandem up/);
  }
});

test('1: doctor, when it found what stands in the way of a call', async (t) => {
  const wrong = { TANDEM_RTP: '1-2' };
  const [text, json] = await Promise.all([run(t, ['doctor'], wrong), run(t, ['doctor', '--json'], wrong)]);
  assert.deepEqual([text.code, json.code], [1, 1]);
  assert.match(text.stdout, /^\[FAIL\] configuration: rtp: got "1-2"; want LOW-HIGH/);
  const { findings } = json.json() as { findings: readonly { readonly level: string }[] };
  assert.deepEqual(
    findings.map(({ level }) => level),
    ['error'],
  );
});

test('2: an option, a command or an argument that is not known names itself', async (t) => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['calls', '--limt', '3'], /unknown option '--limt'/],
    [['phones'], /unknown command 'phones'/],
    [['phone', 'add'], /missing required argument 'name'/],
    [['stop', 'now'], /too many arguments/],
  ];
  const results = await Promise.all(cases.map(([args]) => run(t, args)));
  for (const [index, { code, stdout, stderr }] of results.entries()) {
    assert.deepEqual([code, stdout], [2, ''], stderr);
    assert.match(stderr, cases[index]?.[1] ?? /never/);
  }
});

test('1: a start that cannot be is an event too, where events are wanted', async (t) => {
  const { code, stdout, stderr } = await run(t, ['up', '--json', '--http', 'example.com:80', '--ephemeral']);
  assert.equal(code, 1);
  assert.match(stderr, /^tandem: http: got the host "example\.com"; want an address of this machine/);
  const event = JSON.parse(stdout) as { readonly event: string; readonly code: string };
  assert.deepEqual([event.event, event.code], ['failed', 'bad-config']);
});
