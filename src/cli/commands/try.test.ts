import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const MENU = fileURLToPath(new URL('../../../examples/menu/menu.xml', import.meta.url));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function tandem(...words: readonly string[]): Promise<Outcome> {
  try {
    return { code: 0, ...(await run(process.execPath, [MAIN, 'try', ...words])) };
  } catch (error) {
    return error as Outcome;
  }
}

suite('tandem try', () => {
  test('keeps the order of its flags, and ends with 0 when all was heard', async () => {
    const { code, stdout } = await tandem(MENU, '--expect', 'Welcome', '--press', '1@1s', '--expect', 'seven');
    assert.equal(code, 0, stdout);
    const order = ['✔ to hear "Welcome"', 'pressed 1', '✔ to hear "seven"'].map((text) => stdout.indexOf(text));
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    );
    assert.ok(!order.includes(-1), stdout);
  });

  test('ends with 1 when not, and says what was heard', async () => {
    const { code, stdout, stderr } = await tandem(MENU, '--expect', 'Closed');
    assert.equal(code, 1);
    assert.match(stdout, /failed at --expect "Closed"\n.*heard "Welcome to the bakery/);
    assert.match(stderr, /expectation did not hold/);
  });

  test('ends with 2 when its words have no meaning', async () => {
    const { code, stderr } = await tandem(MENU, '--press', 'x');
    assert.equal(code, 2);
    assert.match(stderr, /--press x": want keys/);
  });
});
