import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request, type IncomingMessage, type RequestOptions } from 'node:http';
import { connect } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { ApiUnderTest } from './api-under-test.ts';

interface ErrorBody {
  readonly code: number;
  readonly status: number;
  readonly message: string;
}

describe('the door', () => {
  let api: ApiUnderTest;
  before(async () => (api = await ApiUnderTest.open()));
  after(() => api.close());

  const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const outcome = async (response: Response) => {
    const body = (await response.json()) as ErrorBody;
    assert.equal(body.status, response.status);
    return [response.status, body.code];
  };

  it('lives without credentials at /health only', async () => {
    const health = await fetch(`${api.parts.url}/health`);
    assert.deepEqual([health.status, await health.json()], [200, { status: 'ok' }]);
    const response = await fetch(`${api.parts.url}/2010-04-01/Accounts.json`);
    assert.equal(response.headers.get('www-authenticate'), 'Basic realm="Tandem API"');
    assert.deepEqual(await outcome(response), [401, 20003]);
  });

  it('takes nothing from the pages of other sites, whatever credentials their browser adds', async () => {
    const { host } = new URL(api.parts.url);
    const post = async (headers: Readonly<Record<string, string>>): Promise<number> => {
      const { sid, authToken } = api.parts.account;
      const { hostname, port } = new URL(api.parts.url);
      const outgoing = request({
        ...{ hostname, port, method: 'POST', path: `/2010-04-01/Accounts/${sid}/Applications.json` },
        headers: {
          authorization: basic(sid, authToken),
          'content-type': 'application/x-www-form-urlencoded',
          ...headers,
        },
      });
      outgoing.end('FriendlyName=x');
      const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
      await readText(response);
      return response.statusCode ?? 0;
    };
    for (const foreign of [
      { origin: 'http://elsewhere.example' },
      { origin: 'null' },
      { origin: `https://${host}.elsewhere.example` },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:1' },
    ]) {
      assert.equal(await post(foreign), 403, JSON.stringify(foreign));
    }
    for (const own of [
      {},
      { origin: `http://${host}` },
      { 'sec-fetch-site': 'same-origin', origin: 'https://proxy' },
    ]) {
      assert.equal(await post(own), 201, JSON.stringify(own));
    }
  });

  it('takes no wrong, foreign or malformed credentials', async () => {
    const { sid, authToken } = api.parts.account;
    const wrong = [
      basic(sid, 'wrong'),
      basic(sid, ''),
      basic(sid, `${authToken}x`),
      basic(`AC${'0'.repeat(32)}`, authToken),
      basic(`SK${'0'.repeat(32)}`, ''),
      basic('', ''),
      'Basic',
      'Basic !!!',
      `Bearer ${authToken}`,
      `Basic ${'A'.repeat(2000)}`,
    ];
    for (const authorization of wrong) {
      const response = await api.get('/Calls.json', { headers: { authorization } });
      assert.deepEqual(await outcome(response), [401, 20003], authorization.slice(0, 40));
    }
  });

  it('a refused request leaves the connection usable, body or not', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const { hostname, port } = new URL(api.parts.url);
    const send = async (options: RequestOptions, body?: string) => {
      const outgoing = request({ hostname, port, agent, ...options });
      outgoing.end(body);
      const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
      await readText(response);
      return { status: response.statusCode, port: outgoing.socket?.localPort };
    };
    const path = `/2010-04-01/Accounts/${api.parts.account.sid}/Calls.json`;
    const authorization = basic(api.parts.account.sid, api.parts.account.authToken);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = `To=${'1'.repeat(20_000)}`;
    const answers = [
      await send({ path }),
      await send({ path, method: 'POST', headers: { ...headers, 'content-length': body.length } }, body),
      await send({ path, headers: { authorization } }),
      await send({ path, method: 'PUT', headers: { authorization } }),
      await send({ path, headers: { authorization } }),
    ];
    agent.destroy();
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [401, 401, 200, 405, 200],
    );
    assert.equal(new Set(answers.map((answer) => answer.port)).size, 1);
  });

  it('answers with and without .json, always JSON; unknown paths are 20404', async () => {
    for (const path of ['/Calls.json', '/Calls', '/Calls?PageSize=1']) {
      const response = await api.get(path);
      assert.equal(response.status, 200);
      assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
      assert.ok('calls' in ((await response.json()) as object));
    }
    for (const path of ['/Nothing.json', '/Calls/CA1/Nothing', '/Calls/%00.json']) {
      assert.deepEqual(await outcome(await api.get(path)), [404, 20404], path);
    }
    assert.deepEqual(await outcome(await api.get(`/Calls/${'x'.repeat(500)}`)), [414, 20413]);
    assert.deepEqual(await outcome(await fetch(`${api.parts.url}/elsewhere`)), [404, 20404]);
    assert.deepEqual(await outcome(await fetch(`${api.parts.url}/%zz`)), [400, 20001]);
  });

  it('another account of the place is not found', async () => {
    const stranger = await api.parts.records.accounts.create({ friendlyName: 'Stranger' });
    const authorization = basic(stranger.sid, stranger.authToken);
    assert.deepEqual(await outcome(await api.get('/Calls.json', { headers: { authorization } })), [404, 20404]);
  });

  it('a method that a resource does not have is 20004, with those that it has', async () => {
    const response = await api.get('/Calls.json', { method: 'DELETE' });
    assert.equal(response.headers.get('allow'), 'GET, POST, HEAD, OPTIONS');
    assert.deepEqual(await outcome(response), [405, 20004]);
    const options = await api.get('/Calls.json', { method: 'OPTIONS' });
    assert.deepEqual([options.status, options.headers.get('allow')], [204, 'GET, POST, HEAD, OPTIONS']);
    const head = await api.get('/Calls.json', { method: 'HEAD' });
    assert.deepEqual([head.status, await head.text()], [200, '']);
    assert.ok(Number(head.headers.get('content-length')) > 0);
  });

  it('malformed forms, other content types and oversized bodies are refused in JSON', async () => {
    const post = (body: string | Uint8Array<ArrayBuffer>, type = 'application/x-www-form-urlencoded') =>
      api.get('/Applications.json', { method: 'POST', body, headers: { 'content-type': type } }).then(outcome);
    assert.deepEqual(await post('FriendlyName=%zz'), [400, 20001]);
    assert.deepEqual(await post('FriendlyName=%ff'), [400, 20001]);
    assert.deepEqual(await post('FriendlyName=a%00b'), [400, 20001]);
    assert.deepEqual(await post('a=1&'.repeat(2000)), [400, 20001]);
    assert.deepEqual(await post('{}', 'application/json'), [415, 20415]);
    assert.deepEqual(await post(`FriendlyName=${'x'.repeat(300_000)}`), [413, 20413]);
    assert.deepEqual(await post('<x/>', 'nonsense'), [415, 20415]);
  });

  it('an empty POST without a content type is an empty form', async () => {
    const response = await api.get('/Applications.json', { method: 'POST' });
    assert.equal(response.status, 201);
    await response.text();
  });

  it('a client that is not speaking HTTP, or sends endless headers, gets an answer in JSON', async () => {
    for (const [bytes, status, code] of [
      ['HELO there\r\n\r\n', 400, 20001],
      [`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'y'.repeat(40_000)}\r\n\r\n`, 431, 20413],
    ] as const) {
      const { head, body } = await rawExchange(bytes);
      assert.match(head, new RegExp(`^HTTP/1.1 ${status} `));
      assert.equal((JSON.parse(body) as ErrorBody).code, code);
    }
  });

  it('a client that drips its request is cut off with 408', async () => {
    const slow = await ApiUnderTest.open({ limits: { requestTimeoutMs: 100 } });
    const { head, body } = await rawExchange('GET /health HTTP/1.1\r\nHost:', slow.parts.url);
    assert.match(head, /^HTTP\/1.1 408 /);
    assert.equal((JSON.parse(body) as ErrorBody).code, 20408);
    await slow.close();
  });

  it('an account that asks too much is told to wait, others are not', async () => {
    let left = 1;
    const paced = await ApiUnderTest.open({ pace: () => (left-- > 0 ? 0 : 2500) });
    assert.equal((await paced.get('/Calls.json')).status, 200);
    const refused = await paced.get('/Calls.json');
    assert.equal(refused.headers.get('retry-after'), '3');
    assert.deepEqual(await outcome(refused), [429, 20429]);
    await paced.close();
  });

  it('a full disk refuses what would be written, with 503', async () => {
    api.parts.store.fillDisk(true);
    const response = await api.get('/Applications.json', { method: 'POST' });
    const reading = await api.get('/Applications.json');
    api.parts.store.fillDisk(false);
    assert.deepEqual(await outcome(response), [503, 20503]);
    assert.equal(reading.status, 200);
    await reading.text();
  });

  it('no form makes it fail', async () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom(
        '+15551234567',
        'http://a.test/',
        'true',
        '-1',
        'sip:a@b',
        'AP1',
        '😀',
        '\u0000',
        ' ',
        'initiated',
      ),
    );
    const names = fc.constantFrom(
      ...[
        'To',
        'From',
        'Url',
        'Twiml',
        'Method',
        'Timeout',
        'StatusCallbackEvent',
        'SendDigits',
        'Record',
        'PhoneNumber',
      ],
      ...['FriendlyName', 'VoiceUrl', 'DomainName', 'Username', 'Password', 'Status', 'CredentialListSid', 'TimeLimit'],
    );
    const form = fc.array(fc.tuple(names, value), { maxLength: 8 });
    const encoded = form.map((fields) => fields.map(([k, v]) => `${k}=${encodeURIComponent(wellFormed(v))}`).join('&'));
    const path = fc.constantFrom('/Calls', '/Applications', '/IncomingPhoneNumbers', '/SIP/Domains', '/Keys');
    await fc.assert(
      fc.asyncProperty(path, fc.oneof(encoded, fc.string({ unit: 'binary' })), async (resource, body) => {
        const headers = { 'content-type': 'application/x-www-form-urlencoded' };
        const response = await api.get(resource, { method: 'POST', body: wellFormed(body), headers });
        await response.text();
        assert.ok(response.status < 500, `${response.status} for ${resource} ${JSON.stringify(body)}`);
      }),
      { numRuns: 150 },
    );
  });

  it('no query makes it fail', async () => {
    const names = fc.constantFrom(
      'PageSize',
      'Page',
      'PageToken',
      'StartTime',
      'StartTime>',
      'Status',
      'To',
      'Log',
      'x',
    );
    const query = fc.array(fc.tuple(names, fc.string({ unit: 'binary', maxLength: 20 })), { maxLength: 5 });
    const path = fc.constantFrom('/Calls', '/Recordings', '/Notifications', '/IncomingPhoneNumbers');
    await fc.assert(
      fc.asyncProperty(path, query, async (resource, fields) => {
        const text = fields.map(([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(wellFormed(v))}`).join('&');
        const response = await api.get(`${resource}.json?${text}`);
        await response.text();
        assert.ok(response.status < 500, `${response.status} for ${resource}?${text}`);
      }),
      { numRuns: 150 },
    );
  });

  /** Sends bytes on a connection of its own and reads until the server closes it. */
  async function rawExchange(bytes: string, url = api.parts.url): Promise<{ head: string; body: string }> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.write(bytes);
    const [head = '', body = ''] = (await readText(socket)).split('\r\n\r\n');
    return { head, body };
  }
});

function wellFormed(value: string): string {
  return value.toWellFormed();
}
