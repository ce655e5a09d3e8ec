import assert from 'node:assert/strict';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { after, describe, it } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { openGuardedHttp } from './guarded.ts';
import { HttpError } from './http-error.ts';
import type { HttpFailureKind, HttpRequest, HttpResponse, OutgoingHttp } from './outgoing.ts';
import { DEVELOPMENT_TARGETS, TargetPolicy } from './target-policy.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const closers: (() => Promise<void>)[] = [];
after(async () => {
  for (const close of closers) await close();
});

async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

const httpServer = async (answer: Answer): Promise<string> =>
  `http://127.0.0.1:${await listening(createHttpServer(answer))}`;
/** A server that speaks raw bytes, once it has read something. */
const rawServer = async (speak: (socket: Socket) => void): Promise<string> => {
  const server = createTcpServer((socket) => socket.once('data', () => speak(socket)));
  return `http://127.0.0.1:${await listening(server)}`;
};

function open(entries: readonly string[] = DEVELOPMENT_TARGETS): OutgoingHttp {
  const http = openGuardedHttp({ policy: new TargetPolicy(entries), clock: systemClock, logger: silentLogger });
  closers.push(() => http.close());
  return http;
}
const shared = open();
const get = (url: string, more: Partial<HttpRequest> = {}): Promise<HttpResponse> =>
  shared.request({ method: 'GET', url, ...more });
const text = (response: HttpResponse): string => Buffer.from(response.body).toString('utf8');

async function fails(kind: HttpFailureKind, promise: Promise<unknown>, message = /./): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof HttpError, String(error));
    assert.equal(error.code, kind, error.message);
    assert.match(error.message, message);
    return true;
  });
}

describe('a request', () => {
  it('carries method, headers and body there and the answer back', async () => {
    const url = await httpServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        response.writeHead(201, { 'X-One': ['a', 'b'] });
        response.end(
          `${request.method} ${request.url} ${String(request.headers['x-two'])} ${Buffer.concat(chunks).toString()}`,
        );
      });
    });
    const sent = { method: 'POST' as const, headers: { 'X-Two': '2' }, body: 'a=1' };
    const response = await get(`${url}/path?q=1#fragment`, sent);
    assert.equal(response.status, 201);
    assert.equal(response.headers['x-one'], 'a, b');
    assert.equal(text(response), 'POST /path?q=1 2 a=1');
    assert.equal(response.url, `${url}/path?q=1`);
  });

  it('sends user and password of the URL as Basic, and only then', async () => {
    const url = await httpServer((request, response) => response.end(request.headers.authorization ?? 'none'));
    const basic = Buffer.from('me:p@ss').toString('base64');
    assert.equal(text(await get(url.replace('//', '//me:p%40ss@'))), `Basic ${basic}`);
    assert.equal(text(await get(url)), 'none');
    await fails('bad-url', get(url.replace('//', '//me:%E0@')));
  });

  it('refuses what is no http URL', async () => {
    for (const url of [
      '',
      'nonsense',
      'ftp://127.0.0.1/',
      'file:///etc/passwd',
      'javascript:1',
      'http://',
      '//127.0.0.1/',
    ]) {
      await fails('bad-url', get(url));
    }
    await fails('bad-url', get(`http://127.0.0.1/${'x'.repeat(9_000)}`));
  });

  it('passes every status on', async () => {
    for (const status of [204, 404, 500]) {
      const url = await httpServer((_, response) => response.writeHead(status).end());
      assert.equal((await get(url)).status, status);
    }
  });

  it('holds virtual time while it is open', async () => {
    const clock = new VirtualClock();
    const order: string[] = [];
    const url = await httpServer((_, response) => setImmediate(() => response.end('x')));
    const http = openGuardedHttp({ policy: new TargetPolicy(['loopback']), clock, logger: silentLogger });
    clock.at(1, () => order.push('timer'));
    const done = http.request({ method: 'GET', url }).then(() => order.push('answer'));
    await clock.advance(10);
    await done;
    assert.deepEqual(order, ['answer', 'timer']);
    await http.close();
    await fails('refused', http.request({ method: 'GET', url }));
  });
});

