import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { suite, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import twilio from 'twilio';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { systemRandom } from '../base/random.ts';
import { openGuardedHttp } from '../http/guarded.ts';
import { TargetPolicy } from '../http/target-policy.ts';
import type { FetchedDocument } from './executor-ports.ts';
import type { Fault } from './faults.ts';
import type { Call } from './model.ts';
import { Webhooks } from './webhooks.ts';

const TOKEN = 'secret';
const TWIML = '<?xml version="1.0"?><Response><Say>hello</Say></Response>';
// Only what the parameters are made of.
const CALL = {
  sid: 'CA1',
  accountSid: 'AC1',
  from: '+15550001',
  to: '+15550002',
  status: 'ringing',
  direction: 'inbound',
  parentCallSid: null,
  forwardedFrom: null,
  callerName: null,
} as unknown as Call;

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

interface Fetched {
  readonly result: FetchedDocument;
  readonly codes: readonly number[];
}

/** Runs an application on a free port and fetches `path` from it. */
async function fetchFrom(handler: Handler, path: string, more: { readonly fallback?: string } = {}): Promise<Fetched> {
  const server = createServer((request, response) => void Promise.resolve(handler(request, response)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const directory = mkdtempSync(join(tmpdir(), 'tandem-wire-'));
  const policy = new TargetPolicy(['loopback']);
  const http = openGuardedHttp({ policy, clock: systemClock, logger: silentLogger });
  const webhooks = new Webhooks({ http, clock: systemClock, random: systemRandom, soundDirectory: directory });
  const faults: Fault[] = [];
  try {
    const fallbackUrl = more.fallback === undefined ? undefined : origin + more.fallback;
    const result = await webhooks.fetchDocument(
      {
        url: path.startsWith('http') ? path : origin + path,
        method: 'POST',
        parameters: { Digits: '0-9*#é +' },
        fallbackUrl,
      },
      { accountSid: 'AC1', authToken: TOKEN, call: CALL, report: (made) => faults.push(made) },
    );
    return { result, codes: faults.map((each) => each.code) };
  } finally {
    await http.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What the vendor's middleware checks: the URL that was asked for, the form, the header. */
async function isSigned(request: IncomingMessage): Promise<boolean> {
  const form = Object.fromEntries(new URLSearchParams(await text(request)));
  const url = `http://${request.headers.host ?? ''}${request.url ?? ''}`;
  return twilio.validateRequest(TOKEN, String(request.headers['x-twilio-signature']), url, form);
}

function xml(response: ServerResponse, body: string | Uint8Array = TWIML, headers: Record<string, string> = {}): void {
  response.writeHead(200, { 'content-type': 'text/xml', ...headers }).end(body);
}

suite('an application on the wire', () => {
  test('receives what the vendor SDK takes as signed', async () => {
    let signed = false;
    const { result, codes } = await fetchFrom(async (request, response) => {
      signed = await isSigned(request);
      xml(response);
    }, '/voice?menu=a%20b&x=%C3%A9');
    assert.equal(result.kind, 'document');
    assert.ok(signed);
    assert.deepEqual(codes, []);
  });

  test('receives a signature for each hop of a redirect', async () => {
    const signed: boolean[] = [];
    const { result } = await fetchFrom(async (request, response) => {
      signed.push(await isSigned(request));
      if (request.url === '/voice') response.writeHead(302, { location: '/moved' }).end();
      else xml(response);
    }, '/voice');
    assert.match(result.kind === 'document' ? result.baseUrl : '', /\/moved$/);
    assert.deepEqual(signed, [true, true]);
  });

  test('may answer compressed', async () => {
    const { result } = await fetchFrom(
      (_, response) => xml(response, gzipSync(TWIML), { 'content-encoding': 'gzip' }),
      '/voice',
    );
    assert.equal(result.kind, 'document');
  });

  test('that drops the first connection is asked again', async () => {
    let count = 0;
    const { result, codes } = await fetchFrom((request, response) => {
      count += 1;
      if (count === 1) request.socket.destroy();
      else xml(response);
    }, '/voice');
    assert.equal(result.kind, 'document');
    assert.equal(count, 2);
    assert.deepEqual(codes, []);
  });

  const drip = (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'text/xml' });
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
  };
  const broken: readonly (readonly [string, string, Handler, number])[] = [
    ['answers 500', '/voice', (_, response) => void response.writeHead(500).end('oops'), 11200],
    ['never answers', '/voice#rt=150', () => undefined, 11200],
    ['drips', '/voice#tt=300', (_, response) => drip(response), 11200],
    ['resets every connection', '/voice', (request) => void request.socket.resetAndDestroy(), 11205],
    [
      'redirects in a circle',
      '/voice',
      (_, response) => void response.writeHead(302, { location: '/voice' }).end(),
      11215,
    ],
    [
      'breaks off in the middle',
      '/voice',
      (request, response) => {
        response.writeHead(200, { 'content-type': 'text/xml', 'content-length': '1000' });
        response.write('<Response>', () => request.socket.destroy());
      },
      11206,
    ],
    [
      'sends half of a compressed body',
      '/voice',
      (_, response) => xml(response, gzipSync(TWIML).subarray(0, 30), { 'content-encoding': 'gzip' }),
      11206,
    ],
    ['sends too much', '/voice', (_, response) => xml(response, ' '.repeat(20 * 1024 * 1024)), 11750],
    ['sends bytes of another charset', '/voice', (_, response) => xml(response, Buffer.from('<é/>', 'latin1')), 12100],
    ['sends nothing', '/voice', (_, response) => xml(response, ''), 11770],
    ['sends a picture', '/voice', (_, response) => xml(response, 'x', { 'content-type': 'image/png' }), 12300],
  ];
  for (const [what, path, handler, code] of broken) {
    test(`that ${what} is one fault, ${code}`, async () => {
      const { result, codes } = await fetchFrom(handler, path);
      assert.equal(result.kind, 'fault');
      assert.deepEqual(codes, [code]);
    });

    test(`that ${what} is replaced by its fallback`, async () => {
      const handle: Handler = (request, response) =>
        request.url === '/fallback' ? xml(response) : handler(request, response);
      const { result, codes } = await fetchFrom(handle, path, { fallback: '/fallback' });
      assert.equal(result.kind, 'document');
      assert.deepEqual(codes, [code]);
    });
  }

  test('at a place that the operator does not allow is never asked', async () => {
    const { codes } = await fetchFrom(() => undefined, 'http://169.254.169.254/latest/meta-data');
    assert.deepEqual(codes, [11200]);
  });
});
