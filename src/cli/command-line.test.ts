import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { type CommanderError } from 'commander';
import { atEnd } from '../testkit/scope.ts';
import { temporaryFolder } from '../testkit/temporary-folder.ts';
import { buildProgram } from './main.ts';
import { table } from './table.ts';
import { VERSION } from './version.ts';

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly body: string;
  readonly authorization: string | undefined;
}

interface FakeServer {
  readonly url: string;
  readonly asked: Asked[];
}

/** Answers by `METHOD path`. */
async function serving(context: TestContext, answers: Readonly<Record<string, unknown>>): Promise<FakeServer> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void read(request).then((body) => {
      const { method = '', url = '', headers } = request;
      asked.push({ method, url, body, authorization: headers.authorization });
      const answer = answers[`${method} ${url.split('?')[0] ?? ''}`];
      if (typeof answer === 'string') return response.end(answer);
      response.statusCode = answer === undefined ? 404 : 200;
      return response.end(JSON.stringify(answer ?? { code: 20_404, message: 'no such thing' }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(context, () => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, asked };
}

async function read(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

/** Runs a command line and gives what it printed. */
async function run(...words: readonly string[]): Promise<string> {
  const written: string[] = [];
  const output = process.stdout.write.bind(process.stdout);
  const complaints = process.stderr.write.bind(process.stderr);
  const program = buildProgram();
  program.configureOutput({ writeOut: (text) => written.push(text), writeErr: (text) => written.push(text) });
  // The runner of the tests speaks over stdout too, in bytes.
  process.stdout.write = (text: string | Uint8Array): boolean =>
    typeof text === 'string' ? written.push(text) > 0 : output(text);
  process.stderr.write = () => true;
  try {
    await program.parseAsync(['node', 'tandem', ...words]);
  } finally {
    process.stdout.write = output;
    process.stderr.write = complaints;
  }
  return written.join('');
}

const at = (server: FakeServer): readonly string[] => ['--server', server.url, '--token', 'AC1:secret'];
const CALLS = 'GET /2010-04-01/Accounts/AC1/Calls.json';

suite('commands', () => {
  test('know their version and list themselves', async () => {
    const ended = (words: readonly string[]): Promise<CommanderError> =>
      run(...words).then(
        () => assert.fail('it went on'),
        (error: unknown) => error as CommanderError,
      );
    assert.equal((await ended(['--version'])).message, VERSION);
    assert.equal((await ended(['phone', 'add', '--help'])).exitCode, 0);
    assert.equal((await ended(['phones'])).code, 'commander.unknownCommand');
    assert.equal((await ended(['up', '--htpp', 'x'])).code, 'commander.unknownOption');
    assert.equal((await ended(['phone', 'add'])).code, 'commander.missingArgument');
  });

  test('refuse a count that is none, and say what was got', async () => {
    for (const words of [
      ['calls', '--limit', 'many'],
      ['calls', '--limit', '0'],
      ['calls', '--limit', '1001'],
      ['load', 'calls', '--rate', '-1'],
      ['load', 'calls', '--rate', '0'],
      ['logs', '--lines', '-1'],
      ['trunk', 'add', 'out', 'sip:x', '--max-calls', '1.5'],
      ['up', '--calls-per-second', 'fast'],
    ]) {
      await assert.rejects(
        run(...words),
        (error: CommanderError) => /got .*want a (whole )?number/.test(error.message),
        words.join(' '),
      );
    }
  });

  test('call: wants the TwiML once, and says which call was made', async (context) => {
    const call = { sid: 'CA1', from: '+1', to: 'sip:bob', status: 'queued' };
    const server = await serving(context, { 'POST /2010-04-01/Accounts/AC1/Calls.json': call });
    const file = join(temporaryFolder(context, 'cli'), 'hello.xml');
    writeFileSync(file, '<Response/>');
    const server_ = ['--server', server.url, '--token', 'AC1:secret'];
    assert.equal(
      await run('call', '+1', 'sip:bob', '--twiml', file, ...server_),
      'CA1 queued: +1 calls sip:bob\nnpx tandem trace CA1 shows what becomes of it\n',
    );
    assert.deepEqual(JSON.parse(await run('call', '+1', 'sip:bob', '--url', 'http://app', '--json', ...server_)), call);
    assert.deepEqual(
      server.asked.map(({ body }) => Object.fromEntries(new URLSearchParams(body))),
      [
        { From: '+1', To: 'sip:bob', Twiml: '<Response/>' },
        { From: '+1', To: 'sip:bob', Url: 'http://app' },
      ],
    );
    assert.equal(server.asked[0]?.authorization, `Basic ${btoa('AC1:secret')}`);
    for (const wrong of [[], ['--url', 'http://app', '--twiml', file]]) {
      await assert.rejects(run('call', '+1', 'sip:bob', ...wrong, ...server_), { message: /either by --url/ });
    }
    await assert.rejects(run('call', '+1', 'sip:bob', '--twiml', `${file}.no`, ...server_), {
      message: /cannot be read/,
    });
  });

  test('calls: the newest, as a table or as JSON', async (context) => {
    const call = {
      sid: 'CA1',
      from: '+1',
      to: '+2',
      status: 'completed',
      direction: 'inbound',
      duration: '7',
      date_created: 'Sat',
    };
    const server = await serving(context, { [CALLS]: { calls: [call] } });
    assert.match(
      await run('calls', '--limit', '5', ...at(server)),
      /CREATED.*LENGTH\nSat +CA1 +\+1 +\+2 +inbound +completed +7 s\n$/,
    );
    assert.match(server.asked[0]?.url ?? '', /PageSize=5$/);
    assert.deepEqual(JSON.parse(await run('calls', '--json', ...at(server))), [call]);
  });

  test('phone: add shows what the phone needs, list where it is, remove takes it away', async (context) => {
    const registrar = '127.0.0.1:5060';
    const phone = { name: 'bob', number: null, password: 'secret', registrar, script: null, contacts: [] };
    const listed = { ...phone, number: '+1', contacts: [{ contact: 'sip:bob@10.0.0.7', userAgent: 'baresip' }] };
    const server = await serving(context, {
      'POST /tandem/v1/phones': phone,
      'GET /tandem/v1/phones': { phones: [listed, { ...phone, name: 'ann' }] },
      'DELETE /tandem/v1/phones/b%2Fb': '',
    });
    assert.match(
      await run('phone', 'add', 'bob', ...at(server)),
      /server +127\.0\.0\.1:5060\n +user +bob\n +password +secret/,
    );
    assert.deepEqual(JSON.parse(server.asked[0]?.body ?? ''), { name: 'bob' });
    const list = await run('phone', 'list', ...at(server));
    assert.match(list, /bob +\+1 +sip:bob@10\.0\.0\.7 +baresip\nann +not registered\n/);
    assert.equal(await run('phone', 'remove', 'b/b', ...at(server)), 'Phone b/b is gone.\n');
    const scripted = await serving(context, { 'POST /tandem/v1/phones': { ...phone, script: 'menu.phone' } });
    assert.match(await run('phone', 'add', 'bob', ...at(scripted)), /^Phone bob does what menu\.phone says/);
  });

  test('trunk: add says what may go out', async (context) => {
    const trunk = {
      name: 'out',
      uri: 'sip:gw',
      prefixes: ['+44'],
      maxCalls: 10,
      register: false,
      state: 'at 192.0.2.1',
    };
    const server = await serving(context, {
      'POST /tandem/v1/trunks': trunk,
      'GET /tandem/v1/trunks': { trunks: [trunk] },
    });
    const said = await run('trunk', 'add', 'out', 'sip:gw', '--prefix', '+44', '--max-calls', '3', ...at(server));
    assert.equal(said, 'Trunk out to sip:gw takes numbers that begin with +44.\n');
    assert.deepEqual(JSON.parse(server.asked[0]?.body ?? ''), {
      name: 'out',
      uri: 'sip:gw',
      prefixes: ['+44'],
      maxCalls: 3,
    });
    assert.match(await run('trunk', 'list', ...at(server)), /out +sip:gw +\+44 +10 +at 192\.0\.2\.1/);
  });

  test('number: add and list', async (context) => {
    const number = { sid: 'PN1', phone_number: '+12025550150', voice_url: null, sms_url: null };
    const path = '/2010-04-01/Accounts/AC1/IncomingPhoneNumbers.json';
    const server = await serving(context, {
      [`POST ${path}`]: number,
      [`GET ${path}`]: { incoming_phone_numbers: [number] },
    });
    const said = await run('number', 'add', '+12025550150', '--voice-url', 'http://app', ...at(server));
    assert.match(said, /\+12025550150 is yours \(PN1\)\. Calls go to no application yet\./);
    assert.match(await run('number', 'list', ...at(server)), /\+12025550150\n/);
  });

  test('logs: readable, or as they are; empty lines are nobody’s', async (context) => {
    const line = JSON.stringify({ level: 'warn', time: 0, callSid: 'CA1', count: 2, msg: 'late' });
    const server = await serving(context, { 'GET /tandem/v1/logs': `\n${line}\n\nnot JSON\n` });
    assert.equal(
      await run('logs', ...at(server)),
      '1970-01-01T00:00:00.000Z WARN  late callSid=CA1 count=2\nnot JSON\n',
    );
    assert.equal(await run('logs', '--json', '--lines', '3', ...at(server)), `${line}\nnot JSON\n`);
    assert.match(server.asked[1]?.url ?? '', /lines=3&follow=false/);
  });

  test('stop: says which server', async (context) => {
    const server = await serving(context, { 'POST /tandem/v1/stop': { stopping: true } });
    assert.equal(await run('stop', ...at(server)), `The server at ${server.url} is stopping.\n`);
  });
});

suite('finding the server', () => {
  test('by the run file of the data folder', async (context) => {
    const server = await serving(context, { [CALLS]: { calls: [] } });
    const data = temporaryFolder(context, 'cli');
    writeFileSync(join(data, 'run.json'), JSON.stringify({ url: server.url, accountSid: 'AC1', authToken: 'secret' }));
    await run('calls', '--data', data);
    assert.equal(server.asked[0]?.authorization, `Basic ${btoa('AC1:secret')}`);
  });

  test('or says how one is started or named', async (context) => {
    const data = temporaryFolder(context, 'cli');
    await assert.rejects(run('calls', '--data', data), { code: 'cli', message: /no server runs on.*tandem up/ });
    await assert.rejects(run('calls', '--url', 'http://127.0.0.1:1'), { message: /needs --token/ });
    for (const name of ['--server', '--url']) {
      await assert.rejects(run('calls', name, 'http://127.0.0.1:1', '--token', 'AC1:x'), {
        message: /no server answers at.*tandem up/,
      });
    }
  });

  test('and tells what it refuses, with its code, and what is no Tandem', async (context) => {
    const server = await serving(context, { 'GET /tandem/v1/phones': '<html>' });
    await assert.rejects(run('trunk', 'list', ...at(server)), { message: 'no such thing (error 20404)' });
    await assert.rejects(run('phone', 'list', ...at(server)), { message: /is not Tandem/ });
  });
});

test('a table stands in columns, without blanks at the ends', () => {
  assert.equal(
    table(
      ['A', 'LONG'],
      [
        ['xyz', 'b'],
        ['', 'c'],
      ],
    ),
    'A    LONG\nxyz  b\n     c',
  );
});
