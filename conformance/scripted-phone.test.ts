import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import twilio from 'twilio';
import { Tandem, type TandemOptions } from '../src/testkit/tandem-process.ts';
import { eventually } from '../src/testkit/eventually.ts';
import { temporaryFolder } from '../src/testkit/temporary-folder.ts';
import { WebApplication } from '../src/testkit/web-application.ts';

// Phones that live in the running server: real signalling and sound over loopback, driven as a CI job drives it.

const NUMBER = '+12025550123';
const CALLER = '+12025550100';
const MENU = `<Response><Gather numDigits="1" timeout="5"><Say>For our opening hours, press 1.</Say></Gather>
  <Say>You pressed nothing.</Say></Response>`;

interface Result {
  readonly call: number;
  readonly state: string;
  readonly line?: string;
  readonly why?: string;
  readonly transcript: readonly string[];
}

interface World {
  readonly tandem: Tandem;
  readonly client: ReturnType<typeof twilio>;
  call(twiml: string, to?: string): Promise<string>;
  results(name?: string): Promise<readonly Result[]>;
  /** The n-th call when it is over. */
  over(call: number, name?: string): Promise<Result>;
  becomes(sid: string, status: string): Promise<void>;
}

async function world(t: TestContext, options: TandemOptions = {}): Promise<World> {
  const tandem = await Tandem.start(t, {
    ...options,
    config: { callsPerSecond: 100, speechEngine: 'wasm', numbers: [{ phoneNumber: CALLER }], ...options.config },
  });
  return worldOf(tandem);
}

function worldOf(tandem: Tandem): World {
  const client = twilio(tandem.ready.accountSid, tandem.ready.authToken);
  client.api.baseUrl = tandem.http;
  const results = async (name = 'tester'): Promise<readonly Result[]> => {
    const answer = await tandem.fetch(`/tandem/v1/phones/${name}/results`);
    return ((await answer.json()) as { results: readonly Result[] }).results;
  };
  return {
    tandem,
    client,
    results,
    call: async (twiml, to = NUMBER) => (await client.calls.create({ to, from: CALLER, twiml })).sid,
    over: async (call, name) => {
      const found = await eventually(
        async () => (await results(name)).find((each) => each.call === call && each.state !== 'running'),
        { until: (each) => each !== undefined, what: `the end of call ${call}`, withinMs: 30_000 },
      );
      assert.ok(found);
      return found;
    },
    becomes: async (sid, status) => {
      await eventually(async () => (await client.calls(sid).fetch()).status as string, {
        until: (each) => each === status,
        what: `${sid} to be ${status}`,
        withinMs: 10_000,
      });
    },
  };
}

const scripted = (...script: readonly string[]): TandemOptions => ({
  config: { phones: [{ name: 'tester', number: NUMBER, script }] },
});