describe('the guard', () => {
  it('never connects to addresses that are not allowed, in any spelling', async () => {
    const spellings = [
      '169.254.169.254',
      '2852039166',
      '0xa9fea9fe',
      '0251.0376.0251.0376',
      '169.254.43518',
      '0',
      '0.0.0.0',
    ];
    const v6 = [
      '[::ffff:169.254.169.254]',
      '[fe80::1]',
      '[fd00:ec2::254]',
      '[::]',
      '[64:ff9b::a9fe:a9fe]',
      '[2002:a9fe:a9fe::]',
    ];
    const http = open(['any']);
    for (const host of [...spellings, ...v6]) {
      await fails('forbidden-target', http.request({ method: 'GET', url: `http://${host}/latest/meta-data` }), /never/);
    }
  });

  it('refuses addresses outside the list and says what is on it', async () => {
    await fails('forbidden-target', get('http://192.0.2.1/'), /only loopback, lan may be reached/);
    await fails('forbidden-target', get('http://[2001:db8::1]/'));
  });

  it('checks what a name resolves to', async () => {
    const url = (await httpServer((_, response) => response.end('ok'))).replace('127.0.0.1', 'localhost');
    assert.equal(text(await get(url)), 'ok');
    await fails(
      'forbidden-target',
      open(['10.0.0.0/8']).request({ method: 'GET', url }),
      /"localhost" must not be reached/,
    );
    assert.equal(text(await open(['localhost']).request({ method: 'GET', url })), 'ok');
  });

  it('checks each redirect again', async () => {
    for (const target of ['http://169.254.169.254/', 'http://192.0.2.1/', '//[fe80::1]/']) {
      const url = await httpServer((_, response) => response.writeHead(302, { location: target }).end());
      await fails('forbidden-target', get(url));
    }
  });
});

describe('redirects', () => {
  const echo: Answer = (request, response) => {
    const step = /^\/to\/(\d+)$/.exec(request.url ?? '')?.[1];
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (step !== undefined) response.writeHead(Number(step), { location: '/end' }).end();
      else response.end(`${request.method} ${request.url} ${request.headers['content-type'] ?? '-'} ${body}`);
    });
  };

  it('turn a POST into a GET, except 307 and 308', async () => {
    const url = await httpServer(echo);
    const post = { method: 'POST' as const, body: 'a=1', headers: { 'Content-Type': 'text/plain' } };
    for (const status of [301, 302, 303]) assert.equal(text(await get(`${url}/to/${status}`, post)), 'GET /end - ');
    for (const status of [307, 308]) {
      assert.equal(text(await get(`${url}/to/${status}`, post)), 'POST /end text/plain a=1');
    }
    assert.equal((await get(`${url}/to/302`)).url, `${url}/end`);
  });

  it('are followed up to the limit', async () => {
    const url = await httpServer((request, response) => {
      const n = Number(request.url?.slice(1));
      if (n === 0) response.end('end');
      else response.writeHead(302, { location: `/${n - 1}` }).end();
    });
    assert.equal(text(await get(`${url}/10`)), 'end');
    await fails('too-many-redirects', get(`${url}/11`));
    await fails('too-many-redirects', get(`${url}/1`, { maxRedirects: 0 }));
  });

  it('that loop end, and one to no URL is said', async () => {
    await fails(
      'too-many-redirects',
      get(await httpServer((_, response) => response.writeHead(302, { location: '/' }).end())),
    );
    const bad = await httpServer((_, response) => response.writeHead(302, { location: 'gopher://x/' }).end());
    await fails('bad-url', get(bad));
    const none = await httpServer((_, response) => response.writeHead(302).end('here'));
    assert.equal(text(await get(none)), 'here');
  });

  it('ask for headers for each hop, and keep secrets from another origin', async () => {
    const seen: string[] = [];
    const second = await httpServer((request, response) => {
      response.end(
        `${request.headers.authorization ?? '-'} ${String(request.headers['x-signed'])} ${String(request.headers['x-kept'])}`,
      );
    });
    const first = await httpServer((_, response) => response.writeHead(307, { location: `${second}/b` }).end());
    const headersFor = (url: string, method: string): Record<string, string> => {
      seen.push(`${method} ${url}`);
      return { 'X-Signed': url };
    };
    const headers = { Authorization: 'secret', 'X-Kept': 'yes' };
    const response = await get(`${first}/a`, { method: 'POST', body: 'x', headers, headersFor });
    assert.equal(text(response), `- ${second}/b yes`);
    assert.deepEqual(seen, [`POST ${first}/a`, `POST ${second}/b`]);
  });
});

