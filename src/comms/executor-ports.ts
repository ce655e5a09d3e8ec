import type { Clock } from '../base/clock.ts';
import type { RecordOptions, RecordingResult } from '../media/media-node.ts';
import type { SpeechEngine } from '../media/speech.ts';
import type { TwimlDocument, TwimlElement } from '../wire/twiml/document.ts';
import type { CallStep } from './call-step.ts';
import type { Fault } from './faults.ts';
import type { Call, HttpMethod, Recording, RecordingEvent, RecordingSource } from './model.ts';
import type { Party } from './party.ts';

/** A document to run next, with what is posted beside the call's own parameters. */
export interface DocumentRequest {
  readonly url: string;
  readonly method: HttpMethod;
  readonly parameters: Readonly<Record<string, string>>;
  readonly fallbackUrl?: string | undefined;
  readonly fallbackMethod?: HttpMethod | undefined;
}

/** Either a parsed document (with the absolute URL that relative ones are resolved against), or the fault, already recorded. */
export type FetchedDocument =
  | {
      readonly kind: 'document';
      readonly document: TwimlDocument;
      readonly baseUrl: string;
      readonly method: HttpMethod;
    }
  | { readonly kind: 'fault'; readonly fault: Fault };

/** What happened to a Dial. */
export interface DialOutcome {
  readonly status: 'completed' | 'answered' | 'busy' | 'no-answer' | 'failed' | 'canceled';
  readonly callSid: string | null;
  /** Whole seconds of conversation; null when nobody answered. */
  readonly durationSeconds: number | null;
  readonly bridged: boolean;
  readonly recording?: { readonly url: string; readonly sid: string; readonly durationSeconds: number };
  /** The caller pressed * (hangupOnStar), or was taken away by an update of the call. */
  readonly callerStays: boolean;
}

/** What a TwiML run may ask of the world. The executor has no sockets of its own. */
export interface ExecutorPorts {
  readonly clock: Clock;
  readonly speech: SpeechEngine;
  /** The call as it is now. */
  call(): Call;
  /** Fetches with signature, retry and fallback; faults are recorded as Notifications before it resolves. */
  fetchDocument(request: DocumentRequest): Promise<FetchedDocument>;
  /** Fetches a sound to play; the path stays valid for the run. */
  fetchSound(
    url: string,
  ): Promise<{ readonly kind: 'file'; readonly path: string } | { readonly kind: 'fault'; readonly fault: Fault }>;
  /** Records the fault as a Notification of this call. */
  report(fault: Fault): void;
  /** Tells whoever looks on. */
  observe?(step: CallStep): void;
  /** Runs the Dial verb: places child calls, bridges, tears down. Ends early when the signal aborts. */
  dial(
    verb: TwimlElement,
    context: { readonly baseUrl: string; readonly method: HttpMethod; readonly signal: AbortSignal },
  ): Promise<DialOutcome>;
  /** Starts a recording of this party and keeps it as a resource; `url` is the public URL of the sound (no suffix). */
  record(options: RecordingRequest): Promise<RunningRecording>;
}

export interface RecordingRequest extends Omit<RecordOptions, 'path'> {
  readonly source: RecordingSource;
  readonly statusCallback?: string | undefined;
  readonly statusCallbackMethod?: HttpMethod | undefined;
  readonly statusCallbackEvents?: readonly RecordingEvent[] | undefined;
}

export interface RunningRecording {
  readonly sid: string;
  readonly url: string;
  stop(): void;
  /** After the sound is stored (or found absent). */
  readonly done: Promise<{ readonly result: RecordingResult; readonly recording: Recording }>;
}

/** How a run ended; the call is hung up by its owner in any case. */
export type RunEnd =
  | { readonly kind: 'finished' }
  /** By the party, or by the document (Hangup). */
  | { readonly kind: 'hung-up' }
  | { readonly kind: 'rejected' }
  | { readonly kind: 'fault'; readonly fault: Fault };

/** A live run, commanded by Calls.update. */
export interface TwimlRun {
  readonly end: Promise<RunEnd>;
  /** Interrupts the running verb and goes on with another document. */
  redirect(next: DocumentRequest | { readonly twiml: string }): void;
  /** Ends the run; `end` resolves with `finished`. */
  stop(): void;
  /** After `end` and the last action requests (of a Record or Dial that the hang-up cut) are through. Never rejects. */
  readonly settled: Promise<void>;
}

export interface RunOptions {
  readonly party: Party;
  readonly first: DocumentRequest | { readonly twiml: string };
  readonly ports: ExecutorPorts;
}
