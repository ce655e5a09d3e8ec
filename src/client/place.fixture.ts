import { sleep } from '../base/clock.ts';
import { seededRandom } from '../base/random.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { parseClientMessage, type ClientMessage, type SoundPath } from '../wire/webphone/client-message.ts';
import { serializeServerMessage, type ServerMessage } from '../wire/webphone/server-message.ts';
import type { Call } from './call.ts';
import { DeviceEngine, type EngineOptions } from './device.ts';
import type { CallSound, ClientPorts, DirectSound, SocketHandlers, SoundEvents } from './ports.ts';

const HEARTBEAT_MS = 5_000;

/** The server's end of a socket, which the test moves. */
export class ServerSocket {
  readonly got: ClientMessage[] = [];
  readonly frames: Uint8Array[] = [];
  isClosed = false;
  readonly #handlers: SocketHandlers;

  constructor(handlers: SocketHandlers) {
    this.#handlers = handlers;
  }

  open(): void {
    this.#handlers.opened();
  }

  say(message: ServerMessage): void {
    this.#handlers.text(serializeServerMessage(message));
  }

  frame(bytes: Uint8Array): void {
    this.#handlers.frame(bytes);
  }

  drop(): void {
    this.#handlers.closed(1006, '');
  }

  connect(ttlSeconds = 3600): void {
    this.open();
    this.say({ type: 'connected', identity: 'mike', ttlSeconds, edge: '', home: '' });
  }

  hear(text: string): void {
    const parsed = parseClientMessage(text);
    if (parsed.kind !== 'ok') throw new Error(`the client sent ${text}`);
    this.got.push(parsed.value);
  }

  last<Type extends ClientMessage['type']>(type: Type): Extract<ClientMessage, { type: Type }> | undefined {
    return this.got.findLast((each): each is Extract<ClientMessage, { type: Type }> => each.type === type);
  }

  get types(): readonly string[] {
    return this.got.map((each) => each.type);
  }
}

/** Sound that is only told of. */
export class FakeSound implements CallSound {
  readonly remoteStream = undefined;
  readonly localStream = undefined;
  readonly kind: SoundPath['kind'];
  readonly events: SoundEvents;
  readonly done: string[] = [];
  readonly direct: DirectSound = {
    offer: async () => this.#describe('direct offer'),
    answer: async (sdp) => this.#describe(`direct answer to ${sdp}`),
    accept: async (sdp) => void this.done.push(`direct accept ${sdp}`),
    use: () => void this.done.push('direct use'),
    stop: () => void this.done.push('direct stop'),
  };

  constructor(kind: SoundPath['kind'], events: SoundEvents) {
    this.kind = kind;
    this.events = events;
  }

  async offer(options?: { readonly restart: boolean }): Promise<SoundPath> {
    return this.#path(options?.restart === true ? 'restart' : 'offer');
  }

  async answer(): Promise<SoundPath> {
    return this.#path('answer');
  }

  async accept(path: SoundPath): Promise<void> {
    this.done.push(`accept ${path.kind === 'webrtc' ? path.sdp : path.kind}`);
  }

  current(): SoundPath {
    return this.kind === 'frames' ? { kind: 'frames' } : { kind: 'webrtc', sdp: 'current' };
  }

  mute(muted: boolean): void {
    this.done.push(muted ? 'mute' : 'unmute');
  }

  frame(packet: Uint8Array): void {
    this.done.push(`frame ${packet.length}`);
  }

  meter(): void {
    this.done.push('meter');
  }

  async statistics(): Promise<{ packetsSent: number; packetsReceived: number; packetsLost: number }> {
    return { packetsSent: 0, packetsReceived: 0, packetsLost: 0 };
  }

  close(): void {
    this.done.push('close');
  }

  #path(sdp: string): SoundPath {
    return this.kind === 'frames' ? { kind: 'frames' } : { kind: 'webrtc', sdp };
  }

  #describe(sdp: string): string {
    this.done.push(sdp);
    return sdp;
  }
}

/** A Device with a server that the test plays, in virtual time. */
export class Place {
  readonly clock = new VirtualClock(1_000_000);
  readonly sockets: ServerSocket[] = [];
  readonly sounds: FakeSound[] = [];
  readonly told: string[] = [];
  readonly device: DeviceEngine;
  route: SoundPath['kind'] = 'webrtc';
  /** The way that is left when WebRTC is blocked. */
  blockedRoute: SoundPath['kind'] = 'frames';
  /** Why sound has no way out of this browser. */
  noRoute: Error | undefined;
  /** How long the browser looks for ICE candidates; where WebRTC is blocked it does not. */
  gatheringMs = 0;
  microphone: Error | undefined;
  readonly #wakeHandlers: ((why: 'network' | 'awake') => void)[] = [];

