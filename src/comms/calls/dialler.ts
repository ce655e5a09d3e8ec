import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { MediaError } from '../../media/media-error.ts';
import type { MediaLeg } from '../../media/media-node.ts';
import type { CallFailure, PlacedCall, SipCall, UserAgent } from '../../sip/user-agent.ts';
import type { SoundPlace, WebphoneAgent, WebphoneCall } from '../../webphone/webphone.ts';
import type { CallMessage, SoundPath } from '../../wire/webphone/client-message.ts';
import type { SipHeader } from '../../wire/sip/message.ts';
import type { Party } from '../party.ts';
import type { CallMedia } from './call-media.ts';
import { openClientLeg } from './client-leg.ts';
import type { ClientDialTarget, DialTarget, SipDialTarget } from './routing.ts';
import { SipParty } from './sip-party.ts';
import { WebphoneParty } from './webphone-party.ts';

export interface DialOptions {
  readonly targets: readonly DialTarget[];
  /** Display name and user part shown as the caller. */
  readonly caller: { readonly user: string; readonly displayName?: string };
  /** User part of To. */
  readonly callee: string;
  /** The call as a browser is told of it. */
  readonly invitation: { readonly callSid: string; readonly parameters: Readonly<Record<string, string>> };
  /** All groups together ring at most this long. */
  readonly ringTimeoutMs: number;
  readonly headers?: readonly SipHeader[];
  readonly maxForwards?: number;
  /** Max-Breadth of each call that is placed. */
  readonly maxBreadth?: number;
  /** Digest credentials that win over a target's own. */
  readonly credentials?: { readonly username: string; readonly password: string };
  /** A leg that will hear the callee: the new leg is opened on its node. */
  readonly near?: MediaLeg;
  readonly advertisedAddress?: string;
  /** Cancels everything that still rings. */
  readonly signal: AbortSignal;
  /** The first 180 or 183; told once. */
  onRinging?(): void;
  /** Sound before the answer; told once for each leg that has it. */
  onEarlyMedia?(leg: MediaLeg): void;
}

export type DialResult =
  | { readonly kind: 'answered'; readonly party: Party; readonly target: DialTarget }
  | { readonly kind: 'failed'; readonly failure: CallFailure };

export interface DiallerPorts {
  readonly userAgent: UserAgent;
  readonly webphones: WebphoneAgent;
  readonly media: CallMedia;
  readonly log: Logger;
  /** A text of a browser's page; false: nobody wants it. */
  onMessage(message: CallMessage): boolean;
  now(): number;
}

const CANCELLED: CallFailure = { cause: 'cancelled', status: 487, reason: 'Request Terminated' };
const NO_TARGET: CallFailure = { cause: 'unreachable', status: 480, reason: 'nothing to dial' };

/** Dials the groups in order until somebody answers; within a group the first answer wins and the others are cancelled. */
export async function dial(options: DialOptions, ports: DiallerPorts): Promise<DialResult> {
  const deadline = ports.now() + options.ringTimeoutMs;
  const groups = [...new Set(options.targets.map((each) => each.group))].sort((a, b) => a - b);
  let failure = NO_TARGET;
  for (const group of groups) {
    const leftMs = deadline - ports.now();
    if (options.signal.aborted) return { kind: 'failed', failure: CANCELLED };
    if (leftMs <= 0) return { kind: 'failed', failure: { cause: 'no-answer', status: 408, reason: 'Request Timeout' } };
    const members = options.targets.filter((each) => each.group === group);
    const result = await new GroupDial(options, ports, leftMs).run(members);
    if (result.kind === 'answered') return result;
    failure = result.failure;
    if (!worthAnotherRoute(failure)) break;
  }
  return { kind: 'failed', failure };
}

/** The callee's own decision ends the search; a route that did not carry the call does not (RFC 3263 4.3). */
function worthAnotherRoute(failure: CallFailure): boolean {
  if (failure.cause === 'unreachable' || failure.cause === 'timeout') return true;
  return failure.cause === 'rejected' && (failure.status === 503 || failure.status === 502 || failure.status === 403);
}

