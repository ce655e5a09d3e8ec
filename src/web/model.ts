// What the console's door tells, as src/api/console sends it.

export type CallStatus =
  'queued' | 'ringing' | 'in-progress' | 'completed' | 'busy' | 'failed' | 'no-answer' | 'canceled';

export interface ShownCall {
  readonly sid: string;
  readonly parentCallSid: string | null;
  readonly from: string;
  readonly to: string;
  readonly direction: 'inbound' | 'outbound-api' | 'outbound-dial';
  readonly status: CallStatus;
  /** Milliseconds since the epoch, by the server's clock. */
  readonly dateCreated: number;
  readonly startTime: number | null;
  readonly endTime: number | null;
  readonly duration: number | null;
  readonly sipResponseCode: number | null;
  readonly endReason: string | null;
}

export interface RequestStep {
  readonly kind: 'request';
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly durationMs: number;
  readonly status: number | null;
  readonly contentType: string | null;
  readonly body: string;
  readonly failure: { readonly code: number; readonly message: string } | null;
}

export type Step =
  | {
      readonly kind: 'state';
      readonly status: CallStatus;
      readonly sipStatus: number | null;
      readonly reason: string | null;
    }
  | { readonly kind: 'verb'; readonly verb: string; readonly detail: string }
  | { readonly kind: 'digit'; readonly digit: string }
  | RequestStep
  | { readonly kind: 'fault'; readonly code: number; readonly level: 'error' | 'warning'; readonly message: string };

export type Entry = Step & { readonly number: number; readonly at: number };

export interface WatchedCall {
  readonly call: ShownCall;
  readonly legs: readonly ShownCall[];
  /** False: the server knows its steps no more, the entries are what its rows tell. */
  readonly remembered: boolean;
  readonly entries: readonly Entry[];
}

export interface Session {
  readonly account: { readonly sid: string; readonly name: string };
  /** True when nobody was asked for credentials. */
  readonly isLocal: boolean;
  readonly phones: readonly { readonly name: string; readonly number: string | null; readonly registered: boolean }[];
  readonly numbers: readonly { readonly phoneNumber: string; readonly name: string }[];
  readonly homeDomain: string;
  readonly welcomeUrl: string;
  readonly about: {
    readonly http: string;
    readonly https: string | null;
    readonly sip: string;
    readonly speech: string;
  };
}

export type LiveEvent =
  | {
      readonly kind: 'snapshot';
      /** The server's clock. */
      readonly now: number;
      readonly calls: readonly ShownCall[];
      readonly watched: WatchedCall | null;
    }
  | { readonly kind: 'calls'; readonly calls: readonly ShownCall[] }
  | { readonly kind: 'entries'; readonly sid: string; readonly entries: readonly Entry[] };
