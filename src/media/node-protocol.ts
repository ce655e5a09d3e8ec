import type { MediaLimits } from './in-process-node.ts';
import type {
  Direction,
  LegEvent,
  LegOptions,
  MediaErrorCode,
  MediaLoad,
  RecordingResult,
  RecordOptions,
  SoundSource,
} from './media-node.ts';
import type { BridgeRecordOptions } from './bridge-engine.ts';
import type { PlaybackOutcome } from './playout.ts';
import type { PortRange } from './port-range.ts';

/**
 * What crosses between a media process and its owner: plain data, in order. The owner names everything it makes
 * (requests, legs, bridges, tasks) by numbers of its own, so that nothing waits for an answer before it can be used.
 */
export type NodeCommand =
  | { readonly kind: 'start'; readonly request: number; readonly options: StartOptions }
  | { readonly kind: 'open-leg'; readonly request: number; readonly leg: number; readonly options: LegOptions }
  | { readonly kind: 'leg'; readonly request: number; readonly leg: number; readonly call: LegCall }
  | {
      readonly kind: 'play';
      readonly leg: number;
      readonly task: number;
      readonly sources: readonly SoundSource[];
      readonly loop: number;
    }
  | { readonly kind: 'send-digits'; readonly leg: number; readonly task: number; readonly digits: string }
  | { readonly kind: 'record'; readonly leg: number; readonly task: number; readonly options: RecordOptions }
  | { readonly kind: 'inject-digit'; readonly leg: number; readonly digit: string }
  | { readonly kind: 'rest'; readonly leg: number; readonly resting: boolean }
  /** A packet that is a message, in base64: the channel is JSON. */
  | { readonly kind: 'frame'; readonly leg: number; readonly packet: string }
  | {
      readonly kind: 'bridge';
      readonly request: number;
      readonly bridge: number;
      readonly legs: readonly number[];
      readonly listeners: readonly number[];
      readonly passDigits: boolean;
    }
  | {
      readonly kind: 'record-bridge';
      readonly bridge: number;
      readonly task: number;
      readonly options: BridgeRecordOptionsData;
    }
  | { readonly kind: 'close-bridge'; readonly request: number; readonly bridge: number }
  | { readonly kind: 'task'; readonly task: number; readonly action: 'stop' | 'pause' | 'resume' }
  | { readonly kind: 'close'; readonly request: number };

export type LegCall =
  | { readonly method: 'create-offer'; readonly direction?: Direction }
  | { readonly method: 'accept-answer'; readonly sdp: string }
  | { readonly method: 'answer-offer'; readonly sdp: string }
  | { readonly method: 'use-frames'; readonly offer: string }
  | { readonly method: 'statistics' }
  | { readonly method: 'close' };

export type BridgeRecordOptionsData = BridgeRecordOptions;

export interface StartOptions extends MediaLimits {
  readonly id: string;
  readonly portRange: PortRange;
}

export type NodeReport =
  | { readonly kind: 'reply'; readonly request: number; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly request: number; readonly code: MediaErrorCode; readonly message: string }
  | { readonly kind: 'frame'; readonly leg: number; readonly packet: string }
  | { readonly kind: 'event'; readonly leg: number; readonly event: LegEvent }
  | { readonly kind: 'played'; readonly task: number; readonly outcome: PlaybackOutcome }
  | { readonly kind: 'recorded'; readonly task: number; readonly result: RecordingResult }
  | { readonly kind: 'load'; readonly load: MediaLoad };

/** How often a media process says how it is; silence for several of these means that it hangs. */
export const LOAD_REPORT_MS = 1_000;