interface Attempt {
  readonly target: DialTarget;
  leg: MediaLeg | undefined;
  placed: { cancel(): void } | undefined;
  over: boolean;
  /** Why there was nothing to offer. */
  offerError: unknown;
}

/** What an answered attempt brings, whatever carries it. */
interface Answer {
  readonly call: Pick<SipCall, 'hangup'>;
  /** Undefined: its sound needs none. */
  readonly sdp: string | undefined;
  party(leg: MediaLeg): Party;
}

class GroupDial {
  readonly #options: DialOptions;
  readonly #ports: DiallerPorts;
  readonly #ringTimeoutMs: number;
  readonly #attempts: Attempt[] = [];
  readonly #outcome = Promise.withResolvers<DialResult>();
  #failure: CallFailure | undefined;
  #settled = false;
  #ringingTold = false;

  constructor(options: DialOptions, ports: DiallerPorts, ringTimeoutMs: number) {
    this.#options = options;
    this.#ports = ports;
    this.#ringTimeoutMs = ringTimeoutMs;
  }

  async run(targets: readonly DialTarget[]): Promise<DialResult> {
    const abort = (): void => this.#cancelAll();
    this.#options.signal.addEventListener('abort', abort, { once: true });
    try {
      for (const target of targets) this.#start(target);
      return await this.#outcome.promise;
    } catch (error) {
      this.#cancelAll();
      throw error;
    } finally {
      this.#options.signal.removeEventListener('abort', abort);
    }
  }

