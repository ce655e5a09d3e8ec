import type { HoldBack } from '../../base/hold-back.ts';
import { randomInteger } from '../../base/random.ts';
import type { DigestAuthorization } from '../../wire/sip/digest.ts';
import { parseReplaces } from '../../wire/sip/header-values.ts';
import { header, type SipHeader } from '../../wire/sip/message.ts';
import { parseSipUri } from '../../wire/sip/uri.ts';
import { ACCEPT, ALLOW, SUPPORTED } from '../abilities.ts';
import type { Gatekeeper, Verdict } from '../auth/gatekeeper.ts';
import type { Realms } from '../auth/realms.ts';
import { EstablishedCall } from '../call/established-call.ts';
import { IncomingInvite } from '../call/incoming-invite.ts';
import { answerSession } from '../call/session-timer.ts';
import { contactFor, type SipCore } from '../core.ts';
import type { TokenBuckets } from '../limits/token-buckets.ts';
import { serverKey, type ReceivedRequest } from '../received-request.ts';
import { aorInRealm } from '../registrar/address-of-record.ts';
import type { Registrar } from '../registrar/registrar.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { TransactionUser } from '../transaction/transaction-layer.ts';
import type { Flow } from '../transport/hop.ts';
import type { Admission, CallerIdentity, IncomingCall, SipLimitName, UserAgent } from '../user-agent.ts';

const RETRY_AFTER_SECONDS = { low: 2, high: 10 } as const;
/** Programs that serve nothing but attacks say who they are; products that are abused for them too are not among these. */
const SCANNERS = /friendly-(scanner|request)|sipvicious|sundayddr|siparmyknife|sip-scan|pplsip/i;

export interface RequestRouterOptions {
  readonly core: SipCore;
  readonly gatekeeper: Gatekeeper;
  readonly registrar: Registrar;
  readonly admission: Admission;
  readonly realms: Realms;
  /** New calls of known callers, one bucket for all: strangers cannot use it up. */
  readonly callRate: TokenBuckets;
  /** Calls without credentials, by address: each costs a challenge. */
  readonly strangerRate: TokenBuckets;
  /** Wrong passwords, by address. */
  readonly guesses: HoldBack;
  /** Requests of nobody known, by transport and address: whoever forges the address of a datagram harms no connection. */
  readonly strangers: HoldBack;
  readonly maxDialogs: number;
  readonly maxLookups?: number;
  onRefused(limit: SipLimitName): void;
}

/** Requests of which it is looked up who sends them, while the store is slow: beyond it they are refused at once. */
const MAX_LOOKUPS = 10_000;

interface StrangersAnswer {
  readonly status: number;
  readonly headers: readonly SipHeader[];
}

type MessageHandler = Parameters<UserAgent['onMessage']>[0];

/** Gives each new request to its place, in the order of RFC 3261 8.2 (the codec's validator has passed it). */
export class RequestRouter implements TransactionUser {
  readonly #options: RequestRouterOptions;
  /** INVITEs without a final answer, by their transaction's key. */
  readonly #ringing = new Map<string, IncomingInvite>();
  /**
   * The transaction's key by From tag, Call-ID and CSeq of requests under way: the same by another path is a merged
   * request (8.2.2.2).
   */
  readonly #underWay = new Map<string, string>();
  /** INVITEs of which it is looked up who calls, by the key that their transaction will have. */
  readonly #lookedUp = new Map<string, { isCancelled: boolean }>();
  #lookups = 0;
  #onCall: ((call: IncomingCall) => void) | undefined;
  #onMessage: MessageHandler | undefined;
  #draining = false;

  readonly #maxLookups: number;

  constructor(options: RequestRouterOptions) {
    this.#options = options;
    this.#maxLookups = options.maxLookups ?? MAX_LOOKUPS;
  }

  onCall(handler: (call: IncomingCall) => void): void {
    this.#onCall = handler;
  }

  onMessage(handler: MessageHandler): void {
    this.#onMessage = handler;
  }

  drain(): void {
    this.#draining = true;
  }

