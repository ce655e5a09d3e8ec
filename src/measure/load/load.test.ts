import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { RunningProcess } from '../../testkit/child-process.ts';
import { Tandem, type CommandResult } from '../../testkit/tandem-process.ts';
import { temporaryFolder } from '../../testkit/temporary-folder.ts';
import type { LoadResult } from './summary.ts';

const MAIN = join(import.meta.dirname, '../../cli/main.ts');
const PHONES = [
  { name: 'ann', password: 'secret-ann' },
  { name: 'bob', password: 'secret-bob' },
];

function resultOf(run: CommandResult): LoadResult {
  assert.equal(run.stderr, '');
  return run.json() as LoadResult;
}

/** Refusals by limit, as the result names them. */
function reached({
  limits,
}: LoadResult): Readonly<Record<string, { readonly key: string | null; readonly count: number }>> {
  return Object.fromEntries(
    (limits?.reached ?? []).map(({ name, key, refused, waiting }) => [name, { key, count: refused + waiting }]),
  );
}

async function json(tandem: Tandem, ...words: readonly string[]): Promise<unknown> {
  return (await tandem.command(...words, '--json')).json();
}

async function callsOf(tandem: Tandem): Promise<readonly { readonly direction: string; readonly status: string }[]> {
  const path = `/2010-04-01/Accounts/${tandem.ready.accountSid}/Calls.json?PageSize=1000`;
  const page = (await (await tandem.fetch(path)).json()) as { calls: { direction: string; status: string }[] };
  return page.calls;
}

async function assertNothingLeft(tandem: Tandem, phones = 0): Promise<void> {
  const made = (await json(tandem, 'phone', 'list')) as { phones: readonly object[] };
  const trunks = (await json(tandem, 'trunk', 'list')) as { trunks: readonly object[] };
  const path = `/2010-04-01/Accounts/${tandem.ready.accountSid}/IncomingPhoneNumbers.json`;
  const numbers = (await (await tandem.fetch(path)).json()) as {
    incoming_phone_numbers: readonly { phone_number: string }[];
  };
  const temporary = numbers.incoming_phone_numbers.filter(({ phone_number: number }) => number.startsWith('+1999'));
  assert.deepEqual([made.phones.length, trunks.trunks.length, temporary], [phones, 0, []]);
}

/** The command as a process of its own, to be interrupted. */
function startLoad(context: TestContext, tandem: Tandem, ...words: readonly string[]): RunningProcess {
  const { http, accountSid, authToken } = tandem.ready;
  const target = ['--url', http, '--token', `${accountSid}:${authToken}`];
  const running = RunningProcess.start(process.execPath, [MAIN, 'load', ...words, ...target]);
  context.after(async () => void (await running.end('SIGKILL')));
  return running;
}