  #start(target: DialTarget): void {
    const attempt: Attempt = {
      target,
      leg: undefined,
      placed: undefined,
      over: false,
      offerError: undefined,
    };
    this.#attempts.push(attempt);
    attempt.placed = target.kind === 'sip' ? this.#invite(attempt, target) : this.#ringBrowser(attempt, target);
  }

  #invite(attempt: Attempt, target: SipDialTarget): PlacedCall {
    const { caller, callee, headers, maxForwards, maxBreadth } = this.#options;
    const credentials = this.#options.credentials ?? target.credentials;
    return this.#ports.userAgent.placeCall(
      {
        target: target.target,
        from: nameAddress(caller.user, target.domain, caller.displayName),
        to: nameAddress(callee, target.domain),
        offer: (localAddress) => this.#offer(attempt, () => this.#openRtp(target, localAddress)),
        ringTimeoutMs: this.#ringTimeoutMs,
        reference: this.#options.invitation.callSid,
        ...(credentials === undefined ? {} : { credentials }),
        ...(headers === undefined ? {} : { headers }),
        ...(maxForwards === undefined ? {} : { maxForwards }),
        ...(maxBreadth === undefined ? {} : { maxBreadth }),
      },
      {
        progress: (status, sdp) => this.#progress(attempt, status, sdp),
        answered: (call, sdp) => {
          const { log } = this.#ports;
          const mayTransfer = target.isPhone === true;
          const party = (leg: MediaLeg): Party => SipParty.outgoing(call, leg, { log, mayTransfer });
          void this.#answered(attempt, { call, sdp, party });
        },
        failed: (failure) => this.#failed(attempt, failureOf(attempt, failure)),
      },
    );
  }

  #ringBrowser(attempt: Attempt, { device }: ClientDialTarget): { cancel(): void } {
    const { log, webphones, onMessage } = this.#ports;
    const { callSid, parameters } = this.#options.invitation;
    return webphones.placeCall(
      {
        ...{ target: device, callSid, parameters, ringTimeoutMs: this.#ringTimeoutMs },
        offer: (at) => this.#soundFor(attempt, device.frames, at),
      },
      {
        ringing: () => this.#progress(attempt, 180, undefined),
        answered: (call: WebphoneCall, sound: SoundPath) => {
          const sdp = sound.kind === 'webrtc' ? sound.sdp : undefined;
          const party = (leg: MediaLeg): Party => WebphoneParty.outgoing(call, leg, { log, onMessage });
          void this.#answered(attempt, { call: { hangup: async () => call.hangup() }, sdp, party });
        },
        failed: (failure) => this.#failed(attempt, failureOf(attempt, failure)),
      },
    );
  }

  async #soundFor(attempt: Attempt, frames: boolean, place: SoundPlace): Promise<SoundPath> {
    const { advertisedAddress, near } = this.#options;
    const kind = frames ? 'frames' : 'webrtc';
    const open = (): Promise<MediaLeg> => openClientLeg({ kind, place, advertisedAddress, near }, this.#ports.media);
    if (frames) {
      await this.#keepLeg(attempt, await open());
      return { kind: 'frames' };
    }
    return { kind: 'webrtc', sdp: await this.#offer(attempt, open) };
  }

  #openRtp(target: SipDialTarget, localAddress: string): Promise<MediaLeg> {
    const { advertisedAddress, near } = this.#options;
    // A phone behind a NAT names an address that nobody here sees; its sound comes from where it registered.
    const signallingPeer = target.target.flow?.remote.address;
    return this.#ports.media.openLeg(
      {
        kind: 'rtp',
        localAddress,
        ...(advertisedAddress === undefined ? {} : { advertisedAddress }),
        ...(signallingPeer === undefined ? {} : { signallingPeer }),
      },
      near,
    );
  }

  async #offer(attempt: Attempt, open: () => Promise<MediaLeg>): Promise<string> {
    const make = async (): Promise<string> => (await this.#keepLeg(attempt, await open())).createOffer();
    try {
      return await make().catch((error: unknown) => {
        // Its media process died and nothing has left: another one can carry the call.
        if (!isLost(error) || this.#options.near !== undefined || attempt.over) throw error;
        attempt.leg = undefined;
        return make();
      });
    } catch (error) {
      attempt.offerError = error;
      throw error;
    }
  }

  async #keepLeg(attempt: Attempt, leg: MediaLeg): Promise<MediaLeg> {
    // Another local address was tried before, or the attempt ended while the leg was being opened.
    if (attempt.leg !== undefined) this.#close(attempt.leg);
    attempt.leg = leg;
    if (!attempt.over) return leg;
    this.#close(leg);
    throw new Error('the call was given up before it was offered');
  }

  #progress(attempt: Attempt, status: number, sdp: string | undefined): void {
    if (this.#settled || attempt.over) return;
    if ((status === 180 || status === 183) && !this.#ringingTold) {
      this.#ringingTold = true;
      this.#options.onRinging?.();
    }
    const leg = attempt.leg;
    if (sdp === undefined || leg === undefined) return;
    leg.acceptAnswer(sdp).then(
      () => this.#options.onEarlyMedia?.(leg),
      (error: unknown) => this.#ports.log.info({ error: errorText(error) }, 'early media was not usable'),
    );
  }

  /** Never rejects. */
  async #answered(attempt: Attempt, { call, sdp, party }: Answer): Promise<void> {
    attempt.over = true;
    const { leg } = attempt;
    if (this.#settled || leg === undefined) {
      this.#discard(call, leg);
      return;
    }
    this.#settled = true;
    this.#cancelOthers(attempt);
    try {
      if (sdp !== undefined) await leg.acceptAnswer(sdp);
    } catch (error) {
      this.#ports.log.warn({ error: errorText(error) }, 'the answer to a call was not usable');
      this.#discard(call, leg);
      const reason = errorText(error);
      // The fault of this server, which its owner hears of, or of the answer.
      const failure: CallFailure = isLost(error)
        ? { cause: 'unreachable', status: 503, reason }
        : { cause: 'rejected', status: 488, reason };
      this.#outcome.resolve({ kind: 'failed', failure });
      return;
    }
    this.#outcome.resolve({ kind: 'answered', party: party(leg), target: attempt.target });
  }

  #discard(call: Answer['call'], leg: MediaLeg | undefined): void {
    call.hangup().catch((error: unknown) => {
      this.#ports.log.info({ error: errorText(error) }, 'a call that nobody wants was not ended cleanly');
    });
    if (leg !== undefined) this.#close(leg);
  }

  #close(leg: MediaLeg): void {
    leg.close().catch((error: unknown) => {
      this.#ports.log.info({ error: errorText(error) }, 'a leg was gone before it was closed');
    });
  }

  #failed(attempt: Attempt, failure: CallFailure): void {
    attempt.over = true;
    if (attempt.leg !== undefined) this.#close(attempt.leg);
    if (this.#settled) return;
    this.#failure = this.#failure === undefined ? failure : better(this.#failure, failure);
    // 6xx is the callee's word for all its devices (RFC 3261 16.7 step 5).
    if (failure.status >= 600) this.#cancelOthers(attempt);
    if (this.#attempts.every((each) => each.over)) this.#settle(this.#failure);
  }

  #settle(failure: CallFailure): void {
    this.#settled = true;
    this.#outcome.resolve({ kind: 'failed', failure });
  }

  #cancelOthers(winner: Attempt): void {
    for (const each of this.#attempts) if (each !== winner && !each.over) each.placed?.cancel();
  }

  #cancelAll(): void {
    if (this.#settled) return;
    for (const each of this.#attempts) if (!each.over) each.placed?.cancel();
    this.#settle(CANCELLED);
  }
}