  request(request: ReceivedRequest): void {
    const { core } = this.#options;
    if (request.method === 'CANCEL') return this.#cancel(request);
    if (core.layer.isFull) return this.#busy(request, 'sip-transactions');
    if (request.toTag !== undefined) return this.#inDialog(request);
    if (this.#lookups >= this.#maxLookups) return this.#busy(request, 'sip-transactions');
    if (SCANNERS.test(header(request.message, 'User-Agent') ?? '')) {
      return this.#options.strangers.drop(sourceOf(request.flow));
    }
    switch (request.method) {
      case 'REGISTER':
        return this.#register(request);
      case 'INVITE':
        return this.#invite(request);
      case 'MESSAGE':
        return this.#message(request);
      case 'OPTIONS':
        // The same for everybody, and nothing to remember.
        return this.#answerStranger(request, 200, [ACCEPT, ALLOW, SUPPORTED, contactFor(request.flow)]);
      case 'REFER':
        // Transfers are asked for within a call.
        return this.#answerStranger(request, 403);
      default:
        return this.#answerStranger(request, 481);
    }
  }

  answersBroken(flow: Flow): boolean {
    const { strangers } = this.#options;
    const source = sourceOf(flow);
    if (strangers.drops(source)) return false;
    strangers.fail(source);
    return true;
  }

  ack(request: ReceivedRequest): void {
    this.#options.core.dialogs.find(request)?.acknowledge(request);
  }

  #inDialog(request: ReceivedRequest): void {
    const { core } = this.#options;
    const user = core.dialogs.find(request);
    if (user === undefined) return this.#answerStranger(request, 481);
    user.receive(request, core.layer.accept(request));
  }