suite('a scripted phone of the running server', () => {
  test('hears a prompt, presses a key, and hears the rest; two calls at once are two results', async (t) => {
    const { call, over, becomes } = await world(t, scripted('hear press 1', 'press w1', 'ended'));
    const sids = await Promise.all([call(MENU), call(MENU)]);
    for (const number of [1, 2]) {
      const { state, transcript, why } = await over(number);
      assert.equal(state, 'held', `${why}\n${transcript.join('\n')}`);
      assert.match(
        transcript.join('\n'),
        /heard "For our opening hours, press 1\."\n.*✔ to hear "press 1"\n.*pressed w1/,
      );
    }
    for (const sid of sids) await becomes(sid, 'completed');
  });

  test('a script that fails names its line, in the results and in the log', async (t) => {
    const { call, over, tandem } = await world(t, scripted('', 'hear We open at nine', 'press 1'));
    await call('<Response><Say>We open at seven.</Say></Response>');
    const { state, line, why } = await over(1);
    assert.deepEqual([state, line], ['failed', 'tester:2: hear We open at nine']);
    assert.match(why ?? '', /heard "We open at seven\.", then the call ended/);
    const { stdout } = await tandem.command('phone', 'results', 'tester');
    assert.match(stdout, /failed at tester:2: hear We open at nine\n {2}expected to hear/);
    assert.match((await tandem.command('logs')).stdout, /a scripted phone: failed/);
  });

  test('sound that is cut off is not heard', async (t) => {
    const { call, over } = await world(t, scripted('begin This is', 'press 1', 'hear never comes to its end'));
    await call(
      '<Response><Gather numDigits="1"><Say>This is a long announcement that by all means never comes to its end</Say></Gather></Response>',
    );
    const { state, why } = await over(1);
    assert.equal(state, 'failed');
    assert.match(why ?? '', /cut after/);
  });

  test('busy and no answer are what the caller gets', async (t) => {
    const { client, over, becomes } = await world(t, {
      config: {
        phones: [
          { name: 'engaged', number: NUMBER, script: ['answer busy'] },
          { name: 'away', number: '+12025550124', script: ['answer no', 'ended'] },
        ],
      },
    });
    const twiml = '<Response><Say>Hello</Say></Response>';
    const busy = await client.calls.create({ to: NUMBER, from: CALLER, twiml });
    const missed = await client.calls.create({ to: '+12025550124', from: CALLER, twiml, timeout: 1 });
    assert.equal((await over(1, 'engaged')).state, 'held');
    assert.equal((await over(1, 'away')).state, 'held');
    for (const [sid, status] of [
      [busy.sid, 'busy'],
      [missed.sid, 'no-answer'],
    ] as const) {
      await becomes(sid, status);
    }
  });

  test('is refused with its line when the script cannot be used, and leaves no phone behind', async (t) => {
    const { tandem } = await world(t);
    const folder = temporaryFolder(t, 'scripts');
    const refused = async (text: string): Promise<string> => {
      const script = join(folder, 'bad.phone');
      writeFileSync(script, text);
      const { code, stderr } = await tandem.command('phone', 'add', 'tester', '--script', script);
      assert.notEqual(code, 0);
      return stderr;
    };
    assert.match(await refused('hear Welcome\nshout'), /bad\.phone:2: shout.*want one of hear/);
    assert.match(await refused('request /voice'), /bad\.phone:1: request \/voice.*a phone sees no requests/);
    assert.match(await refused('hear a\nanswer no'), /only as the first step/);
    assert.match(await refused('# nothing'), /want at least one step/);
    assert.match((await tandem.command('phone', 'list')).stdout, /No phones yet/);
  });

  test('removing the phone ends its call and takes it from the list', async (t) => {
    const { tandem, call, becomes, results } = await world(t, scripted('wait 10m'));
    const sid = await call('<Response><Pause length="60"/></Response>');
    await becomes(sid, 'in-progress');
    assert.equal((await results()).length, 1);
    const { code, stderr } = await tandem.command('phone', 'remove', 'tester');
    assert.equal(code, 0, stderr);
    await becomes(sid, 'completed');
    assert.equal((await tandem.command('phone', 'results', 'tester')).code, 1);
  });

  test('is there again after a restart, registered before the server is ready', async (t) => {
    const data = temporaryFolder(t, 'data');
    const script = join(temporaryFolder(t, 'scripts'), 'greet.phone');
    writeFileSync(script, 'hear Good morning\nended\n');
    const first = await world(t, { data });
    const added = await first.tandem.command('phone', 'add', 'tester', '--script', script, '--number', NUMBER);
    assert.match(added.stdout, /does what greet\.phone says \(registered\)/);
    await first.tandem.stop();
    const second = await world(t, { data });
    await second.call('<Response><Say>Good morning.</Say></Response>');
    assert.equal((await second.over(1)).state, 'held');
  });

  test('calls an application by its script when it is run; the exit code says whether it held', async (t) => {
    const application = await WebApplication.start(t);
    const voiceUrl = application.on(
      '/voice',
      '<Gather numDigits="1" action="/key"><Say>Hello, press 1.</Say></Gather>',
    );
    application.on('/key', '<Say>Thank you.</Say>');
    const { tandem } = await world(t, {
      config: {
        numbers: [{ phoneNumber: CALLER, voiceUrl }],
        phones: [
          { name: 'caller', script: [`call ${CALLER}`, 'hear Hello', 'press 1', 'hear Thank you', 'ended'] },
          { name: 'stranger', script: ['call +12025550177', 'hear Hello'] },
          { name: 'callee', script: ['hear Hello'] },
        ],
      },
    });
    application.authToken = tandem.ready.authToken;
    const { code, stdout } = await tandem.command('phone', 'run', 'caller');
    assert.equal(code, 0, stdout);
    assert.match(stdout, /heard "Thank you\."/);
    assert.ok(application.requests.all.every(({ signed }) => signed));
    const failed = await tandem.command('phone', 'run', 'stranger');
    assert.equal(failed.code, 1);
    assert.match(failed.stdout, /failed at stranger:1: call \+12025550177/);
    const waits = await tandem.command('phone', 'run', 'callee');
    assert.match(waits.stderr, /waits for calls/);
  });
});