suite('tandem load', () => {
  test('calls: each is answered, asked for once, and is a call of the server’s own list', async (t) => {
    const tandem = await Tandem.start(t);
    const words = ['--rate', '4', '--for', '2s', '--hold', '500ms', '--sources', '2', '--sound', '--json'];
    const run = await tandem.command('load', 'calls', ...words);
    const result = resultOf(run);
    assert.deepEqual([run.code, result.tally.asked, result.tally.done], [0, 8, 8], run.stdout);
    assert.equal(result.figures['notAsked'], 0);
    assert.equal(result.figures['askedAgain'], 0);
    assert.equal(result.figures['soundStreams'], 8);
    assert.ok((result.figures['packetsReceived'] ?? 0) > 8 * 10, run.stdout);
    assert.ok(result.tally.latencyMs.p50 > 0 && result.tally.latencyMs.p50 <= result.tally.latencyMs.max);
    const calls = await callsOf(tandem);
    assert.deepEqual(
      new Set(calls.map(({ direction, status }) => `${direction} ${status}`)),
      new Set(['inbound completed']),
    );
    assert.equal(calls.length, 8);
    await assertNothingLeft(tandem);
  });

  test('calls: over TCP, at random times', async (t) => {
    const tandem = await Tandem.start(t);
    const words = ['--rate', '6', '--for', '2s', '--hold', '0s', '--transport', 'tcp', '--poisson', '--json'];
    const run = await tandem.command('load', 'calls', ...words);
    const { tally } = resultOf(run);
    assert.deepEqual([run.code, tally.done], [0, tally.asked], run.stdout);
    assert.equal((await callsOf(tandem)).length, tally.done);
  });

  for (const transport of ['udp', 'tcp'] as const) {
    test(`registrations: each is challenged over ${transport}, from every source`, async (t) => {
      const tandem = await Tandem.start(t, { config: { phones: PHONES } });
      const file = join(temporaryFolder(t, 'users'), 'users');
      writeFileSync(file, PHONES.map(({ name, password }) => `${name} ${password}\n`).join(''));
      const words = ['--rate', '20', '--for', '1s', '--transport', transport, '--json'];
      const run = await tandem.command('load', 'registrations', ...words, '--sources', '3', '--users-file', file);
      const { tally, figures } = resultOf(run);
      assert.deepEqual([run.code, tally.asked, tally.done, figures['challenges']], [0, 20, 20, 20], run.stdout);
      const list = (await json(tandem, 'phone', 'list')) as {
        readonly phones: readonly { readonly contacts: readonly { readonly contact: string }[] }[];
      };
      const hosts = list.phones.map(
        ({ contacts }) => new Set(contacts.map(({ contact }) => /@([\d.]+):/.exec(contact)?.[1])),
      );
      // Two phones and three sources, in turn: each phone was at each source.
      if (process.platform === 'linux') {
        const all = new Set(['127.0.0.2', '127.0.0.3', '127.0.0.4']);
        assert.deepEqual(hosts, [all, all]);
      }
    });
  }

  test('registrations: temporary phones go with the run', async (t) => {
    const tandem = await Tandem.start(t, { config: { phones: PHONES } });
    const run = await tandem.command('load', 'registrations', '--rate', '20', '--for', '3s', '--users', '5');
    assert.equal(run.code, 0, run.stdout);
    assert.match(run.stdout, /^second=1 asked=\d+ done=\d+ failed=0 .*serverCpu=/m);
    assert.match(run.stdout, /^registrations: 60 asked \(20\/s\), 60 done .*, 0 failed/m);
    assert.match(run.stdout, /^refused by limit: nothing/m);
    await assertNothingLeft(tandem, PHONES.length);
  });

  test('registrations: a wrong password is a failure by its status, and the limit on them is named', async (t) => {
    const tandem = await Tandem.start(t, { config: { phones: PHONES } });
    const file = join(temporaryFolder(t, 'users'), 'users');
    writeFileSync(file, 'ann wrong\n');
    const words = ['--rate', '30', '--for', '1s', '--users-file', file, '--transport', 'tcp', '--json'];
    const run = await tandem.command('load', 'registrations', ...words);
    const result = resultOf(run);
    const { failures } = result.tally;
    assert.deepEqual([run.code, result.tally.done], [1, 0]);
    assert.equal(failures['401 Unauthorized'], 20);
    assert.deepEqual(reached(result)['wrong-passwords'], { key: 'failuresBeforeSilence', count: 10 });
  });

  test('creates: every acknowledged call is listed once, and dialled once', async (t) => {
    const tandem = await Tandem.start(t, { config: { callsPerSecond: 100 } });
    const words = ['--rate', '10', '--for', '1s', '--from-count', '3', '--dial', 'yes', '--json'];
    const run = await tandem.command('load', 'creates', ...words);
    const { figures } = resultOf(run);
    assert.deepEqual(
      [run.code, figures],
      [0, { acknowledged: 10, listedOnce: 10, dialled: 10, queued: 0 }],
      run.stdout,
    );
    assert.deepEqual(new Set((await callsOf(tandem)).map(({ status }) => status)), new Set(['busy']));
    await assertNothingLeft(tandem);
  });

  test('creates: in a closed loop; what waits is cancelled, and callsPerSecond is named', async (t) => {
    const tandem = await Tandem.start(t);
    const run = await tandem.command('load', 'creates', '--callers', '4', '--for', '1s', '--json');
    const result = resultOf(run);
    assert.equal(run.code, 0, run.stdout);
    const { acknowledged = 0, listedOnce, queued = 0 } = result.figures;
    assert.ok(acknowledged > 4, run.stdout);
    assert.equal(listedOnce, acknowledged);
    const held = reached(result)['outgoing-calls'];
    assert.equal(held?.key, 'callsPerSecond');
    assert.ok(held.count > 0 && held.count <= queued, run.stdout);
    const statuses = (await callsOf(tandem)).map(({ status }) => status);
    assert.ok(!statuses.includes('queued') && statuses.includes('canceled'), String(statuses));
  });
});

