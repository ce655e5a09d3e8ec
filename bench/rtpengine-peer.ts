import { createSocket, type Socket } from 'node:dgram';
import { raiseSoundPriority } from '../src/media/sound-priority.ts';
import { RunningProcess } from '../src/testkit/child-process.ts';
import { claimPorts } from '../src/testkit/port-block.ts';
import type { Scope } from '../src/testkit/scope.ts';
import { temporaryFolder } from '../src/testkit/temporary-folder.ts';

const LOOPBACK = '127.0.0.1';
const ANSWER_WITHIN_MS = 500;
const MAX_TRIES = 20;

type Bencode = string | number | readonly Bencode[] | { readonly [key: string]: Bencode };

/** rtpengine in user space as a relay of plain RTP, driven over its NG protocol (a cookie and a bencoded dictionary). */
export class RtpenginePeer {
  readonly pid: number;
  readonly #socket: Socket;
  readonly #port: number;
  readonly #waiting = new Map<string, (answer: string) => void>();
  #cookies = 0;

  private constructor(pid: number, socket: Socket, port: number) {
    this.pid = pid;
    this.#socket = socket;
    this.#port = port;
    socket.on('message', (message) => {
      const text = message.toString('latin1');
      const blank = text.indexOf(' ');
      this.#waiting.get(text.slice(0, blank))?.(text.slice(blank + 1));
    });
    // Until rtpengine listens, the kernel refuses the datagram.
    socket.on('error', () => undefined);
  }

  /** `rtpPorts`: LOW-HIGH, two ports for each leg. */
  static async start(scope: Scope, rtpPorts: string): Promise<RtpenginePeer> {
    const folder = temporaryFolder(scope, 'rtpengine');
    const { first } = await claimPorts(scope);
    const [low, high] = rtpPorts.split('-');
    const options = [
      ...['--foreground', '--log-stderr', '--log-level=4', '--table=-1', `--interface=${LOOPBACK}`],
      ...[`--listen-ng=${LOOPBACK}:${first}`, `--port-min=${low}`, `--port-max=${high}`],
      `--pidfile=${folder}/rtpengine.pid`,
    ];
    const running = RunningProcess.start('rtpengine', options, { detached: true });
    running.ended.catch(() => undefined);
    if (running.pid === 0) throw new Error('rtpengine is not installed (Debian: apt-get install rtpengine-daemon)');
    scope.after(async () => void (await running.end('SIGTERM', 10_000)));
    const socket = createSocket('udp4');
    scope.after(async () => void socket.close());
    await new Promise<void>((resolve) => socket.bind(0, LOOPBACK, resolve));
    const peer = new RtpenginePeer(running.pid, socket, first);
    await peer.#command({ command: 'ping' }).catch((error: unknown) => {
      throw new Error(`rtpengine does not answer:\n${running.output()}`, { cause: error });
    });
    // As our media processes are.
    raiseSoundPriority(running.pid);
    return peer;
  }

  /** Joins two legs; returns what each must be told: the callee's view of the caller, the caller's of the callee. */
  async join(
    callId: string,
    offer: string,
    answer: string,
  ): Promise<{ readonly offer: string; readonly answer: string }> {
    const call = { 'call-id': callId, 'from-tag': 'caller', replace: ['origin', 'session-connection'], ICE: 'remove' };
    const offered = await this.#command({ command: 'offer', ...call, sdp: offer });
    const answered = await this.#command({ command: 'answer', ...call, 'to-tag': 'callee', sdp: answer });
    return { offer: sdpOf(offered), answer: sdpOf(answered) };
  }

  async #command(command: Readonly<Record<string, Bencode>> & { readonly command: string }): Promise<string> {
    this.#cookies += 1;
    const cookie = `bench${this.#cookies}`;
    const bytes = Buffer.from(`${cookie} ${encode(command)}`, 'latin1');
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#waiting.set(cookie, resolve);
    try {
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        this.#socket.send(bytes, this.#port, LOOPBACK);
        const late = Promise.withResolvers<undefined>();
        const timer = setTimeout(() => late.resolve(undefined), ANSWER_WITHIN_MS);
        const answer = await Promise.race([promise, late.promise]);
        clearTimeout(timer);
        if (answer !== undefined) return accepted(answer);
      }
    } finally {
      this.#waiting.delete(cookie);
    }
    throw new Error(`no answer to ${command.command} after ${MAX_TRIES} tries`);
  }
}

function encode(value: Bencode): string {
  if (typeof value === 'string') return `${Buffer.byteLength(value)}:${value}`;
  if (typeof value === 'number') return `i${value}e`;
  if (Array.isArray(value)) return `l${(value as readonly Bencode[]).map(encode).join('')}e`;
  const entries = Object.entries(value as Readonly<Record<string, Bencode>>).sort(([a], [b]) => (a < b ? -1 : 1));
  return `d${entries.map(([key, item]) => encode(key) + encode(item)).join('')}e`;
}

function accepted(answer: string): string {
  if (text(answer, 'result') === 'ok' || text(answer, 'result') === 'pong') return answer;
  throw new Error(`rtpengine refuses: ${text(answer, 'error-reason') ?? answer}`);
}

function sdpOf(answer: string): string {
  const sdp = text(answer, 'sdp');
  if (sdp === undefined) throw new Error(`rtpengine gave no session description: ${answer}`);
  return sdp;
}

/** The string that follows a key; keys of the answers used here occur once. */
function text(answer: string, key: string): string | undefined {
  const found = new RegExp(`${key.length}:${key}(\\d+):`).exec(answer);
  if (found === null) return undefined;
  const begin = found.index + found[0].length;
  return answer.slice(begin, begin + Number(found[1]));
}
