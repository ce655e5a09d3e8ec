import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { eventually } from '../src/testkit/eventually.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';

const NUMBER = '+12025550160';
const METHODS = ['OPTIONS', 'REGISTER', 'INVITE'] as const;
const SCANNER = '127.0.0.3';
/** One that sends the same from many addresses, each of which has to be held back by itself. */
const SWARM = Array.from({ length: 20 }, (_, index) => `127.0.0.${index + 10}`);
const GUESSES_A_TURN = 40;
const TURN_MS = 10;
const ANSWER_WITHIN_MS = 3_000;
const MANY_NAMES = 5_000;
const MORE_NAMES = 12_000;
/** What the garbage of so many datagrams may leave; kept names alone would be more. */
const MAX_GROWTH_BYTES = 32 * 1024 * 1024;

const onLinux = process.platform === 'linux' ? {} : { skip: 'scanners: only Linux has a loopback of many addresses' };

interface Held {
  readonly source: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly times: number;
  readonly dropped: number;
}

/** A sender of SIP over UDP from an address of its own. */
class Sender {
  readonly answers: string[] = [];
  readonly #socket: Socket;
  readonly #to: number;
  #count = 0;

  private constructor(socket: Socket, to: number) {
    this.#socket = socket;
    this.#to = to;
    socket.on('message', (bytes) => void this.answers.push(bytes.toString('latin1')));
  }

  static async open(t: TestContext, address: string, to: number): Promise<Sender> {
    const socket = createSocket({ type: 'udp4' });
    await new Promise<void>((resolve) => socket.bind(0, address, resolve));
    t.after(() => socket.close());
    return new Sender(socket, to);
  }

  get address(): string {
    const { address, port } = this.#socket.address();
    return `${address}:${port}`;
  }

  /** Gives the Call-ID. */
  send(
    method: string,
    uri: string,
    more: { readonly user: string; readonly lines?: readonly string[]; body?: string },
  ) {
    this.#count += 1;
    const id = `${this.#count}-${this.address}`;
    const { user, lines = [], body = '' } = more;
    const text = [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP ${this.address};branch=z9hG4bK-${id};rport`,
      'Max-Forwards: 70',
      `From: <sip:${user}@127.0.0.1>;tag=${this.#count}`,
      `To: <${method === 'REGISTER' ? `sip:${user}@127.0.0.1` : uri}>`,
      `Call-ID: ${id}`,
      `CSeq: 1 ${method}`,
      `Contact: <sip:${user}@${this.address}>`,
      ...lines,
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n');
    this.#socket.send(text, this.#to, '127.0.0.1');
    return id;
  }

  /** The answer that is neither provisional nor late. */
  async answerTo(id: string): Promise<string> {
    const found = await eventually(async () => this.#final(id), {
      until: (answer) => answer !== undefined,
      what: `an answer to ${id}`,
      withinMs: ANSWER_WITHIN_MS,
    });
    return found ?? '';
  }

  #final(id: string): string | undefined {
    return this.answers.find((text) => text.includes(`Call-ID: ${id}\r\n`) && /^SIP\/2\.0 [2-6]/.test(text));
  }