  /** 9.2: hop by hop and never challenged. */
  #cancel(request: ReceivedRequest): void {
    const { core } = this.#options;
    const invite = core.layer.inviteOf(request);
    if (invite === undefined) {
      const lookedUp = this.#lookedUp.get(serverKey(request, 'INVITE'));
      if (lookedUp !== undefined) lookedUp.isCancelled = true;
      // It is taken when the tables are full too: one without its INVITE must not fill them further.
      return lookedUp === undefined ? this.#answerStranger(request, 481) : this.#answerStateless(request, 200);
    }
    this.#answer(core.layer.accept(request), 200);
    const ringing = this.#ringing.get(invite.key);
    if (ringing !== undefined) return ringing.giveUp();
    const call = core.dialogs.find(invite.request);
    if (call instanceof EstablishedCall) call.cancelled(invite);
    else if (invite.finalStatus === undefined) this.#answer(invite, 487);
  }

  #register(request: ReceivedRequest): void {
    const { gatekeeper, realms } = this.#options;
    if (this.#isHeldBack(request)) return;
    this.#lookUp(async () => {
      const realm = await realms.of(hostOf(request.to.uri));
      const presented = gatekeeper.presented(request, realm);
      if (presented !== undefined) return this.#registerWithPassword(request, realm, presented);
      // Nothing is remembered for those who show no password: a challenge may be repeated.
      const { status, headers } = gatekeeper.challenge(request, realm, 'www');
      this.#countStranger(request);
      this.#answerStateless(request, status, headers);
    });
  }

  async #registerWithPassword(request: ReceivedRequest, realm: string, presented: DigestAuthorization): Promise<void> {
    const { core, admission, gatekeeper, registrar } = this.#options;
    const transaction = core.layer.acceptOnce(request);
    // Its repeat came while the realm was looked up.
    if (transaction === undefined) return;
    await this.#answering(transaction, async () => {
      const verdict = await gatekeeper.judge(request, realm, 'www', presented);
      this.#countVerdict(request, verdict);
      if (verdict.kind === 'challenge') return this.#answer(transaction, verdict.status, verdict.headers);
      const aor = aorInRealm(request.to.uri, realm);
      if (aor === undefined) return this.#answer(transaction, 404);
      if (!admission.mayRegister(verdict.credential, aor)) return this.#answer(transaction, 403);
      const { status, reason, headers } = await registrar.register(aor, request);
      transaction.respond(core.responses.make(request, status, { headers, ...(reason !== undefined && { reason }) }));
    });
  }

  #invite(request: ReceivedRequest): void {
    const { core, maxDialogs } = this.#options;
    const full = this.#ringing.size + core.dialogs.size >= maxDialogs;
    if (full) return this.#busy(request, 'sip-calls-at-once');
    if (this.#draining || this.#onCall === undefined) {
      return this.#answerStateless(request, 503, [this.#retryAfter()]);
    }
    const merge = `${request.fromTag ?? ''}|${request.callId}|${request.cseq}`;
    const { key } = request;
    const known = this.#underWay.get(merge);
    // Its repeat, while it is looked up who calls.
    if (known === key) return;
    if (known !== undefined) return this.#answerStateless(request, 482);
    this.#underWay.set(merge, key);
    const done = (): void => {
      this.#underWay.delete(merge);
    };
    this.#lookUp(async () => {
      try {
        if (!(await this.#inviteOfKnown(request, done))) done();
      } catch (error) {
        done();
        throw error;
      }
    });
  }

  /** False when the INVITE was answered here. */
  async #inviteOfKnown(request: ReceivedRequest, done: () => void): Promise<boolean> {
    const { core, callRate } = this.#options;
    const { key } = request;
    const lookedUp = { isCancelled: false };
    this.#lookedUp.set(key, lookedUp);
    let challenge: StrangersAnswer | 'silence' | undefined;
    let trusted: CallerIdentity | undefined;
    try {
      trusted = await this.#trusted(request);
      challenge = trusted === undefined ? await this.#strangersAnswer(request) : undefined;
    } finally {
      this.#lookedUp.delete(key);
    }
    if (challenge === 'silence') return false;
    if (lookedUp.isCancelled) {
      // 9.2: its CANCEL was answered already.
      this.#answerStateless(request, 487);
      return false;
    }
    if (challenge !== undefined) {
      this.#answerStateless(request, challenge.status, challenge.headers);
      return false;
    }
    const transaction = core.layer.accept(request);
    try {
      const caller = trusted ?? (await this.#identifyByPassword(transaction));
      if (caller === undefined) return false;
      if (!callRate.take('')) {
        this.#options.onRefused('incoming-calls');
        return this.#refuse(transaction, 503, [this.#retryAfter()]);
      }
      return this.#offerCall(transaction, caller, done);
    } catch (error) {
      if (transaction.finalStatus === undefined) this.#answer(transaction, 500);
      throw error;
    }
  }

  /**
   * What somebody unknown who shows no password gets. Nothing is remembered of them, and nothing repeated to them: a
   * flood of forged INVITEs neither fills the memory nor is multiplied towards whoever's address they bear.
   */
  async #strangersAnswer(request: ReceivedRequest): Promise<StrangersAnswer | 'silence' | undefined> {
    const { gatekeeper, realms, strangerRate } = this.#options;
    const realm = await realms.of(hostOf(request.from.uri));
    if (this.#isHeldBack(request)) return 'silence';
    if (gatekeeper.presented(request, realm) !== undefined) return undefined;
    if (!strangerRate.take(request.flow.remote.address)) {
      this.#options.onRefused('strangers-calls');
      return { status: 503, headers: [this.#retryAfter()] };
    }
    this.#countStranger(request);
    return gatekeeper.challenge(request, realm, 'proxy');
  }

  /** Hands an admitted INVITE up; false when it was answered here. */
  #offerCall(transaction: ServerTransaction, caller: CallerIdentity, done: () => void): boolean {
    const { core } = this.#options;
    const { request } = transaction;
    // CANCEL may have come while the password was looked up.
    if (transaction.finalStatus !== undefined) return false;
    const session = answerSession(request.message);
    if (session.kind === 'too-short') return this.#refuse(transaction, 422, session.headers);
    const replaces = header(request.message, 'Replaces');
    if (replaces !== undefined && !this.#canReplace(replaces)) return this.#refuse(transaction, 481);
    const onDecided = (): void => {
      this.#ringing.delete(transaction.key);
      done();
    };
    const call = IncomingInvite.take({ core, transaction, caller, session, onDecided });
    if (call === undefined) return this.#refuse(transaction, 400, [], 'Missing Contact');
    this.#answer(transaction, 100);
    this.#ringing.set(transaction.key, call);
    try {
      this.#onCall?.(call);
    } catch (error) {
      call.reject(500);
      throw error;
    }
    return true;
  }

  /** RFC 3891 3: what is to be replaced must be a call of ours that goes on. */
  #canReplace(value: string): boolean {
    const replaces = parseReplaces(value);
    if (replaces === undefined) return false;
    const user = this.#options.core.dialogs.get(replaces.callId, replaces.toTag, replaces.fromTag);
    return user instanceof EstablishedCall && !user.isEnded && !replaces.earlyOnly;
  }

  #message(request: ReceivedRequest): void {
    const handler = this.#onMessage;
    if (this.#draining || handler === undefined) return this.#answerStateless(request, 503, [this.#retryAfter()]);
    const { layer } = this.#options.core;
    this.#lookUp(async () => {
      const trusted = await this.#trusted(request);
      if (trusted === undefined && this.#isHeldBack(request)) return;
      const transaction = layer.acceptOnce(request);
      // Its repeat came while it was looked up who sends.
      if (transaction === undefined) return;
      await this.#answering(transaction, async () => {
        const caller = trusted ?? (await this.#identifyByPassword(transaction));
        if (caller === undefined) return;
        this.#answer(transaction, await handler({ request: request.message, caller }));
      });
    });
  }

  /** Who sends a request, where its address alone says so. */
  #trusted({ flow }: ReceivedRequest): Promise<CallerIdentity | undefined> {
    return this.#options.admission.trustedPeer(flow.remote, flow.transport);
  }

  /** Who sends a request outside a dialog by its password; undefined when it was answered with a challenge. */
  async #identifyByPassword(transaction: ServerTransaction): Promise<CallerIdentity | undefined> {
    const { gatekeeper, realms } = this.#options;
    const { request } = transaction;
    const realm = await realms.of(hostOf(request.from.uri));
    const verdict = await gatekeeper.judge(request, realm, 'proxy');
    this.#countVerdict(request, verdict);
    if (verdict.kind === 'proven') {
      const { accountSid, username } = verdict.credential;
      return { kind: 'phone', accountSid, username, domain: realm };
    }
    if (transaction.finalStatus !== undefined) return undefined;
    this.#answer(transaction, verdict.status, verdict.headers);
    return undefined;
  }

  #lookUp(work: () => Promise<void>): void {
    this.#lookups += 1;
    this.#options.core.tasks.run(async () => {
      try {
        await work();
      } finally {
        this.#lookups -= 1;
      }
    });
  }

  /** Work that ends with an answer, whatever happens. */
  async #answering(transaction: ServerTransaction, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (transaction.finalStatus === undefined) this.#answer(transaction, 500);
      throw error;
    }
  }

  #answer(transaction: ServerTransaction, status: number, headers: readonly SipHeader[] = []): void {
    transaction.respond(this.#options.core.responses.make(transaction.request, status, { headers }));
  }

  #busy(request: ReceivedRequest, limit: SipLimitName): void {
    this.#options.onRefused(limit);
    this.#answerStateless(request, 503, [this.#retryAfter()]);
  }

  #refuse(transaction: ServerTransaction, status: number, headers: readonly SipHeader[] = [], reason?: string): false {
    const options = reason === undefined ? { headers } : { headers, reason };
    transaction.respond(this.#options.core.responses.make(transaction.request, status, options));
    return false;
  }

  #answerStateless(request: ReceivedRequest, status: number, headers: readonly SipHeader[] = []): void {
    const { layer, responses } = this.#options.core;
    layer.answerStateless(request, responses.make(request, status, { headers }));
  }

  /** Answers who may be anybody, unless there was too much of the kind from there. */
  #answerStranger(request: ReceivedRequest, status: number, headers: readonly SipHeader[] = []): void {
    if (this.#isHeldBack(request)) return;
    this.#countStranger(request);
    this.#answerStateless(request, status, headers);
  }

  /**
   * True when a request is to be dropped without a word. Never that of a phone that showed the right password from this
   * address: others behind the same NAT, and whoever forges its address, cannot keep it out. Nor, for a flood without
   * passwords, that of somebody who holds a nonce that was sent to this address, and so is really there.
   */
  #isHeldBack(request: ReceivedRequest): boolean {
    const { gatekeeper, guesses, strangers } = this.#options;
    const { address } = request.flow.remote;
    const source = sourceOf(request.flow);
    const guessed = guesses.waitMs(address) > 0;
    const flooded = strangers.waitMs(source) > 0;
    if ((!guessed && !flooded) || gatekeeper.isKnown(request)) return false;
    if (guessed) return guesses.drops(address);
    return !gatekeeper.isReachable(request) && strangers.drops(source);
  }

  #countStranger(request: ReceivedRequest): void {
    if (!this.#options.gatekeeper.isKnown(request)) this.#options.strangers.fail(sourceOf(request.flow));
  }

  #countVerdict(request: ReceivedRequest, verdict: Verdict): void {
    if (verdict.kind === 'proven') this.#options.strangers.forgive(sourceOf(request.flow));
    else this.#countStranger(request);
  }

  #retryAfter(): SipHeader {
    const { low, high } = RETRY_AFTER_SECONDS;
    return retryAfter(randomInteger(this.#options.core.random, low, high));
  }
}

function sourceOf({ transport, remote }: Flow): string {
  return `${transport} ${remote.address}`;
}

function retryAfter(seconds: number): SipHeader {
  return { name: 'Retry-After', value: String(Math.max(1, seconds)) };
}

function hostOf(uri: string): string {
  return parseSipUri(uri)?.host ?? '';
}
