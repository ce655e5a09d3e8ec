import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { atEnd } from '../testkit/scope.ts';
import { temporaryFolder } from '../testkit/temporary-folder.ts';
import { PhoneError } from './phone-error.ts';
import { tryDocument, type TryOptions } from './try-document.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/menu', import.meta.url));
/** Of processor time: a machine may be busy with other things. */
const MAX_CPU_MS = 1000;

/** A copy of the example, with a change. */
function exampleWith(context: TestContext, file = '', from: string | RegExp = '', to = ''): string {
  const folder = temporaryFolder(context, 'menu');
  cpSync(EXAMPLE, folder, { recursive: true });
  if (file === '') return folder;
  const before = readFileSync(join(folder, file), 'utf8');
  const after = before.replace(from, to);
  assert.notEqual(after, before, 'a mutant differs');
  writeFileSync(join(folder, file), after);
  return folder;
}

async function tried(
  document: string,
  options: Partial<TryOptions>,
): Promise<{ held: boolean; lines: readonly string[] }> {
  const lines: string[] = [];
  const held = await tryDocument(document, {
    steps: [],
    environmentPath: '',
    print: (line) => lines.push(line),
    ...options,
  });
  return { held, lines };
}

const runMenu = (folder: string, script: string): ReturnType<typeof tried> =>
  tried(join(folder, 'menu.xml'), { script: join(folder, script) });

suite('the menu of the examples', () => {
  for (const script of ['hours.phone', 'nothing.phone']) {
    test(`does what ${script} expects, in less than a second`, async () => {
      const before = process.cpuUsage();
      const { held, lines } = await runMenu(EXAMPLE, script);
      const { user, system } = process.cpuUsage(before);
      assert.ok(held, lines.join('\n'));
      assert.ok((user + system) / 1000 < MAX_CPU_MS, `${(user + system) / 1000} ms`);
    });
  }

  const mutants = [
    ['a prompt is changed', 'hours.xml', 'seven', 'eight', 'hours.phone:7: hear We open at seven'],
    ['the key is not pressed', 'hours.phone', 'press 1\n', '\n', 'hours.phone:6: request hours.xml Digits=1'],
    ['another key is pressed', 'hours.phone', 'press 1\n', 'press 2\n', 'hours.phone:6: request hours.xml Digits=1'],
    ['the timeout is halved', 'menu.xml', 'timeout="5"', 'timeout="2"', 'hours.phone:4: silence 4s'],
    [
      'the menu takes no keys',
      'menu.xml',
      'numDigits="1"',
      'input="speech"',
      'hours.phone:6: request hours.xml Digits=1',
    ],
    ['a document is missing', 'menu.xml', 'hours.xml', 'houses.xml', 'hours.phone:6: request hours.xml Digits=1'],
    ['the call goes on', 'hours.xml', '</Response>', '<Pause length="90"/></Response>', 'hours.phone:8: ended'],
  ] as const;
  for (const [title, file, from, to, line] of mutants) {
    test(`does not when ${title}, and the failing line is named`, async (context) => {
      const { held, lines } = await runMenu(exampleWith(context, file, from, to), 'hours.phone');
      assert.equal(held, false);
      assert.ok(lines.at(-1)?.startsWith(`failed at ${line}\n`), lines.join('\n'));
    });
  }
});

suite('a try', () => {
  test('tells what was heard instead', async () => {
    const steps = [{ flag: 'expect', argument: 'Closed today' }] as const;
    const { held, lines } = await tried(join(EXAMPLE, 'menu.xml'), { steps });
    assert.equal(held, false);
    assert.match(lines.at(-1) ?? '', /^failed at --expect "Closed today"\n.*heard "Welcome to the bakery/);
  });

  test('is one JSON object a line, the result last, and the same each time', async () => {
    const steps = [{ flag: 'press', argument: '1@"press 1"' }] as const;
    const run = (): ReturnType<typeof tried> => tried(join(EXAMPLE, 'menu.xml'), { steps, json: true });
    const { lines } = await run();
    const events = lines.map((line) => JSON.parse(line) as { kind: string });
    assert.deepEqual(events.at(-1), { kind: 'result', held: true });
    assert.ok(events.some(({ kind }) => kind === 'pressed'));
    assert.deepEqual((await run()).lines, lines);
  });

  test('fails when the flow does, unless the script expects that', async (context) => {
    const folder = temporaryFolder(context, 'try');
    const document = join(folder, 'broken.xml');
    writeFileSync(document, '<Response><Redirect>nowhere.xml</Redirect></Response>');
    const { held, lines } = await tried(document, {});
    assert.equal(held, false);
    assert.match(lines.at(-1) ?? '', /without an error\n {2}11200/);
    const script = join(folder, 'broken.phone');
    writeFileSync(script, 'fault 11200\nhear application error\n');
    assert.ok((await tried(document, { script })).held);
  });

  test('says that nobody gave it a token, where the application refuses the signature', async (t) => {
    const application = createServer((_, response) => void response.writeHead(403).end());
    await once(application.listen(0, '127.0.0.1'), 'listening');
    atEnd(t, () => void application.close());
    const url = `http://127.0.0.1:${(application.address() as AddressInfo).port}/voice`;
    assert.match((await tried(url, {})).lines.at(-1) ?? '', /another auth token .* --token/);
    assert.match((await tried(url, { token: '1'.repeat(32) })).lines.at(-1) ?? '', /11200/);
  });

  test('ends when the phone is told to hang up', async () => {
    const { lines } = await tried(join(EXAMPLE, 'menu.xml'), { hangupAfter: '1.5s' });
    assert.match(lines.at(-1) ?? '', /phone hung up after 1\.5/);
  });

  for (const [options, message] of [
    [{ answer: 'maybe' }, /--answer maybe: want yes or no or busy/],
    [{ patience: 'long' }, /--patience long.*want a time/],
    [{ speech: 'loud' }, /want murmur or engine/],
    [{ account: 'AC1' }, /want AC and 32/],
    [{ to: 'nobody' }, /no phone number/],
    [{ script: '/nowhere/a.phone' }, /cannot be read/],
  ] as const) {
    test(`refuses ${JSON.stringify(options)}`, async () => {
      await assert.rejects(
        tried(join(EXAMPLE, 'menu.xml'), options),
        (error) => error instanceof PhoneError && message.test(error.message),
      );
    });
  }

  test('refuses what is neither a file nor a URL', async () => {
    await assert.rejects(tried('/nowhere/menu.xml', {}), /neither a file nor a URL/);
  });
});
