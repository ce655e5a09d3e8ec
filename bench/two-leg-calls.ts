import { systemClock } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/logger.ts';
import { formatEndpoint, type Endpoint } from '../src/base/network.ts';
import { systemRandom } from '../src/base/random.ts';
import { MemoryDirectory } from '../src/directory/memory.ts';
import { nodeResolver } from '../src/sip/locate/node-resolver.ts';
import { nodeNetwork } from '../src/sip/node-network.ts';
import { openUserAgent } from '../src/sip/open-user-agent.ts';
import type { CallFailure, IncomingCall, SipCall, UserAgent } from '../src/sip/user-agent.ts';
import type { Scope } from '../src/testkit/scope.ts';

/** Ports of the sound, as the generator has them: the caller of call N is leg 2N, its callee leg 2N + 1. */
export interface LegPorts {
  readonly ports: readonly number[];
}

/** Where a leg must play to, as the server's session description told it. */
export type OnLeg = (leg: number, to: Endpoint) => void;

/** The server did not take the call. */
export class CallFailedError extends Error {
  readonly failure: CallFailure;

  constructor(number: number, failure: CallFailure) {
    super(`call ${number} failed: ${failure.status} ${failure.reason}`);
    this.failure = failure;
  }
}

const LOOPBACK = '127.0.0.1';
const ANSWERED_WITHIN_MS = 10_000;

/**
 * Both ends of many calls through a call service: callers that come as a trunk, and callees at the same address that
 * answer at once. Both name the generator's ports, so that the sound goes there and not here.
 */
export class TwoLegCalls {
  /** Where callees are reached and callers come from. */
  readonly address: string;
  readonly #agent: UserAgent;
  readonly #media: LegPorts;
  readonly #onLeg: OnLeg;
  readonly #calls: SipCall[] = [];
  readonly #calleesUp = new Map<number, PromiseWithResolvers<void>>();
  /** Calls that ended although nobody here hung up. */
  lost = 0;
  #hangingUp = false;

  private constructor(agent: UserAgent, media: LegPorts, onLeg: OnLeg) {
    this.#agent = agent;
    this.#media = media;
    this.#onLeg = onLeg;
    this.address = formatEndpoint(agent.addresses.udp);
    agent.onIncomingCall((call) => void this.#answer(call));
  }

  static async open(scope: Scope, media: LegPorts, onLeg: OnLeg): Promise<TwoLegCalls> {
    const directory = new MemoryDirectory({ clock: systemClock, logger: silentLogger });
    scope.after(async () => directory.close());
    const agent = await openUserAgent({
      clock: systemClock,
      random: systemRandom,
      network: nodeNetwork,
      logger: silentLogger,
      directory,
      resolver: nodeResolver,
      admission: {
        credential: async () => undefined,
        realm: async (host) => host,
        trustedPeer: async () => ({ kind: 'trunk', accountSid: 'AC1', name: 'server' }),
        mayRegister: () => false,
      },
      listen: { address: LOOPBACK, port: 0 },
    });
    scope.after(() => agent.close());
    return new TwoLegCalls(agent, media, onLeg);
  }

  /** Calls `to` as `load-NUMBER`; resolves when both ends have answered. */
  async call(number: number, to: string): Promise<void> {
    const calleeUp = Promise.withResolvers<void>();
    this.#calleesUp.set(number, calleeUp);
    const callerUp = Promise.withResolvers<void>();
    this.#agent.placeCall(
      {
        target: { uri: to },
        from: `<sip:load-${number}@${LOOPBACK}>`,
        to: `<${to}>`,
        offer: async () => audioDescription(this.#port(2 * number)),
        ringTimeoutMs: ANSWERED_WITHIN_MS,
      },
      {
        progress: () => undefined,
        answered: (call, sdp) => {
          this.#keep(call);
          this.#onLeg(2 * number, audioEndpoint(sdp));
          callerUp.resolve();
        },
        failed: (failure) => callerUp.reject(new CallFailedError(number, failure)),
      },
    );
    const timer = setTimeout(
      () => calleeUp.reject(new Error(`the callee of call ${number} was not reached in ${ANSWERED_WITHIN_MS} ms`)),
      ANSWERED_WITHIN_MS,
    );
    await Promise.all([callerUp.promise, calleeUp.promise]).finally(() => clearTimeout(timer));
  }

  async hangUp(): Promise<void> {
    this.#hangingUp = true;
    // The callee's end comes by itself, over the server.
    await Promise.all(this.#calls.map((call) => call.hangup()));
  }

  async #answer(incoming: IncomingCall): Promise<void> {
    const number = Number(/sip:callee-(\d+)@/.exec(incoming.request.uri)?.[1]);
    const up = this.#calleesUp.get(number);
    try {
      if (up === undefined || incoming.offer === undefined)
        throw new Error(`unexpected call to ${incoming.request.uri}`);
      const { call } = await incoming.answer(audioDescription(this.#port(2 * number + 1)));
      this.#keep(call);
      this.#onLeg(2 * number + 1, audioEndpoint(incoming.offer));
      up.resolve();
    } catch (error) {
      up?.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #keep(call: SipCall): void {
    this.#calls.push(call);
    call.onEvent((event) => {
      if (event.kind === 'ended' && !this.#hangingUp) this.lost += 1;
      if (event.kind === 'offer') event.refuse(488);
    });
  }

  #port(leg: number): number {
    const port = this.#media.ports[leg];
    if (port === undefined) throw new Error(`leg ${leg}: the generator has ${this.#media.ports.length}`);
    return port;
  }
}

/** PCMU and telephone-event at a port of loopback. */
export function audioDescription(port: number): string {
  return [
    'v=0',
    `o=load ${port} 1 IN IP4 ${LOOPBACK}`,
    's=-',
    `c=IN IP4 ${LOOPBACK}`,
    't=0 0',
    `m=audio ${port} RTP/AVP 0 101`,
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-15',
    'a=ptime:20',
    'a=sendrecv',
    '',
  ].join('\r\n');
}

/** Where a session description wants its audio. */
export function audioEndpoint(sdp: string): Endpoint {
  const address = /^c=IN IP4 (\S+)/m.exec(sdp)?.[1];
  const port = Number(/^m=audio (\d+) /m.exec(sdp)?.[1]);
  if (address === undefined || !(port > 0)) throw new Error(`no audio address in a session description:\n${sdp}`);
  return { address, port };
}
