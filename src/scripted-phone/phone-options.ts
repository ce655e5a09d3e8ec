import type { Logger } from '../base/logger.ts';
import type { CallProgressEvent, HttpMethod } from '../comms/model.ts';
import type { SpeechEngine } from '../media/speech.ts';
import type { PhoneEvent } from './transcript.ts';

/** What a phone does that is called. */
export type Answering = 'yes' | 'no' | 'busy';

export interface PhoneOptions {
  /** Signs the requests to the application. Default: 32 times `0`. */
  readonly authToken?: string;
  readonly accountSid?: string;
  /** Decides everything that is random: call sids, SIP tags. Default 1. */
  readonly seed?: number;
  /** `murmur`: speech without words, the same on every machine. `engine`: the best speech engine of this machine. */
  readonly speech?: 'murmur' | 'engine' | SpeechEngine;
  /** The value of PATH, where speech engines are looked for; wanted with `engine`. */
  readonly environmentPath?: string;
  /** What the phones that the flow dials do. Default `yes`. */
  readonly answer?: Answering;
  /** How many calls of `create` and `isCalled` leave their lane in a second, as in the running program. Default 1. */
  readonly callsPerSecond?: number;
  /** Opens the REST API too, on a port of this machine (`phone.url`), under the account sid and the auth token. */
  readonly rest?: boolean;
  /** Folder of the documents at `http://document.invalid/`. */
  readonly documents?: string;
  /** Where recordings of the flow are kept; default: they go with the phone. */
  readonly recordings?: string;
  /** Virtual milliseconds that an expectation waits. Default 60,000. */
  readonly patienceMs?: number;
  /** Network between phone and service. */
  readonly delayMs?: number;
  readonly lossRate?: number;
  readonly log?: Logger;
  /** Told of each event as it happens. */
  readonly onEvent?: (event: PhoneEvent) => void;
}

/** What a call has, whoever makes it. */
interface CallOptions {
  /** The number that calls: the phone's (default +15550199), or the application's (default +15550100) where it calls. */
  readonly from?: string;
  /** The number that is called, likewise. */
  readonly to?: string;
  readonly method?: HttpMethod;
  readonly fallbackUrl?: string;
  readonly statusCallback?: string;
}

export interface CreateOptions extends CallOptions {
  /** Of which the status callback is told; default: `completed`. */
  readonly statusCallbackEvents?: readonly CallProgressEvent[];
}

export interface PhoneCallOptions extends CallOptions {
  /** A WAV file of the call: left what the phone hears, right what it sends. */
  readonly wav?: string;
  /** The phone hangs up so many virtual milliseconds after the answer. */
  readonly hangUpAfterMs?: number;
}
