import { after, type Cancel, type Clock } from '../../base/clock.ts';
import { formatSessionExpires, parseNumber, parseSessionExpires } from '../../wire/sip/header-values.ts';
import {
  header,
  headers,
  type SipHeader,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../../wire/sip/message.ts';
import { tokenList } from '../../wire/sip/parameters.ts';

/** RFC 4028 4: what this engine asks for, and the least it takes part in. */
export const SESSION_SECONDS = 1_800;
export const MIN_SESSION_SECONDS = 90;
/** RFC 4028 10: BYE leaves this long before the session expires, or a third of the interval when that is less. */
const MAX_MARGIN_SECONDS = 32;

/** What both sides settled on; undefined where no session timer runs. */
export interface SessionInterval {
  readonly seconds: number;
  /** True: this side sends the refreshes. */
  readonly weRefresh: boolean;
}

/** Headers of our INVITE, re-INVITE and UPDATE. `seconds` and `minimum` grow after a 422. */
export function sessionRequestHeaders(
  seconds: number,
  minimum: number,
  refresher?: 'uac' | 'uas',
): readonly SipHeader[] {
  const value = formatSessionExpires(refresher === undefined ? { seconds } : { seconds, refresher });
  return [
    { name: 'Session-Expires', value },
    { name: 'Min-SE', value: String(minimum) },
  ];
}

/** The interval that a 422 asks for; undefined when it names none. */
export function minimumAskedBy(response: SipResponse): number | undefined {
  return parseNumber(header(response, 'Min-SE') ?? '');
}

/** Our side after a 2xx to our request (RFC 4028 7.2). */
export function intervalFromResponse(response: SipResponse): SessionInterval | undefined {
  const parsed = parseSessionExpires(header(response, 'Session-Expires') ?? '');
  return parsed === undefined ? undefined : { seconds: parsed.seconds, weRefresh: parsed.refresher !== 'uas' };
}

export type SessionAnswer =
  | { readonly kind: 'too-short'; readonly headers: readonly SipHeader[] }
  | { readonly kind: 'ok'; readonly interval: SessionInterval | undefined; readonly headers: readonly SipHeader[] };

/** Our answer to a request that may ask for a session timer (RFC 4028 9). */
export function answerSession(request: SipRequest): SessionAnswer {
  const asked = parseSessionExpires(header(request, 'Session-Expires') ?? '');
  if (asked === undefined) return { kind: 'ok', interval: undefined, headers: [] };
  if (asked.seconds < MIN_SESSION_SECONDS) {
    return { kind: 'too-short', headers: [{ name: 'Min-SE', value: String(MIN_SESSION_SECONDS) }] };
  }
  const peerKnowsTimers = supports(request, 'timer');
  const refresher = peerKnowsTimers ? (asked.refresher ?? 'uac') : 'uas';
  const value = formatSessionExpires({ seconds: asked.seconds, refresher });
  return {
    kind: 'ok',
    interval: { seconds: asked.seconds, weRefresh: refresher === 'uas' },
    headers: [
      { name: 'Session-Expires', value },
      ...(refresher === 'uac' ? [{ name: 'Require', value: 'timer' }] : []),
    ],
  };
}

export function supports(message: SipMessage, extension: string): boolean {
  const tags = tokenList([...headers(message, 'Supported'), ...headers(message, 'Require')]);
  return tags.some((tag) => tag.toLowerCase() === extension);
}

/** Runs one interval after the other: asks for a refresh at half, or tells when the other side let it run out. */
export class SessionTimer {
  readonly #clock: Clock;
  readonly #refresh: () => void;
  readonly #expired: () => void;
  #cancel: Cancel | undefined;

  constructor(options: { readonly clock: Clock; readonly refresh: () => void; readonly expired: () => void }) {
    this.#clock = options.clock;
    this.#refresh = options.refresh;
    this.#expired = options.expired;
  }

  /** Starts anew with what was just settled. */
  restart(interval: SessionInterval | undefined): void {
    this.stop();
    if (interval === undefined) return;
    const { seconds, weRefresh } = interval;
    const margin = Math.min(MAX_MARGIN_SECONDS, seconds / 3);
    const expire = after(this.#clock, (seconds - margin) * 1000, this.#expired);
    const refresh = weRefresh ? after(this.#clock, (seconds / 2) * 1000, this.#refresh) : (): void => undefined;
    this.#cancel = () => {
      expire();
      refresh();
    };
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
