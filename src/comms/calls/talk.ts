import { errorText } from '../../base/errors.ts';
import { deferred } from '../../base/deferred.ts';
import type { Logger } from '../../base/logger.ts';
import type { MediaBridge } from '../../media/media-node.ts';
import type { TransferRequest } from '../party.ts';
import { bridgeLegs } from './bridge-legs.ts';
import type { CallMedia } from './call-media.ts';
import { DirectTalk } from './direct-talk.ts';
import type { LiveCall } from './live-call.ts';
import { WebphoneParty } from './webphone-party.ts';

export interface TalkPorts {
  readonly media: CallMedia;
  readonly log: Logger;
  /** One of the two wants somebody else in its place. */
  onTransfer(request: TransferRequest, from: LiveCall, talk: Talk): void;
}

const TALKS = new WeakMap<LiveCall, Talk>();

/** The talk that a call is in now. */
export function talkOf(live: LiveCall): Talk | undefined {
  return TALKS.get(live);
}

/**
 * Two calls that hear each other until one leaves. When it is over, a side that a Dial waits for goes on with its
 * document, a side that went on to another talk or document is there, and any other side is hung up.
 */
export class Talk {
  readonly sides: readonly [LiveCall, LiveCall];
  readonly #ports: TalkPorts;
  readonly #over = deferred<void>();
  readonly #next = new Map<LiveCall, Talk>();
  readonly #forget: (() => void)[] = [];
  #bridge: MediaBridge | undefined;
  #ending = false;
  #transferring: LiveCall | undefined;
  #released: LiveCall | undefined;
  #direct: DirectTalk | undefined;

  private constructor(sides: readonly [LiveCall, LiveCall], ports: TalkPorts) {
    this.sides = sides;
    this.#ports = ports;
  }

  /** Joins two calls that are up; rejects when their sound cannot be joined. A talk that either was in must be over or left. */
  static async join(one: LiveCall, other: LiveCall, ports: TalkPorts): Promise<Talk> {
    const [left, right] = [one.media, other.media];
    if (left === undefined || right === undefined || one.isOver || other.isOver) {
      throw new Error(`calls ${one.call.sid} and ${other.call.sid}: want both up to join them`);
    }
    const talk = new Talk([one, other], ports);
    talk.#bridge = await bridgeLegs(left, right, ports.media);
    talk.#begin();
    return talk;
  }

  /** Resolves when the two no longer hear each other. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  get bridge(): MediaBridge | undefined {
    return this.#bridge;
  }

  partnerOf(side: LiveCall): LiveCall {
    return side === this.sides[0] ? this.sides[1] : this.sides[0];
  }

  /** Lets two browsers that both allow it speak past the server. */
  goDirect(): void {
    const [one, other] = this.sides.map(({ party }) => party);
    if (this.#ending || !(one instanceof WebphoneParty) || !(other instanceof WebphoneParty)) return;
    if (one.mayGoDirect && other.mayGoDirect) this.#direct ??= new DirectTalk([one, other]);
  }

  /** Somebody here has to hear the two: from now on their sound comes by the server. */
  keepSound(): void {
    this.#direct?.stop();
  }

  /** Where the side went when this talk was over. */
  next(side: LiveCall): Talk | undefined {
    return this.#next.get(side);
  }

  /** The side may hang up now without ending the talk: somebody is called in its place. False when a transfer runs already. */
  beginTransfer(side: LiveCall): boolean {
    if (this.#ending || this.#transferring !== undefined) return false;
    this.#transferring = side;
    this.keepSound();
    return true;
  }

  /** Nobody came in its place: if it has left meanwhile, the talk is over. */
  endTransfer(): void {
    const side = this.#transferring;
    this.#transferring = undefined;
    if (side?.isOver === true) this.end();
  }

  /** The side goes on in another talk; this one is over, and the other side is on its own. */
  leave(side: LiveCall, next: Talk): void {
    this.#next.set(side, next);
    this.#transferring = undefined;
    this.end();
  }

  /** The side goes on with a document of its own; this talk is over. */
  release(side: LiveCall): void {
    this.#released = side;
    this.end();
  }

  /** Each is on its own again. */
  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.keepSound();
    this.sides[0].background(() => this.#end());
  }

  #begin(): void {
    for (const side of this.sides) {
      TALKS.set(side, this);
      side.party?.onTransfer((request) => this.#ports.onTransfer(request, side, this));
      this.#forget.push(side.onEnd(() => this.#left(side)));
    }
  }

  #left(side: LiveCall): void {
    if (this.#transferring === side) return;
    this.end();
  }

  async #end(): Promise<void> {
    for (const forget of this.#forget) forget();
    for (const side of this.sides) {
      if (TALKS.get(side) !== this) continue;
      TALKS.delete(side);
      side.party?.onTransfer(undefined);
    }
    try {
      // The bridge of a next talk has taken its leg away already; only what is left of this one closes.
      await this.#bridge?.close();
    } catch (error) {
      this.#ports.log.info({ error: errorText(error) }, 'a bridge was gone before it was closed');
    }
    this.#over.resolve();
    for (const side of this.sides) {
      if (this.#next.has(side) || side.isDialling || side === this.#released) continue;
      void side.finish({ status: 'completed', sipStatus: 200 });
    }
  }
}