  /** The request once more, with the password, as the challenge wants it; gives the last answer. */
  async withPassword(method: string, uri: string, more: Parameters<Sender['send']>[2], password: string) {
    const challenge = await this.answerTo(this.send(method, uri, more));
    const line = [...challenge.matchAll(/^(?:WWW|Proxy)-Authenticate: Digest (.*)$/gim)]
      .map(([, text]) => text ?? '')
      .find((text) => !/algorithm=(?!"?MD5"?\b(?!-))/i.test(text));
    const value = (name: string): string => new RegExp(`\\b${name}="([^"]*)"`).exec(line ?? '')?.[1] ?? '';
    const [realm, nonce] = [value('realm'), value('nonce')];
    const md5 = (text: string): string => hash('md5', text, 'hex');
    const secret = md5(`${more.user}:${realm}:${password}`);
    const response = md5(`${secret}:${nonce}:00000001:c:auth:${md5(`${method}:${uri}`)}`);
    const name = /^Proxy-/im.test(challenge) ? 'Proxy-Authorization' : 'Authorization';
    const fields = `username="${more.user}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}"`;
    const authorization = `${name}: Digest ${fields}, algorithm=MD5, qop=auth, nc=00000001, cnonce="c"`;
    return this.answerTo(this.send(method, uri, { ...more, lines: [...(more.lines ?? []), authorization] }));
  }
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

test(
  'scanners are held back for longer and longer, and a known phone registers and calls at once',
  onLinux,
  async (t) => {
    const tandem = await Tandem.start(t, {
      config: {
        ...{ strangersPerSecond: 2, silenceSeconds: 1 },
        phones: [
          { name: 'desk', password: 'correct-horse-battery' },
          { name: 'tester', number: NUMBER, script: ['ended'] },
        ],
      },
    });
    const port = Number(tandem.sip.split(':').at(-1));
    const [scanner, ...swarm] = await Promise.all([SCANNER, ...SWARM].map((from) => Sender.open(t, from, port)));
    assert.ok(scanner !== undefined);
    let guesses = 0;
    const scanning = setInterval(() => {
      for (let turn = 0; turn < GUESSES_A_TURN; turn += 1) {
        guesses += 1;
        const sender = guesses % 2 === 0 ? scanner : (swarm[guesses % swarm.length] ?? scanner);
        const method = METHODS[guesses % METHODS.length] ?? 'OPTIONS';
        const uri = method === 'REGISTER' ? 'sip:127.0.0.1' : `sip:${guesses}@127.0.0.1`;
        sender.send(method, uri, { user: `guess${guesses}` });
      }
    }, TURN_MS);
    t.after(() => clearInterval(scanning));

    const heldBack = async (): Promise<readonly Held[]> =>
      ((await (await tandem.fetch('/tandem/v1/held-back')).json()) as { heldBack: readonly Held[] }).heldBack;
    const longest = new Map<number, number>();
    await eventually(heldBack, {
      until: (all) => {
        const held = all.find(({ source }) => source === `udp ${SCANNER}`);
        if (held === undefined) return false;
        const left = held.until - Date.now();
        longest.set(held.times, Math.max(left, longest.get(held.times) ?? 0));
        return held.times >= 3 && left > 2_000;
      },
      what: 'the third silence',
      withinMs: 12_000,
    });
    assert.ok((longest.get(3) ?? 0) > 2 * (longest.get(1) ?? Infinity) * 0.9, JSON.stringify([...longest]));

    const phone = await Sender.open(t, '127.0.0.2', port);
    const began = Date.now();
    const password = 'correct-horse-battery';
    assert.match(await phone.withPassword('REGISTER', 'sip:127.0.0.1', { user: 'desk' }, password), /^SIP\/2\.0 200/);
    const body = `v=0\r\no=- 1 1 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n`;
    const invite = { user: 'desk', lines: ['Content-Type: application/sdp'], body };
    const called = await phone.withPassword('INVITE', `sip:${NUMBER}@127.0.0.1`, invite, password);
    assert.match(called, /^SIP\/2\.0 200/);
    t.diagnostic(`registered and answered within ${Date.now() - began} ms while ${guesses} names were guessed`);

    const sentAtMost = async (count: number): Promise<void> =>
      void (await eventually(async () => guesses, {
        until: (sent) => sent >= count,
        what: 'guesses',
        withinMs: 20_000,
      }));
    await sentAtMost(MANY_NAMES);
    const before = residentBytes(tandem.ready.pid);
    const answered = scanner.answers.length;
    await sentAtMost(guesses + MORE_NAMES);
    const growth = residentBytes(tandem.ready.pid) - before;
    t.diagnostic(
      `${MORE_NAMES} more names: ${Math.round(growth / 1024)} KiB; the scanner had ${scanner.answers.length} answers`,
    );
    assert.ok(growth < MAX_GROWTH_BYTES, `the memory grew by ${growth} bytes`);
    assert.ok(scanner.answers.length - answered < MORE_NAMES / 100, 'the scanner is still answered');

    await eventually(heldBack, {
      until: (all) => all.some(({ source, until }) => source === `udp ${SCANNER}` && until - Date.now() > 5_000),
      what: 'a silence that lasts longer than two commands take',
      withinMs: 20_000,
    });
    clearInterval(scanning);
    assert.match((await tandem.command('strangers', 'list')).stdout, new RegExp(`^${SCANNER} +SIP `, 'm'));
    const freed = await tandem.command('strangers', 'free', SCANNER);
    assert.match(freed.stdout, /is answered again \(SIP/, freed.stderr);
    const id = scanner.send('OPTIONS', 'sip:127.0.0.1', { user: 'freed' });
    assert.match(await scanner.answerTo(id), /^SIP\/2\.0 200/);
    const again = await tandem.command('strangers', 'free', SCANNER);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /is not held back/);
  },
);
