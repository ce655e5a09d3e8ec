import type { HeldSource } from '../base/hold-back.ts';
import type { Endpoint } from '../base/network.ts';
import type { SipHeader, SipRequest } from '../wire/sip/message.ts';

export type SipTransport = 'udp' | 'tcp';

/** Where a request goes: a URI, and the flow or path it must take when a registration named one. */
export interface SipTarget {
  /** Becomes the Request-URI. */
  readonly uri: string;
  /** Route headers, first hop first (a registration's Path, a trunk's outbound proxy). */
  readonly route?: readonly string[];
  /** Address that wins over the URI's and the route's, with its transport (a registered phone's flow: RFC 5626). */
  readonly flow?: { readonly transport: SipTransport; readonly remote: Endpoint; readonly connectionId?: string };
}

/** Told of each message as it passes; `text` is the message as it stands on the wire, made when it is asked for. */
export type SipWatcher = (seen: {
  readonly direction: 'in' | 'out';
  readonly remote: Endpoint;
  /** Of the request that it is or answers, where that is known: whoever looks on can pass it by without its text. */
  readonly method?: string;
  readonly text: () => string;
}) => void;

/** What the SIP side refuses work by. */
export type SipLimitName =
  'incoming-calls' | 'strangers-calls' | 'sip-calls-at-once' | 'sip-transactions' | 'wrong-passwords' | 'strangers';

export interface SipCredentials {
  readonly username: string;
  readonly password: string;
}

export interface PlaceCall {
  readonly target: SipTarget;
  /** Header values in name-addr form, without tag. */
  readonly from: string;
  readonly to: string;
  /** Makes the offer once the local address of the route is known. */
  readonly offer: (localAddress: string) => Promise<string>;
  readonly credentials?: SipCredentials;
  readonly headers?: readonly SipHeader[];
  /** Max-Forwards of a call that carries another one on, 0 to 255; default 70. */
  readonly maxForwards?: number;
  /**
   * Max-Breadth (RFC 5393 5): in how many places the call may ring at once, all that it leads to together. Each redirection
   * halves it, and none is followed that would have nothing left. Left out: the header is not sent.
   */
  readonly maxBreadth?: number;
  /** Rings at most this long; then CANCEL and `failed` with cause `no-answer`. */
  readonly ringTimeoutMs: number;
  /** Whether a redirection (3xx) to this URI is followed; left out: every one. */
  readonly mayFollow?: (uri: string) => Promise<boolean>;
  /** What the caller knows this call by; means nothing here. */
  readonly reference?: string;
}

export interface PlacedCallHandlers {
  /** The first byte of the INVITE left (after it, the call must never be repeated). */
  sent?(local: { readonly callId: string }): void;
  /** 101-199. SDP is early media and an answer. */
  progress(status: number, sdp: string | undefined): void;
  /** ACK is on its way; other forks are ended by the engine. `sdp` is the final answer. */
  answered(call: SipCall, sdp: string): void;
  failed(failure: CallFailure): void;
}

export interface CallFailure {
  /** `timeout`: no final response; `no-answer`: ring timeout; `unreachable`: DNS, transport. */
  readonly cause: 'rejected' | 'timeout' | 'no-answer' | 'cancelled' | 'unreachable';
  /** Final SIP status (408, 503, 487 are set for the causes that had none). */
  readonly status: number;
  readonly reason: string;
  readonly retryAfterMs?: number;
}

export interface PlacedCall {
  readonly callId: string;
  /** CANCEL as soon as RFC 3261 9.1 allows; a 2xx that crosses it is acknowledged and ended. */
  cancel(): void;
}

/** An established dialog with a session. */
export interface SipCall {
  readonly callId: string;
  /** Call-ID and both tags: what Replaces names (RFC 3891 3). */
  readonly dialogId: string;
  readonly remote: Endpoint;
  readonly localAddress: string;
  /** BYE; resolves at its final response or timeout. Safe to call twice. */
  hangup(reason?: string): Promise<void>;
  /** re-INVITE: resolves with the answer, rejects with SipError `glare`, `rejected`, `timeout`. */
  reinvite(offer: string): Promise<string>;
  info(contentType: string, body: string): Promise<number>;
  /** REFER; resolves with the status of the referred request (from NOTIFY). */
  refer(referTo: string): Promise<number>;
  onEvent(handler: (event: SipCallEvent) => void): void;
}

export type SipCallEvent =
  /** BYE came, the session timer ran out, or our request got 481/408. Fires once. */
  | { readonly kind: 'ended'; readonly by: 'remote' | 'session-timer' | 'failure'; readonly reason?: string }
  /** re-INVITE or UPDATE; `offer` undefined asks for our offer. Answer exactly once. */
  | {
      readonly kind: 'offer';
      readonly offer: string | undefined;
      answer(sdp: string): void;
      refuse(status: number): void;
    }
  /** Our offer (to an offerless re-INVITE) was answered in the ACK. */
  | { readonly kind: 'answer'; readonly sdp: string }
  | { readonly kind: 'info'; readonly contentType: string; readonly body: string }
  /** Blind or (with Replaces in the URI) attended transfer. `notify` reports the progress, a final status ends it. */
  | {
      readonly kind: 'refer';
      readonly referTo: string;
      /** The `dialogId` that Replaces names, as this side would call it. */
      readonly replacesDialog?: string;
      accept(): { notify(status: number, reason: string): void };
      refuse(status: number): void;
    };

