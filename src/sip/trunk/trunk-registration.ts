import { after, type Cancel } from '../../base/clock.ts';
import { quoted } from '../../base/parsed.ts';
import { randomHex, randomUnit } from '../../base/random.ts';
import { contactExpires, parseAddress, parseAddressList } from '../../wire/sip/address.ts';
import { parseExpires, parseNumber, parseRetryAfter } from '../../wire/sip/header-values.ts';
import { header, headers, NO_BODY, SIP_VERSION, type SipRequest, type SipResponse } from '../../wire/sip/message.ts';
import { parseSipUri, sameSipUri } from '../../wire/sip/uri.ts';
import { DigestClient } from '../auth/digest-client.ts';
import { contactFor, type SipCore } from '../core.ts';
import { locate } from '../locate/locate.ts';
import { SipError } from '../sip-error.ts';
import type { Flow } from '../transport/hop.ts';
import type { TrunkRegistration, TrunkRegistrationOptions, TrunkState } from '../user-agent.ts';

const TAG_BYTES = 8;
const CALL_ID_BYTES = 16;
const MAX_FORWARDS = '70';
/** RFC 5626 4.5: 30 s, doubled for each failure, at most 30 minutes, each time shortened by up to half. */
const BASE_RETRY_MS = 30_000;
const MAX_RETRY_MS = 1_800_000;
const MAX_DOUBLINGS = 6;
/** A registrar's Retry-After counts between this and MAX_RETRY_MS: it must neither chase us nor lose us for years. */
const MIN_RETRY_AFTER_MS = 1_000;
/** A refresh leaves this share of the granted time, and at least these seconds, before the registration expires. */
const REFRESH_SHARE = 0.8;
const MIN_REFRESH_MS = 5_000;

/** Keeps this server registered at an outside registrar, so that calls to its account come here (RFC 3261 10.2). */
export class TrunkRegistrar implements TrunkRegistration {
  readonly #core: SipCore;
  readonly #options: TrunkRegistrationOptions;
  readonly #digest: DigestClient;
  readonly #callId: string;
  readonly #tag: string;
  readonly #user: string;
  #sequence = 0;
  #expires: number;
  #failures = 0;
  #contact: string | undefined;
  #timer: Cancel | undefined;
  #state: TrunkState = { kind: 'trying' };
  #stopped = false;
  #turn: Promise<void> = Promise.resolve();

  /** Throws SipError `bad-argument` when the address of record has no user. */
  constructor(core: SipCore, options: TrunkRegistrationOptions) {
    const user = parseSipUri(options.aor)?.user;
    if (user === undefined || !/^[\w.+~*-]+$/.test(user)) {
      throw new SipError('bad-argument', `trunk address ${quoted(options.aor)}: want sip:USER@HOST`);
    }
    this.#core = core;
    this.#options = options;
    this.#user = user;
    this.#expires = options.expiresSeconds;
    this.#digest = new DigestClient(options.credentials, core.random);
    this.#callId = randomHex(core.random, CALL_ID_BYTES);
    this.#tag = randomHex(core.random, TAG_BYTES);
  }

  get state(): TrunkState {
    return this.#state;
  }

  start(): void {
    this.#run(() => this.#refresh());
  }

  async stop(): Promise<void> {
    if (this.#stopped) return this.#turn;
    this.#stopped = true;
    this.#timer?.();
    const wasRegistered = this.#state.kind === 'registered';
    this.#run(async () => {
      if (wasRegistered) await this.#register(0);
    });
    return this.#turn;
  }

  #run(work: () => Promise<void>): void {
    this.#turn = this.#turn.then(work, work);
    this.#core.tasks.run(() => this.#turn);
  }

  async #refresh(): Promise<void> {
    if (this.#stopped) return;
    const outcome = await this.#register(this.#expires);
    if (this.#stopped) return;
    if (outcome.kind !== 'response') {
      const reason = outcome.kind === 'failed' ? outcome.detail : 'stopped';
      return this.#failed(outcome.kind === 'failed' && outcome.cause === 'timeout' ? 408 : 503, reason);
    }
    const { response } = outcome;
    if (response.status >= 200 && response.status < 300) return this.#registered(response);
    const minimum = response.status === 423 ? parseNumber(header(response, 'Min-Expires') ?? '') : undefined;
    if (minimum !== undefined && minimum > this.#expires) {
      this.#expires = minimum;
      return this.#refresh();
    }
    return this.#failed(response.status, response.reason, parseRetryAfter(header(response, 'Retry-After') ?? ''));
  }

  #registered(response: SipResponse): void {
    this.#failures = 0;
    const grantedMs = this.#granted(response) * 1000;
    const expiresAt = this.#core.clock.now() + grantedMs;
    this.#tell({ kind: 'registered', expiresAt });
    this.#again(Math.max(MIN_REFRESH_MS, grantedMs * REFRESH_SHARE));
  }

  #failed(status: number, reason: string, retryAfterSeconds?: number): void {
    const ceilingMs = Math.min(MAX_RETRY_MS, BASE_RETRY_MS * 2 ** Math.min(this.#failures, MAX_DOUBLINGS));
    this.#failures += 1;
    const waitMs =
      retryAfterSeconds === undefined
        ? ceilingMs * (0.5 + randomUnit(this.#core.random) / 2)
        : Math.min(MAX_RETRY_MS, Math.max(MIN_RETRY_AFTER_MS, retryAfterSeconds * 1000));
    this.#tell({ kind: 'failed', status, reason, retryAt: this.#core.clock.now() + waitMs });
    this.#again(waitMs);
  }

  #again(delayMs: number): void {
    this.#timer = after(this.#core.clock, delayMs, () => this.#run(() => this.#refresh()));
  }

  #tell(state: TrunkState): void {
    this.#state = state;
    this.#options.onState?.(state);
  }

  /** The registrar may shorten what was asked for: its word for our contact counts, else its Expires. */
  #granted(response: SipResponse): number {
    const ours = this.#contact === undefined ? undefined : parseSipUri(this.#contact);
    const contacts = parseAddressList(headers(response, 'Contact')) ?? [];
    for (const contact of contacts) {
      const uri = parseSipUri(contact.uri);
      if (uri === undefined || ours === undefined || !sameSipUri(uri, ours)) continue;
      const seconds = contactExpires(contact);
      if (seconds !== undefined) return seconds;
    }
    return parseExpires(header(response, 'Expires') ?? '') ?? this.#expires;
  }

  #register(expires: number): ReturnType<SipCore['sender']['exchange']> {
    const { registrar } = this.#options;
    return this.#core.sender.exchange({
      hops: () => locate(registrar, this.#core.resolver, this.#core.random),
      compose: (flow) => this.#compose(flow, expires),
      digest: this.#digest,
    });
  }

  #compose(flow: Flow, expires: number): SipRequest {
    this.#sequence += 1;
    const contact = contactFor(flow, this.#user);
    this.#contact = parseAddress(contact.value)?.uri;
    const { registrar, aor } = this.#options;
    return {
      kind: 'request',
      method: 'REGISTER',
      uri: registrar,
      version: SIP_VERSION,
      headers: [
        { name: 'Max-Forwards', value: MAX_FORWARDS },
        { name: 'From', value: `<${aor}>;tag=${this.#tag}` },
        { name: 'To', value: `<${aor}>` },
        { name: 'Call-ID', value: this.#callId },
        { name: 'CSeq', value: `${this.#sequence} REGISTER` },
        contact,
        { name: 'Expires', value: String(expires) },
        this.#core.userAgent,
      ],
      body: NO_BODY,
    };
  }
}