  constructor(options: Partial<EngineOptions> & { readonly token?: string } = {}) {
    const { token, ...engine } = { token: 'token', url: 'ws://place/signal', ...options };
    this.device = new DeviceEngine(token, engine, this.#ports());
    for (const name of ['registering', 'registered', 'unregistered', 'tokenWillExpire', 'destroyed'] as const)
      this.device.on(name, () => this.told.push(name));
    this.device.on('error', ({ code }) => this.told.push(`error ${code}`));
    this.device.on('incoming', (call) => {
      this.told.push(`incoming ${call.parameters['From'] ?? ''}`);
      this.follow(call);
    });
  }

  get socket(): ServerSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error('no socket was opened');
    return socket;
  }

  get sound(): FakeSound {
    const sound = this.sounds.at(-1);
    if (sound === undefined) throw new Error('no sound was opened');
    return sound;
  }

  follow(call: Call): Call {
    for (const name of ['accept', 'cancel', 'reject', 'disconnect', 'reconnected'] as const)
      call.on(name, () => this.told.push(name));
    call.on('ringing', (early) => this.told.push(early ? 'ringing with sound' : 'ringing'));
    call.on('error', ({ code }) => this.told.push(`call error ${code}`));
    call.on('mute', (muted) => this.told.push(muted ? 'muted' : 'unmuted'));
    call.on('reconnecting', ({ code }) => this.told.push(`reconnecting ${code}`));
    call.on('messageReceived', ({ content }) => this.told.push(`message ${JSON.stringify(content)}`));
    call.on('messageSent', ({ voiceEventSid }) => this.told.push(`sent ${voiceEventSid}`));
    call.on('route', (route) => this.told.push(`route ${route}`));
    return call;
  }

  /** A tab that wakes, or a network that comes. */
  wake(why: 'network' | 'awake' = 'awake'): void {
    for (const handler of this.#wakeHandlers) handler(why);
  }

  /** What is due now is done. */
  settle(): Promise<void> {
    return this.clock.advance(0);
  }

  /** Time passes, with the heartbeats of the server. */
  async beating(durationMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += HEARTBEAT_MS) {
      await this.clock.advance(Math.min(HEARTBEAT_MS, durationMs - passedMs));
      this.socket.say({ type: 'heartbeat' });
    }
  }

  /** What happened since it was last asked. */
  news(): readonly string[] {
    return this.told.splice(0);
  }

  async registered(): Promise<void> {
    const registering = this.device.register();
    this.socket.connect();
    await this.settle();
    this.socket.say({ type: 'ready' });
    await registering;
    this.news();
  }

  /** A call that rings at the other side. */
  async ringing(early: SoundPath | undefined): Promise<Call> {
    const connecting = this.device.connect({ params: { To: 'bob' } });
    if (!this.sockets.some((socket) => !socket.isClosed)) throw new Error('no socket was opened');
    if (!this.socket.types.includes('listen')) this.socket.connect();
    await this.settle();
    const call = this.follow(await connecting);
    this.socket.say({ type: 'ringing', callsid: 'CA1', sound: early });
    return call;
  }

  /** A call that is answered, for which no packet has passed. */
  async unheard(): Promise<Call> {
    const call = await this.ringing(undefined);
    this.socket.say({ type: 'answer', callsid: 'CA1', sound: { kind: 'webrtc', sdp: 'yes' }, reconnect: 'secret' });
    return call;
  }

  /** A call that is answered, with sound. */
  async calling(): Promise<Call> {
    const call = await this.unheard();
    this.sound.events.up();
    await this.settle();
    this.news();
    return call;
  }

  async rung(parameters: Readonly<Record<string, string>> = {}): Promise<Call> {
    this.socket.say({
      type: 'invite',
      callsid: 'CA2',
      sound: this.route === 'frames' ? { kind: 'frames' } : { kind: 'webrtc', sdp: 'come' },
      parameters: { CallSid: 'CA2', From: 'client:jenny', To: 'client:mike', ...parameters },
      reconnect: 'secret',
    });
    await this.settle();
    const call = this.device.calls.at(-1);
    if (call === undefined) throw new Error('no call came in');
    return call;
  }

  #ports(): ClientPorts {
    return {
      clock: this.clock,
      random: seededRandom(1),
      userAgent: 'test',
      openSocket: (_url, handlers) => {
        const socket = new ServerSocket(handlers);
        this.sockets.push(socket);
        return {
          send: (text) => socket.hear(text),
          sendFrame: (bytes) => void socket.frames.push(bytes),
          close: () => {
            socket.isClosed = true;
          },
        };
      },
      onWake: (handler) => {
        this.#wakeHandlers.push(handler);
        return () => undefined;
      },
      sounds: {
        route: async (webRtc) => {
          if (this.noRoute !== undefined) throw this.noRoute;
          if (webRtc === 'blocked') return this.blockedRoute;
          if (this.gatheringMs > 0) await sleep(this.clock, this.gatheringMs);
          return this.route;
        },
        open: async (kind, events) => {
          if (this.microphone !== undefined) throw this.microphone;
          const sound = new FakeSound(kind, events);
          this.sounds.push(sound);
          return sound;
        },
      },
    };
  }
}