/** A call that comes in; the engine has already answered 100. */
export interface IncomingCall {
  readonly callId: string;
  /** As that of SipCall; the same once the call is answered. */
  readonly dialogId: string;
  readonly request: SipRequest;
  readonly source: Endpoint;
  readonly transport: SipTransport;
  readonly localAddress: string;
  /** Who it is, as the admission port decided. */
  readonly caller: CallerIdentity;
  /** Undefined: the peer wants our offer in the 2xx. */
  readonly offer: string | undefined;
  /** The call that this one takes the place of (RFC 3891): once this one is answered, hang that one up. */
  readonly replacesCallId?: string | undefined;
  ringing(): void;
  /** 183 with early media. */
  progress(sdp: string): void;
  /**
   * 200; resolves when ACK came (its SDP when our 200 was the offer), rejects with SipError `no-ack` or `cancelled`.
   * `credentials` answer a trunk that challenges what this side sends within the call.
   */
  answer(
    sdp: string,
    credentials?: SipCredentials,
  ): Promise<{ readonly call: SipCall; readonly ackSdp: string | undefined }>;
  reject(status: number, reason?: string, headers?: readonly SipHeader[]): void;
  /** CANCEL came (487 was sent), or the transaction ended before an answer. */
  onCancelled(handler: () => void): void;
}

export type CallerIdentity =
  /** A phone that proved its password (or calls from its registered flow). */
  | { readonly kind: 'phone'; readonly accountSid: string; readonly username: string; readonly domain: string }
  /** A trunk, told by address or digest. */
  | { readonly kind: 'trunk'; readonly accountSid: string; readonly name: string }
  /** Anybody, where the operator opened a domain without authentication. */
  | { readonly kind: 'anonymous' };

/** HA1 digests (RFC 7616 3.4.2) of one credential; the password itself is not kept. */
export interface StoredCredential {
  readonly username: string;
  readonly realm: string;
  readonly ha1Md5: string;
  readonly ha1Sha256: string;
  readonly accountSid: string;
}

/** Decides who may register and call. Asked for each request outside a dialog. */
export interface Admission {
  /** Credential for digest; undefined: unknown user (the challenge goes on all the same). */
  credential(realm: string, username: string): Promise<StoredCredential | undefined>;
  /** Realm for requests toward this host (a SIP domain or the server itself). */
  realm(host: string): Promise<string>;
  /** A peer known by its address (a trunk). */
  trustedPeer(source: Endpoint, transport: SipTransport): Promise<CallerIdentity | undefined>;
  /** May this user register this address of record? */
  mayRegister(credential: StoredCredential, aor: string): boolean;
}

/** The SIP side of a call service: registrar, outgoing and incoming calls, over UDP and TCP. */
export interface UserAgent {
  readonly addresses: { readonly udp: Endpoint; readonly tcp: Endpoint };
  placeCall(options: PlaceCall, handlers: PlacedCallHandlers): PlacedCall;
  onIncomingCall(handler: (call: IncomingCall) => void): void;
  /** MESSAGE outside a dialog, already authenticated. Returns the status to answer. */
  onMessage(
    handler: (message: { readonly request: SipRequest; readonly caller: CallerIdentity }) => Promise<number>,
  ): void;
  /**
   * Keeps this server registered at an outside registrar: refreshes in time, tries again after failures. Throws SipError
   * `bad-argument` for an address without a user.
   */
  registerTrunk(options: TrunkRegistrationOptions): TrunkRegistration;
  /** Registered contacts of an address of record, best first. */
  bindings(aor: string): Promise<readonly RegisteredContact[]>;
  /** Whose requests are not answered for a while, and until when. */
  heldBack(): readonly HeldSource[];
  /** Ends the silences of an address, and says which. */
  free(address: string): readonly HeldSource[];
  /** Stops taking new calls (503 with Retry-After); dialogs go on. */
  drain(): void;
  close(): Promise<void>;
}

export interface TrunkRegistrationOptions {
  /** URI of the registrar, `sip:HOST[:PORT][;transport=tcp]`. */
  readonly registrar: string;
  /** `sip:USER@HOST`; calls to the trunk arrive with USER in the Request-URI. */
  readonly aor: string;
  readonly credentials: SipCredentials;
  /** Asked for; the registrar decides. */
  readonly expiresSeconds: number;
  readonly onState?: (state: TrunkState) => void;
}

export type TrunkState =
  | { readonly kind: 'trying' }
  | { readonly kind: 'registered'; readonly expiresAt: number }
  /** `retryAt`: milliseconds since the epoch. */
  | { readonly kind: 'failed'; readonly status: number; readonly reason: string; readonly retryAt: number };

export interface TrunkRegistration {
  readonly state: TrunkState;
  /** Takes the registration back and ends. */
  stop(): Promise<void>;
}

export interface RegisteredContact {
  readonly aor: string;
  readonly contact: string;
  readonly target: SipTarget;
  readonly q: number;
  readonly expiresAt: number;
  readonly userAgent?: string;
}
