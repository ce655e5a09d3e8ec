import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { atEnd, type Scope } from '../../src/testkit/scope.ts';

/** How the phone behaves; the last letter of the name that is dialled chooses. */
export const MANNERS = ['busy', 'talk', 'leave', 'ring', 'silent', 'gone'] as const;
export type Manner = (typeof MANNERS)[number];

const LEAVES_AFTER_MS = 300;
const PACKET_MS = 20;
const PACKET_BYTES = 160;
/** More than any call of the rounds lasts. */
const MAX_PACKETS = 200;

/**
 * The other end of every call: a SIP endpoint over UDP that shares no line with the program it measures. It counts how
 * often each name is dialled: one INVITE transaction (Call-ID and branch) is one attempt, however often it is sent again.
 */
export class CountingPhone {
  readonly #socket: Socket;
  /** All calls speak from here; each with its own SSRC. */
  readonly #sound: Socket;
  readonly #attempts = new Map<string, Set<string>>();
  readonly #timers = new Set<NodeJS.Timeout>();

  private constructor(socket: Socket, sound: Socket) {
    this.#socket = socket;
    this.#sound = sound;
  }

  static async start(scope: Scope): Promise<CountingPhone> {
    const [socket, sound] = await Promise.all([boundSocket(), boundSocket()]);
    const phone = new CountingPhone(socket, sound);
    sound.on('error', () => undefined);
    socket.on('message', (bytes, from) => phone.#take(bytes.toString('utf8'), from));
    socket.on('error', () => undefined);
    atEnd(scope, () => {
      for (const timer of phone.#timers) clearInterval(timer);
      sound.close();
      return new Promise<void>((resolve) => socket.close(() => resolve()));
    });
    return phone;
  }

  /** A name that nobody was called yet, and the address that dials it. */
  address(name: string): string {
    return `sip:${name}@127.0.0.1:${this.#socket.address().port}`;
  }

  static nameOf(count: number, manner: Manner): string {
    return `call${count}-${manner}`;
  }

  /** INVITE transactions that named it. */
  attempts(name: string): number {
    return this.#attempts.get(name)?.size ?? 0;
  }

  #take(text: string, from: RemoteInfo): void {
    const method = /^([A-Z]+) sip:/.exec(text)?.[1];
    if (method === undefined || method === 'ACK') return;
    const reply = (status: string, more?: { readonly contact?: string; readonly sdp?: string }): void =>
      this.#send(answer(text, status, more), from);
    if (method !== 'INVITE') {
      reply('200 OK');
      // The callee's own answer to the INVITE that CANCEL names (RFC 3261 9.2).
      if (method === 'CANCEL') this.#send(answer(text, '487 Request Terminated', {}, 'INVITE'), from);
      return;
    }
    const name = /^INVITE sip:([^@;>\s]+)/.exec(text)?.[1] ?? '';
    // In a dialog the To header has a tag: no new call.
    if (/^(?:To|t)\s*:.*;\s*tag=/im.test(text)) {
      reply('200 OK', { contact: this.address(name), sdp: this.#sdp });
      return;
    }
    const key = `${header(text, 'Call-ID')} ${/branch=([^;\s,]+)/.exec(text)?.[1] ?? ''}`;
    const attempts = this.#attempts.get(name) ?? new Set();
    this.#attempts.set(name, attempts.add(key));
    this.#behave(name.split('-').at(-1) as Manner, { text, name, from, reply });
  }

  #behave(manner: Manner, invite: Invite): void {
    const { reply, name } = invite;
    switch (manner) {
      case 'busy':
        reply('180 Ringing');
        reply('486 Busy Here');
        return;
      case 'gone':
        reply('404 Not Found');
        return;
      case 'ring':
        reply('180 Ringing');
        return;
      case 'silent':
        return;
      case 'talk':
      case 'leave':
        reply('200 OK', { contact: this.address(name), sdp: this.#sdp });
        this.#speak(invite.text);
        if (manner === 'leave') this.#later(() => this.#send(bye(invite), invite.from));
    }
  }

  get #sdp(): string {
    const origin = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'];
    return [...origin, `m=audio ${this.#sound.address().port} RTP/AVP 0`, 'a=rtpmap:0 PCMU/8000', ''].join('\r\n');
  }

  /** A loud buzz in PCMU to where the offer says, so that a recording has something to hold. */
  #speak(offer: string): void {
    const port = Number(/^m=audio (\d+)/m.exec(offer)?.[1]);
    const packet = Buffer.alloc(12 + PACKET_BYTES, 0x0f);
    packet.fill(0x8f, 12 + PACKET_BYTES / 2);
    packet.writeUInt16BE(0x8000, 0);
    packet.writeUInt32BE(port, 8);
    let sent = 0;
    const timer = setInterval(() => {
      packet.writeUInt16BE(sent, 2);
      packet.writeUInt32BE(sent * PACKET_BYTES, 4);
      this.#sound.send(packet, port, '127.0.0.1', () => undefined);
      sent += 1;
      if (sent < MAX_PACKETS) return;
      clearInterval(timer);
      this.#timers.delete(timer);
    }, PACKET_MS);
    this.#timers.add(timer);
  }

  #later(work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, LEAVES_AFTER_MS);
    this.#timers.add(timer);
  }

  #send(text: string, to: RemoteInfo): void {
    // A killed server takes nothing: the operating system may say so, and nobody minds.
    this.#socket.send(text, to.port, to.address, () => undefined);
  }
}

interface Invite {
  readonly text: string;
  readonly name: string;
  readonly from: RemoteInfo;
  readonly reply: (status: string, more?: { readonly contact?: string; readonly sdp?: string }) => void;
}

async function boundSocket(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4_194_304 });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return socket;
}

function header(text: string, name: string): string {
  return new RegExp(`^${name}\\s*:\\s*(.*?)\\s*$`, 'im').exec(text)?.[1] ?? '';
}

function taggedTo(text: string): string {
  const to = header(text, 'To');
  return /;\s*tag=/i.test(to) ? to : `${to};tag=phone`;
}

function answer(
  text: string,
  status: string,
  { contact, sdp = '' }: { readonly contact?: string; readonly sdp?: string } = {},
  method?: string,
): string {
  const vias = [...text.matchAll(/^Via\s*:.*$/gim)].map(([line]) => line.trim());
  const sequence = header(text, 'CSeq');
  return [
    `SIP/2.0 ${status}`,
    ...vias,
    `From: ${header(text, 'From')}`,
    `To: ${taggedTo(text)}`,
    `Call-ID: ${header(text, 'Call-ID')}`,
    `CSeq: ${method === undefined ? sequence : sequence.replace(/\w+$/, method)}`,
    ...(contact === undefined ? [] : [`Contact: <${contact}>`]),
    ...(sdp === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${Buffer.byteLength(sdp)}`,
    '',
    sdp,
  ].join('\r\n');
}

function bye({ text, name }: Invite): string {
  const target = /<([^>]+)>/.exec(header(text, 'Contact'))?.[1] ?? '';
  return [
    `BYE ${target} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK-bye-${name};rport`,
    'Max-Forwards: 70',
    `From: ${taggedTo(text)}`,
    `To: ${header(text, 'From')}`,
    `Call-ID: ${header(text, 'Call-ID')}`,
    'CSeq: 1 BYE',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}