suite('a limit that caps a run is named', () => {
  test('requestsPerSecond: as many as the API refused', async (t) => {
    const tandem = await Tandem.start(t, { config: { requestsPerSecond: 5 } });
    const run = await tandem.command('load', 'creates', '--rate', '20', '--for', '2s', '--json');
    const result = resultOf(run);
    const refused = result.tally.failures['HTTP 429, error 20429'] ?? 0;
    assert.equal(run.code, 1);
    assert.ok(refused > 10, run.stdout);
    assert.equal(reached(result)['rest-requests']?.key, 'requestsPerSecond');
    // Whoever lists the calls afterwards may be told to wait too.
    assert.ok((reached(result)['rest-requests']?.count ?? 0) >= refused);
    assert.equal(result.figures['listedOnce'], result.tally.done);
    await assertNothingLeft(tandem);
  });

  test('incomingCallsPerSecond: each refused call, and the exit code follows what is allowed', async (t) => {
    const tandem = await Tandem.start(t, { config: { incomingCallsPerSecond: 2 } });
    const words = ['--rate', '10', '--for', '2s', '--hold', '0s'];
    const run = await tandem.command('load', 'calls', ...words, '--json');
    const result = resultOf(run);
    const refused = result.tally.failures['503 Service Unavailable'];
    assert.equal(run.code, 1);
    assert.ok(refused !== undefined && refused >= 10, run.stdout);
    assert.deepEqual(reached(result)['incoming-calls'], { key: 'incomingCallsPerSecond', count: refused });
    const text = await tandem.command('load', 'calls', ...words, '--allow-failed', '95');
    assert.equal(text.code, 0, text.stdout);
    assert.match(text.stdout, /^refused by limit: \d+ by incoming calls .*; raise incomingCallsPerSecond$/m);
  });
});

suite('a run that cannot go on', () => {
  test('a server that is killed is told at once, with what was measured', async (t) => {
    const tandem = await Tandem.start(t, { config: { phones: PHONES } });
    const load = startLoad(t, tandem, 'registrations', '--rate', '20', '--for', '60s', '--users', '2');
    await load.line(/^second=1 /, { withinMs: 20_000 });
    await tandem.kill();
    const { code } = await load.ended;
    const text = load.stdout.all.join('\n');
    assert.equal(code, 1, text);
    assert.match(text, /^WRONG: the server at http:\S+ is gone since second \d+ of the run$/m);
    assert.match(text, /^not taken away: temporary phones: no server answers/m);
    assert.match(text, /^registrations: \d+ asked/m);
  });

  test('Ctrl-C ends it with its summary, and takes away what it made', async (t) => {
    const tandem = await Tandem.start(t);
    const load = startLoad(t, tandem, 'calls', '--rate', '5', '--for', '60s', '--hold', '30s');
    await load.line(/^second=2 /, { withinMs: 20_000 });
    load.send('SIGINT');
    await load.ended;
    assert.match(load.stdout.all.join('\n'), /^calls: \d+ asked .*, interrupted$/m);
    await assertNothingLeft(tandem);
    assert.ok((await callsOf(tandem)).every(({ status }) => status === 'completed' || status === 'no-answer'));
  });

  test('words that cannot be used, and a server that is somebody else’s, are refused with 2', async (t) => {
    const tandem = await Tandem.start(t);
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['calls'], /required option '--rate <n>' not specified/],
      [['calls', '--rate', '1001'], /--rate: got 1001; want 0\.01 to 1000/],
      [['calls', '--rate', '1', '--for', 'ever'], /got "ever"; want a time/],
      [['registrations', '--rate', '1', '--users-file', '/nowhere'], /--users-file \/nowhere: cannot be read/],
      [['creates', '--url', 'http://192.0.2.1:1', '--token', 'AC1:t'], /--remote-is-mine/],
    ];
    for (const [words, message] of cases) {
      const { code, stderr } = await tandem.command('load', ...words);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
    }
  });
});