describe('a server that', () => {
  it('does not listen is `refused`', async () => {
    const server = createTcpServer();
    const port = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    await fails('refused', get(`http://127.0.0.1:${port}/`));
  });

  it('has a name that does not exist is `bad-host`', async () => {
    await fails('bad-host', get('http://no-such-host.invalid/'));
  });

  it('resets before it answers is `refused`', async () => {
    await fails('refused', get(await rawServer((socket) => socket.resetAndDestroy())));
    await fails('refused', get(await rawServer((socket) => socket.end())));
  });

  it('accepts and says nothing is `read-timeout`', async () => {
    await fails('read-timeout', get(await rawServer(() => undefined), { readTimeoutMs: 60 }), /within 60 ms/);
  });

  it('stops in the middle of its body is `read-timeout`', async () => {
    const url = await rawServer((socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'));
    await fails('read-timeout', get(url, { readTimeoutMs: 60 }));
  });

  it('drips without end is `total-timeout`', async () => {
    const url = await rawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n');
      const drip = setInterval(() => socket.write('x'), 10);
      socket.on('close', () => clearInterval(drip));
    });
    await fails('total-timeout', get(url, { readTimeoutMs: 80, totalTimeoutMs: 200 }));
  });

  it('redirects slowly is held to the total time', async () => {
    const url = await httpServer((_, response) => {
      setTimeout(() => response.writeHead(302, { location: '/' }).end(), 50);
    });
    await fails('total-timeout', get(url, { totalTimeoutMs: 150 }));
  });

  it('does not finish the TLS handshake is `connect-timeout`', async () => {
    const url = (await rawServer(() => undefined)).replace('http:', 'https:');
    await fails('connect-timeout', get(url, { connectTimeoutMs: 80 }));
  });

  it('speaks no TLS, or fails its handshake, is `tls`', async () => {
    const plain = await rawServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
    await fails('tls', get(plain.replace('http:', 'https:')));
    const port = await listening(createTlsServer(() => undefined));
    await fails('tls', get(`https://127.0.0.1:${port}/`));
  });

  it('speaks no HTTP is `protocol`', async () => {
    await fails('protocol', get(await rawServer((socket) => socket.end('220 mail ready\r\n'))));
    const header = `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`;
    await fails('protocol', get(await rawServer((socket) => socket.end(header))));
  });

  it('cuts its body off is `protocol`', async () => {
    const head = 'HTTP/1.1 200 OK\r\n';
    for (const rest of ['content-length: 9\r\n\r\nhalf', 'transfer-encoding: chunked\r\n\r\n9\r\nhalf']) {
      await fails('protocol', get(await rawServer((socket) => socket.end(`${head}${rest}`))));
    }
    const reset = await rawServer((socket) => {
      socket.write(`${head}content-length: 9\r\n\r\nhalf`, () => setImmediate(() => socket.resetAndDestroy()));
    });
    await fails('protocol', get(reset));
  });

  it('answers too much is `too-large`, announced or not', async () => {
    const announced = await httpServer((_, response) => response.end('x'.repeat(2_000)));
    await fails('too-large', get(announced, { maxBytes: 1_000 }));
    const endless = await httpServer((_, response) => {
      const more = (): void => void response.write('x'.repeat(10_000), (error) => error ?? more());
      more();
    });
    await fails('too-large', get(endless, { maxBytes: 100_000 }));
    assert.equal((await get(announced, { maxBytes: 2_000 })).body.length, 2_000);
    assert.equal((await get(announced, { method: 'HEAD', maxBytes: 10 })).status, 200);
  });

  it('sends an early hint first is heard to the end', async () => {
    const url = await httpServer((_, response) => {
      response.writeEarlyHints({ link: '</a>; rel=preload' });
      response.end('final');
    });
    assert.equal(text(await get(url)), 'final');
  });
});

describe('a compressed body', () => {
  const compressed = (encoding: string, body: Uint8Array): Promise<string> =>
    httpServer((_, response) => response.writeHead(200, { 'content-encoding': encoding }).end(body));

  it('is decoded, in every coding that is asked for', async () => {
    const bodies: readonly (readonly [string, Uint8Array])[] = [
      ['gzip', gzipSync('hello')],
      ['deflate', deflateSync('hello')],
      ['deflate', deflateRawSync('hello')],
      ['br', brotliCompressSync('hello')],
      ['deflate, gzip', gzipSync(deflateSync('hello'))],
      ['identity', Buffer.from('hello')],
    ];
    for (const [encoding, body] of bodies) assert.equal(text(await get(await compressed(encoding, body))), 'hello');
  });

  it('that is a bomb is `too-large`', async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000));
    await fails('too-large', get(await compressed('gzip', bomb), { maxBytes: 1_000_000 }), /decoded/);
    await fails('too-large', get(await compressed('gzip, gzip', gzipSync(bomb)), { maxBytes: 1_000_000 }));
  });

  it('that is cut off, broken or in another coding is `protocol`', async () => {
    const whole = gzipSync('hello '.repeat(1_000));
    await fails('protocol', get(await compressed('gzip', whole.subarray(0, -10))));
    await fails('protocol', get(await compressed('gzip', Buffer.from('not gzip'))));
    await fails('protocol', get(await compressed('zstd', whole)));
    await fails('protocol', get(await compressed('gzip, gzip, gzip', whole)));
  });
});
