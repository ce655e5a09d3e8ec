import type { HoldBack } from '../../base/hold-back.ts';
import { header, type SipHeader } from '../../wire/sip/message.ts';
import type { Gatekeeper, Verdict } from '../auth/gatekeeper.ts';
import type { ReceivedRequest } from '../received-request.ts';
import type { Flow } from '../transport/hop.ts';
import type { Answers } from './answers.ts';

/** Programs that serve nothing but attacks say who they are; products that are abused for them too are not among these. */
const SCANNERS = /friendly-(scanner|request)|sipvicious|sundayddr|siparmyknife|sip-scan|pplsip/i;

export interface StrangerGuardOptions {
  readonly gatekeeper: Gatekeeper;
  /** Wrong passwords, by address. */
  readonly guesses: HoldBack;
  /** Requests of nobody known, by transport and address: whoever forges the address of a datagram harms no connection. */
  readonly strangers: HoldBack;
  readonly answers: Answers;
}

/** Keeps strangers out: counts what comes of nobody known, and falls silent towards where too much came from. */
export class StrangerGuard {
  readonly #options: StrangerGuardOptions;

  constructor(options: StrangerGuardOptions) {
    this.#options = options;
  }

  /** True for the request of a scanner, which gets no answer at all. */
  dropsScanner(request: ReceivedRequest): boolean {
    if (!SCANNERS.test(header(request.message, 'User-Agent') ?? '')) return false;
    this.#options.strangers.drop(sourceOf(request.flow));
    return true;
  }

  /** Whether what is no whole request is answered; it counts as a stranger's. */
  answersBroken(flow: Flow): boolean {
    const { strangers } = this.#options;
    const source = sourceOf(flow);
    if (strangers.drops(source)) return false;
    strangers.fail(source);
    return true;
  }

  /** Answers who may be anybody, unless there was too much of the kind from there. */
  answer(request: ReceivedRequest, status: number, headers: readonly SipHeader[] = []): void {
    if (this.isHeldBack(request)) return;
    this.count(request);
    this.#options.answers.answerStateless(request, status, headers);
  }

  /**
   * True when a request is to be dropped without a word. Never that of a phone that showed the right password from this
   * address: others behind the same NAT, and whoever forges its address, cannot keep it out. Nor, for a flood without
   * passwords, that of somebody who holds a nonce that was sent to this address, and so is really there.
   */
  isHeldBack(request: ReceivedRequest): boolean {
    const { gatekeeper, guesses, strangers } = this.#options;
    const { address } = request.flow.remote;
    const source = sourceOf(request.flow);
    const guessed = guesses.waitMs(address) > 0;
    const flooded = strangers.waitMs(source) > 0;
    if ((!guessed && !flooded) || gatekeeper.isKnown(request)) return false;
    if (guessed) return guesses.drops(address);
    return !gatekeeper.isReachable(request) && strangers.drops(source);
  }

  /** Counts a request without a password; that of a known phone is none of a stranger. */
  count(request: ReceivedRequest): void {
    if (!this.#options.gatekeeper.isKnown(request)) this.#options.strangers.fail(sourceOf(request.flow));
  }

  /** Counts a request whose password was judged. */
  countVerdict(request: ReceivedRequest, verdict: Verdict): void {
    if (verdict.kind === 'proven') this.#options.strangers.forgive(sourceOf(request.flow));
    else this.count(request);
  }
}

function sourceOf({ transport, remote }: Flow): string {
  return `${transport} ${remote.address}`;
}
