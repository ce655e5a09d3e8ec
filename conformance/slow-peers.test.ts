import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { suite, test, type TestContext } from 'node:test';
import twilio from 'twilio';
import { eventually } from '../src/testkit/eventually.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';

const NUMBER = '+12025550150';
const EACH = 50;
/** The longest of the bounds (15 s, looked at every 5 s; 30 s for a body that drips) on a machine that is busy. */
const CUT_WITHIN_MS = 60_000;
const CALL_WITHIN_MS = 30_000;
const DRIP_EVERY_MS = 400;

interface Place {
  readonly host: string;
  readonly port: number;
}

function placeOf(address: string): Place {
  const { hostname: host, port } = new URL(address.includes('//') ? address : `http://${address}`);
  return { host, port: Number(port) };
}

/** Slow peers of one kind: what each says at once, and then drips. */
class Peers {
  readonly sockets: Socket[] = [];
  #closed = 0;

  constructor(t: TestContext, at: Place, options: { readonly count?: number; readonly begin: string; drip?: string }) {
    const { count = EACH, begin, drip } = options;
    for (let index = 0; index < count; index += 1) {
      const socket = connect({ ...at, noDelay: true }, () => socket.write(begin, 'latin1'));
      socket.on('error', () => undefined);
      socket.on('data', () => undefined);
      socket.once('close', () => (this.#closed += 1));
      this.sockets.push(socket);
    }
    const dripping = setInterval(() => {
      for (const socket of this.sockets) if (drip !== undefined && socket.writable) socket.write(drip);
    }, DRIP_EVERY_MS);
    t.after(() => {
      clearInterval(dripping);
      for (const socket of this.sockets) socket.destroy();
    });
  }

  get open(): number {
    return this.sockets.length - this.#closed;
  }
}

/** A call from the API to a phone of the server itself, from its creation to its end. */
async function call(tandem: Tandem): Promise<string> {
  const client = twilio(tandem.ready.accountSid, tandem.ready.authToken);
  client.api.baseUrl = tandem.http;
  const { sid } = await client.calls.create({
    to: NUMBER,
    from: '+12025550100',
    twiml: '<Response><Hangup/></Response>',
  });
  return eventually(async () => (await client.calls(sid).fetch()).status as string, {
    until: (status) => ['completed', 'failed', 'busy', 'no-answer', 'canceled'].includes(status),
    what: 'the end of the call',
    withinMs: CALL_WITHIN_MS,
  });
}

const HALF_SIP = 'OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=';
/** A TLS record of a handshake that announces 512 bytes and brings two. */
const HALF_HELLO = '\x16\x03\x01\x02\x00\x01\x00';

suite('slow and half peers', () => {
  test('each is cut in time, and calls go through meanwhile', async (t) => {
    const tandem = await Tandem.start(t, {
      config: { callsPerSecond: 10, phones: [{ name: 'tester', number: NUMBER, script: ['ended'] }] },
    });
    const http = placeOf(tandem.http);
    const https = placeOf(tandem.https);
    const sip = placeOf(tandem.ready.sip.tcp);
    const authorization = Buffer.from(`${tandem.ready.accountSid}:${tandem.ready.authToken}`).toString('base64');
    const post = [
      `POST /2010-04-01/Accounts/${tandem.ready.accountSid}/Calls.json HTTP/1.1`,
      `Host: x\r\nAuthorization: Basic ${authorization}`,
      'Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100000\r\n\r\n',
    ].join('\r\n');
    const upgrade = [
      'GET /signal HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    ].join('\r\n');
    const kinds = {
      'HTTP, nothing said': new Peers(t, http, { begin: '' }),
      'HTTP, headers that drip': new Peers(t, http, { begin: 'GET / HTTP/1.1\r\nHost: x\r\nX: ', drip: 'a' }),
      'HTTP, a body that drips': new Peers(t, http, { begin: post, drip: 'a' }),
      'TLS, nothing said': new Peers(t, https, { begin: '' }),
      'TLS, half a handshake': new Peers(t, https, { begin: HALF_HELLO, drip: '\x00' }),
      'WebSocket that never listens': new Peers(t, http, { begin: upgrade }),
      'SIP, half a message': new Peers(t, sip, { begin: HALF_SIP }),
      'SIP, a message that drips': new Peers(t, sip, { begin: HALF_SIP, drip: 'a' }),
      'SIP, keep-alives alone': new Peers(t, sip, { begin: '\r\n\r\n', drip: '\r\n\r\n' }),
    };
    assert.equal(await call(tandem), 'completed');
    const left = (): Record<string, number> =>
      Object.fromEntries(Object.entries(kinds).flatMap(([kind, { open }]) => (open === 0 ? [] : [[kind, open]])));
    await eventually(async () => left(), {
      until: (open) => Object.keys(open).length === 0,
      what: 'every slow peer to be cut',
      withinMs: CUT_WITHIN_MS,
    });
    assert.equal(await call(tandem), 'completed');
  });

  test('a flood of SIP connections of one address is bounded, and others connect', async (t) => {
    const tandem = await Tandem.start(t, {
      config: { callsPerSecond: 10, phones: [{ name: 'tester', number: NUMBER, script: ['ended'] }] },
    });
    const sip = placeOf(tandem.ready.sip.tcp);
    const flood = new Peers(t, sip, { count: 700, begin: HALF_SIP });
    await eventually(async () => flood.open, {
      ...{ until: (open) => open <= 512, what: 'the surplus to be cut', withinMs: CUT_WITHIN_MS },
    });
    const other = connect({ ...sip, localAddress: '127.0.0.2' });
    t.after(() => other.destroy());
    await once(other, 'connect');
    const request =
      'OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.2;branch=z9hG4bK2\r\nFrom: <sip:a@b>;tag=1\r\n';
    other.write(
      `${request}To: <sip:127.0.0.1>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n`,
    );
    const [answer] = (await once(other, 'data')) as [Buffer];
    assert.match(answer.toString(), /^SIP\/2\.0 200 /);
    assert.equal(await call(tandem), 'completed');
  });
});