/** Why a call failed that no media process took. */
export const OVERLOADED = 'the server carries as many calls as it can';

/** A call that this server could not offer failed by its own fault, whatever the engine calls it. */
function failureOf(attempt: Attempt, failure: CallFailure): CallFailure {
  if (attempt.offerError === undefined || failure.cause === 'cancelled') return failure;
  const reason = isOverload(attempt.offerError) ? OVERLOADED : errorText(attempt.offerError);
  return { cause: 'unreachable', status: 503, reason };
}

/** What is told when several devices failed: a person's answer before a silence, a silence before a fault. */
function better(a: CallFailure, b: CallFailure): CallFailure {
  return rank(a) >= rank(b) ? a : b;
}

function rank(failure: CallFailure): number {
  if (failure.status >= 600) return 4;
  if (failure.status === 486) return 3;
  if (failure.cause === 'no-answer') return 2;
  return failure.cause === 'rejected' ? 1 : 0;
}

/** name-addr for From and To; the display name is quoted (RFC 3261 25.1). */
function nameAddress(user: string, domain: string, displayName?: string): string {
  const uri = `<sip:${encodeUser(user)}@${domain.includes(':') && !domain.startsWith('[') ? `[${domain}]` : domain}>`;
  if (displayName === undefined || displayName === '') return uri;
  return `"${displayName.replace(/["\\]/g, '\\$&').replace(/[\r\n]/g, ' ')}" ${uri}`;
}

// RFC 3261 25.1: unreserved and user-unreserved characters stand for themselves, all others are escaped.
function encodeUser(user: string): string {
  return encodeURIComponent(user).replace(/%(2B|26|3D|24|2C|3B|3F|2F)/gi, (escaped) => decodeURIComponent(escaped));
}

/** How a failed attempt shows in the API. */
export function callStatusOf(failure: CallFailure): 'busy' | 'no-answer' | 'failed' | 'canceled' {
  if (failure.cause === 'cancelled') return 'canceled';
  if (failure.cause === 'no-answer') return 'no-answer';
  // 603 is a person's refusal; the API knows no "declined" and shows it as busy.
  if (failure.status === 486 || failure.status === 600 || failure.status === 603) return 'busy';
  if (failure.cause === 'rejected' && (failure.status === 480 || failure.status === 408 || failure.status === 487))
    return 'no-answer';
  return 'failed';
}

function isLost(error: unknown): boolean {
  return error instanceof MediaError && error.code === 'lost';
}

/** A leg could not be opened because the machine is full: the caller is told to come again. */
export function isOverload(error: unknown): boolean {
  return error instanceof MediaError && (error.code === 'overloaded' || error.code === 'no-ports');
}
