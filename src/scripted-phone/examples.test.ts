import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import twilio from 'twilio';
import { RunningProcess } from '../testkit/child-process.ts';
import { atEnd } from '../testkit/scope.ts';
import { Tandem } from '../testkit/tandem-process.ts';
import { temporaryFolder } from '../testkit/temporary-folder.ts';
import { tryDocument } from './try-document.ts';

// The applications among the examples run as they are, as processes of their own; the phone's part of it is measured.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TOKEN = '1'.repeat(32);
const ACCOUNT = `AC${'1'.repeat(32)}`;
/** Of processor time, so that a busy machine does not count: a call of twenty seconds takes a third of it. */
const MAX_CPU_MS = 1000;

interface Example {
  readonly folder: string;
  readonly script: string;
  readonly args: readonly string[];
  /** Its program, when that is another; it then finds its account in a running server. */
  readonly served?: { readonly program: string; readonly path: string };
}

interface Mutation {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const FIRST_CALL: Example = { folder: 'first-call', script: 'key.phone', args: ['--serve'] };
const CI: Example = { folder: 'ci', script: 'try.phone', args: [] };
const VOT: Example = {
  ...{ folder: 'vot', script: 'number.phone', args: [], served: { program: 'server.mjs', path: 'voice' } },
};

/** Starts a copy of the application, with a change where one is wanted, and lets the phone do its script. */
async function tried(
  t: TestContext,
  { folder, script, args, served }: Example,
  mutation?: Mutation,
): Promise<{ held: boolean; lines: readonly string[]; cpuMs: number }> {
  const place = temporaryFolder(t, folder);
  const copy = join(place, folder);
  mkdirSync(copy);
  cpSync(join(ROOT, 'examples', folder), copy, { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(place, 'node_modules'));
  if (mutation !== undefined) {
    const path = join(copy, mutation.file);
    const before = readFileSync(path, 'utf8');
    const after = before.replace(mutation.from, mutation.to);
    assert.notEqual(after, before, 'a mutant differs');
    writeFileSync(path, after);
  }
  const data = join(place, 'data');
  const ready = served === undefined ? undefined : (await Tandem.start(t, { data })).ready;
  const { accountSid: account, authToken: token } = ready ?? { accountSid: ACCOUNT, authToken: TOKEN };
  const application = RunningProcess.start(process.execPath, [join(copy, served?.program ?? 'app.mjs'), ...args], {
    environment: { TWILIO_ACCOUNT_SID: account, TWILIO_AUTH_TOKEN: token, TANDEM_DATA: data, PORT: '0' },
  });
  atEnd(t, async () => void (await application.end('SIGKILL')));
  const line = await application.line(/(listens on|is at) http/, { withinMs: 20_000 });
  const url = `${/http\S+/.exec(line)?.[0] ?? ''}${served?.path ?? ''}`;
  const lines: string[] = [];
  const before = process.cpuUsage();
  const held = await tryDocument(url, {
    ...{ steps: [], environmentPath: '', token, account, script: join(copy, script) },
    print: (line) => lines.push(line),
  });
  const { user, system } = process.cpuUsage(before);
  return { held, lines, cpuMs: (user + system) / 1000 };
}

for (const [example, mutants] of [
  [
    FIRST_CALL,
    [
      ['a prompt is changed', 'app.mjs', 'Press any key', 'Press no key', 'key.phone:3: hear'],
      ['the key is not pressed', 'key.phone', 'press 5\n', '\n', 'key.phone:6: request /key Digits=5'],
      ['the timeout is halved', 'app.mjs', 'timeout: 8', 'timeout: 4', 'key.phone:4: silence 7s'],
      ['nothing is recorded', 'app.mjs', 'response.record({', 'response.pause({', 'key.phone:9: request /recorded'],
    ],
  ],
  [
    CI,
    [
      ['a prompt is changed', 'app.mjs', 'To confirm, press 1', 'To confirm, press 2', 'try.phone:2: hear'],
      ['the key is not pressed', 'try.phone', 'press 1\nrequest', '\nrequest', 'try.phone:5: request /key Digits=1'],
      ['the timeout is halved', 'app.mjs', 'timeout: 6', 'timeout: 3', 'try.phone:3: silence 5s'],
      ['the answer is another', 'app.mjs', "Digits === '1'", "Digits === '2'", 'try.phone:6: hear Thank you'],
    ],
  ],
  [
    VOT,
    [
      [
        'another client is dialled',
        'server.mjs',
        "VOT_CLIENT = 'mike'",
        "VOT_CLIENT = 'jenny'",
        'number.phone:3: dials mike',
      ],
      ['nobody is dialled', 'server.mjs', 'dial.client(VOT_CLIENT)', 'dial', 'number.phone:3: dials mike'],
      [
        'the request is refused',
        'server.mjs',
        'tandem.authToken, signature',
        "'', signature",
        'number.phone:3: dials mike',
      ],
    ],
  ],
] as const) {
  suite(`the example ${example.folder}`, () => {
    test('does what its script expects, in less than a second', async (t) => {
      const { held, lines, cpuMs } = await tried(t, example);
      assert.ok(held, lines.join('\n'));
      assert.ok(cpuMs < MAX_CPU_MS, `${cpuMs} ms`);
    });
    for (const [title, file, from, to, line] of mutants) {
      test(`does not when ${title}, and the failing line is named`, async (t) => {
        const { held, lines } = await tried(t, example, { file, from, to });
        assert.equal(held, false, lines.join('\n'));
        assert.ok(lines.at(-1)?.startsWith(`failed at ${line}`), lines.join('\n'));
      });
    }
  });
}

test('the example vot takes the first number of the place, not one that another application was given', async (t) => {
  const data = join(temporaryFolder(t, 'numbers'), 'data');
  const { ready } = await Tandem.start(t, { data });
  const client = twilio(ready.accountSid, ready.authToken);
  client.api.baseUrl = ready.http;
  const voiceUrl = 'http://127.0.0.1:3700/voice';
  const added = await client.incomingPhoneNumbers.create({ phoneNumber: '+12025550101', voiceUrl });
  const vot = RunningProcess.start(process.execPath, [join(ROOT, 'examples/vot/server.mjs')], {
    environment: { TANDEM_DATA: data, PORT: '0' },
  });
  atEnd(t, async () => void (await vot.end('SIGKILL')));
  assert.match(await vot.line(/is at http/, { withinMs: 20_000 }), / for \+12025550100$/);
  assert.equal((await client.incomingPhoneNumbers(added.sid).fetch()).voiceUrl, voiceUrl);
});

test('the example first-call says what is wrong with its credentials, and what became of a call that nobody took', async (t) => {
  const data = join(temporaryFolder(t, 'first-call'), 'data');
  const { ready } = await Tandem.start(t, { data });
  const ring = (environment: Readonly<Record<string, string>>): RunningProcess => {
    const app = RunningProcess.start(process.execPath, [join(ROOT, 'examples/first-call/app.mjs'), 'nobody'], {
      environment: { TANDEM_DATA: data, PORT: '0', ...environment },
    });
    atEnd(t, async () => void (await app.end('SIGKILL')));
    return app;
  };
  await ring({}).line(/^why: npx tandem logs$/, { withinMs: 20_000 });
  const wrong = { TWILIO_ACCOUNT_SID: ready.accountSid, TWILIO_AUTH_TOKEN: TOKEN, TWILIO_BASE_URL: ready.http };
  await ring(wrong).line(/^the call was refused: Authentication failed/, { withinMs: 20_000, on: 'stderr' });
});
