import { silentLogger } from '../base/logger.ts';
import { seededRandom } from '../base/random.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { MemoryDirectory } from '../directory/memory.ts';
import type { VoiceGrant } from '../grant/voice-token.ts';
import { serializeClientMessage, type ClientMessage } from '../wire/webphone/client-message.ts';
import { parseServerMessage, type ServerMessage } from '../wire/webphone/server-message.ts';
import type { WebphoneLimits } from './limits.ts';
import { openWebphoneAgent } from './open-webphone-agent.ts';
import type { DeviceEvents, IncomingWebphoneCall, WebphoneSight } from './webphone.ts';

const TOKEN_LIFE_MS = 3_600_000;
export const SDP = 'v=0\r\na=fingerprint:sha-256 AA\r\n';

/** A page with a socket to the agent; it answers heartbeats while it is awake. */
export class Page {
  readonly got: ServerMessage[] = [];
  closedWith: number | undefined;
  awake = true;
  events!: DeviceEvents;
  buffered = 0;

  say(message: ClientMessage): void {
    this.events.text(serializeClientMessage(message));
  }

  listen(token: string): void {
    this.say({ type: 'listen', token, userAgent: 'test' });
  }

  take(text: string): void {
    const parsed = parseServerMessage(text);
    if (parsed.kind !== 'ok') throw new Error(`the agent sent ${text}`);
    if (parsed.value.type !== 'heartbeat') this.got.push(parsed.value);
    else if (this.awake) this.events.text('\n');
  }

  last<Type extends ServerMessage['type']>(type: Type): Extract<ServerMessage, { type: Type }> | undefined {
    return this.got.findLast((each): each is Extract<ServerMessage, { type: Type }> => each.type === type);
  }

  get types(): readonly string[] {
    return this.got.map((each) => each.type);
  }
}

/** The agent among pages that the test moves, in virtual time. A token is `identity`, `identity!` may not be called. */
export class Scene {
  readonly clock = new VirtualClock(1_000_000);
  readonly directory = new MemoryDirectory({ clock: this.clock, logger: silentLogger });
  readonly incoming: IncomingWebphoneCall[] = [];
  /** What whoever looks on was told. */
  readonly sights: WebphoneSight[] = [];
  readonly agent;
  tokenLifeMs = TOKEN_LIFE_MS;

  constructor(limits: Partial<WebphoneLimits> = {}) {
    this.agent = openWebphoneAgent({
      clock: this.clock,
      random: seededRandom(1),
      log: silentLogger,
      directory: this.directory,
      admission: {
        admit: async (token) =>
          token === 'forged'
            ? { kind: 'refused', code: 31202, reason: 'the signature is wrong' }
            : { kind: 'ok', grant: this.grant(token) },
      },
      limits,
      watch: (sight) => this.sights.push(sight),
    });
    this.agent.onIncomingCall((call) => this.incoming.push(call));
  }

  grant(token: string): VoiceGrant {
    return {
      accountSid: 'AC1',
      identity: token.replace('!', ''),
      incoming: !token.endsWith('!'),
      outgoingApplicationSid: 'AP1',
      outgoingParameters: { team: 'red' },
      expiresAt: this.clock.now() + this.tokenLifeMs,
    };
  }

  open(): Page {
    const page = new Page();
    page.events = this.agent.connect({
      remoteAddress: '127.0.0.1',
      localAddress: '127.0.0.1',
      host: 'localhost:3600',
      bufferedBytes: () => page.buffered,
      send: (text) => page.take(text),
      sendFrame: () => undefined,
      close: (code) => {
        page.closedWith = code;
      },
    });
    return page;
  }

  async registered(identity: string): Promise<Page> {
    const page = this.open();
    page.listen(identity);
    page.say({ type: 'register', audio: true, frames: false });
    await this.clock.advance(0);
    return page;
  }

  /** A call that the page makes and the service answers. */
  async called(
    page: Page,
    { direct } = { direct: false },
  ): Promise<{ readonly call: IncomingWebphoneCall; readonly sid: string }> {
    const name = `TJS${this.incoming.length}`;
    page.say({
      type: 'invite',
      callsid: name,
      sound: { kind: 'webrtc', sdp: SDP },
      parameters: 'To=bob&team=blue',
      reconnect: undefined,
      direct,
    });
    await this.clock.advance(0);
    const call = this.incoming.at(-1);
    if (call === undefined) throw new Error('no call came in');
    const sid = `CA${this.incoming.length}`;
    return { call, sid };
  }
}
