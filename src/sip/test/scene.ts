import { silentLogger } from '../../base/logger.ts';
import type { DatagramSocket, Endpoint, Network } from '../../base/network.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { VirtualNetwork } from '../../base/virtual-network.ts';
import { MemoryDirectory } from '../../directory/memory.ts';
import type { Scope } from '../../testkit/scope.ts';
import { responseTo, type ResponseOptions } from '../../wire/sip/build.ts';
import {
  header,
  NO_BODY,
  SIP_VERSION,
  type SipHeader,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../../wire/sip/message.ts';
import { parseDatagram } from '../../wire/sip/parse.ts';
import { serializeMessage } from '../../wire/sip/serialize.ts';
import type { Resolver } from '../locate/resolver.ts';
import { openUserAgent, type UserAgentOptions } from '../open-user-agent.ts';
import type { UserAgent } from '../user-agent.ts';
import { openAdmission } from './open-agent.ts';
import { audioSdp } from './session-descriptions.ts';

export const AGENT: Endpoint = { address: '10.0.0.1', port: 5060 };
const DELAY_MS = 1;
const START_MS = 1_000_000;

/** A user agent and scripted peers in virtual time; trusted are all peers but those at 10.0.9.x. */
export class Scene {
  readonly clock = new VirtualClock(START_MS);
  readonly network: VirtualNetwork;
  readonly directory = new MemoryDirectory({ clock: this.clock, logger: silentLogger });
  readonly #scope: Scope;
  readonly #hosts = new Map<string, Network>();
  #agent: UserAgent | undefined;

  constructor(scope: Scope) {
    this.#scope = scope;
    this.network = new VirtualNetwork({ clock: this.clock, random: seededRandom(1), delayMs: DELAY_MS });
  }

  /** Milliseconds since the scene began. */
  get elapsedMs(): number {
    return this.clock.now() - START_MS;
  }

  get agent(): UserAgent {
    if (this.#agent === undefined) throw new Error('open the agent first');
    return this.#agent;
  }

  async open(options: Partial<UserAgentOptions> = {}): Promise<UserAgent> {
    const agent = await openUserAgent({
      clock: this.clock,
      random: seededRandom(2),
      network: this.network.host(AGENT.address),
      logger: silentLogger,
      directory: this.directory,
      resolver: NO_NAMES,
      admission: {
        ...openAdmission(),
        trustedPeer: async ({ address }) =>
          address.startsWith('10.0.9.') ? undefined : { kind: 'trunk', accountSid: 'AC1', name: 'trunk' },
      },
      listen: AGENT,
      ...options,
    });
    this.#agent = agent;
    this.#scope.after(() => agent.close());
    return agent;
  }

  async peer(address = '10.0.0.2', port = 5060): Promise<ScriptedPeer> {
    const network = this.#hosts.get(address) ?? this.network.host(address);
    this.#hosts.set(address, network);
    return new ScriptedPeer(this, network, await network.bindDatagram({ address, port }));
  }

  async advance(durationMs: number): Promise<void> {
    await this.clock.advance(durationMs);
  }
}

export const NO_NAMES: Resolver = { srv: async () => [], addresses: async () => [] };

export interface Heard {
  readonly atMs: number;
  readonly message: SipMessage;
}

export interface PeerRequest {
  readonly headers?: readonly SipHeader[];
  readonly sdp?: string | undefined;
  readonly callId?: string;
  readonly cseq?: number;
  readonly from?: string;
  readonly to?: string;
  readonly branch?: string;
  readonly uri?: string;
}

/** A UDP peer that does only what the test tells it, and remembers what it heard. */
export class ScriptedPeer {
  readonly heard: Heard[] = [];
  readonly sent: SipMessage[] = [];
  readonly network: Network;
  readonly #socket: DatagramSocket;
  #branches = 0;

  constructor(scene: Scene, network: Network, socket: DatagramSocket) {
    this.network = network;
    this.#socket = socket;
    socket.onMessage((bytes) => {
      const parsed = parseDatagram(bytes);
      if (parsed.kind === 'ok') this.heard.push({ atMs: scene.elapsedMs, message: parsed.value });
    });
  }

  get endpoint(): Endpoint {
    return this.#socket.local;
  }

  get uri(): string {
    return `sip:peer@${this.endpoint.address}:${this.endpoint.port}`;
  }

  requests(method: string): readonly SipRequest[] {
    return this.heard.flatMap(({ message }) =>
      message.kind === 'request' && message.method === method ? [message] : [],
    );
  }

  /** The newest request of a method. */
  request(method: string): SipRequest {
    const found = this.requests(method).at(-1);
    if (found === undefined) throw new Error(`no ${method} came: ${this.story()}`);
    return found;
  }

  /** Statuses of the responses to a method, in order. */
  statuses(method: string): readonly number[] {
    return this.responses(method).map(({ status }) => status);
  }

  responses(method: string): readonly SipResponse[] {
    return this.heard.flatMap(({ message }) =>
      message.kind === 'response' && header(message, 'CSeq')?.endsWith(` ${method}`) === true ? [message] : [],
    );
  }

  /** When each message of this description came. */
  timesOf(matches: (message: SipMessage) => boolean): readonly number[] {
    return this.heard.filter(({ message }) => matches(message)).map(({ atMs }) => atMs);
  }

  story(): string {
    return this.heard
      .map(({ atMs, message }) => `${atMs} ${message.kind === 'request' ? message.method : message.status}`)
      .join(', ');
  }

  send(message: SipMessage): void {
    this.sent.push(message);
    this.sendText(new TextDecoder().decode(serializeMessage(message)));
  }

  sendText(text: string): void {
    this.#socket.send(new TextEncoder().encode(text), AGENT);
  }

  respond(
    request: SipRequest,
    status: number,
    options: Partial<ResponseOptions> & { readonly sdp?: string } = {},
  ): void {
    const { sdp, headers = [], toTag = 'peer', ...rest } = options;
    const content = sdp === undefined ? [] : [{ name: 'Content-Type', value: 'application/sdp' }];
    const body = sdp === undefined ? NO_BODY : new TextEncoder().encode(sdp);
    const contact = { name: 'Contact', value: `<${this.uri}>` };
    const all = [...(headers.some(({ name }) => name === 'Contact') ? [] : [contact]), ...headers, ...content];
    this.send(responseTo(request, { ...rest, status, ...(status > 100 && { toTag }), headers: all, body }));
  }

  /** Answers an INVITE with a session description. */
  answer(invite: SipRequest, options: Partial<ResponseOptions> = {}): void {
    this.respond(invite, 200, { sdp: audioSdp(this.endpoint.address, 30_000), ...options });
  }

  /** A request of this peer; returns it as it was sent. */
  ask(method: string, options: PeerRequest = {}): SipRequest {
    return this.askWith(method, [{ name: 'Contact', value: `<${this.uri}>` }], options);
  }

  /** The same with these Contact lines. */
  askWith(method: string, contacts: readonly SipHeader[], options: PeerRequest = {}): SipRequest {
    const { callId = 'call-1', cseq = 1, from = `<${this.uri}>;tag=peer`, to = `<sip:100@${AGENT.address}>` } = options;
    this.#branches += 1;
    const branch = options.branch ?? `z9hG4bK-${this.endpoint.address}-${this.#branches}`;
    const content = options.sdp === undefined ? [] : [{ name: 'Content-Type', value: 'application/sdp' }];
    const request: SipRequest = {
      kind: 'request',
      method,
      uri: options.uri ?? `sip:100@${AGENT.address}`,
      version: SIP_VERSION,
      headers: [
        { name: 'Via', value: `SIP/2.0/UDP ${this.endpoint.address}:${this.endpoint.port};branch=${branch};rport` },
        { name: 'Max-Forwards', value: '70' },
        { name: 'From', value: from },
        { name: 'To', value: to },
        { name: 'Call-ID', value: callId },
        { name: 'CSeq', value: `${cseq} ${method}` },
        ...contacts,
        ...(options.headers ?? []),
        ...content,
      ],
      body: options.sdp === undefined ? NO_BODY : new TextEncoder().encode(options.sdp),
    };
    this.send(request);
    return request;
  }

  /** An INVITE with an offer; `sdp: undefined` asks for one. */
  invite(options: PeerRequest = {}): SipRequest {
    return this.ask('INVITE', { sdp: audioSdp(this.endpoint.address, 30_000), ...options });
  }

  /** A request within the dialog that a response of the agent to our request made. */
  within(response: SipResponse, method: string, options: PeerRequest = {}): SipRequest {
    return this.ask(method, {
      callId: header(response, 'Call-ID') ?? '',
      from: header(response, 'From') ?? '',
      to: header(response, 'To') ?? '',
      cseq: Number.parseInt(header(response, 'CSeq') ?? '', 10) + 1,
      ...options,
    });
  }

  /** A request within the dialog that our response to the agent's request made. */
  back(request: SipRequest, method: string, options: PeerRequest & { readonly toTag?: string } = {}): SipRequest {
    return this.ask(method, {
      callId: header(request, 'Call-ID') ?? '',
      from: `${header(request, 'To') ?? ''};tag=${options.toTag ?? 'peer'}`,
      to: header(request, 'From') ?? '',
      cseq: 1,
      ...options,
    });
  }
}
