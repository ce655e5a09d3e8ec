import { eventOfKey, telephoneEventPackets, type TelephoneEventPacket } from '../wire/rtp/telephone-event.ts';
import { FRAME_MS } from './ticker.ts';
import { dtmfTone, ToneGenerator } from './tone.ts';

const PRESS_MS = 120;
/** From one press to the next. */
const KEY_SPACING_MS = 200;
const SHORT_PAUSE_MS = 500;
const LONG_PAUSE_MS = 1_000;
/** More keys than any menu takes; a longer string is refused. */
export const MAX_DIGITS = 256;

/** What a tick sends while digits are going out. */
export type DigitFrame =
  | { readonly kind: 'event'; readonly packet: TelephoneEventPacket; readonly begins: boolean }
  | { readonly kind: 'sound'; readonly frame: Int16Array }
  /** Between keys as events, or in a pause: other sound may go out. */
  | { readonly kind: 'free' };

export type DigitMode = 'event' | 'in-band';

export interface DigitSenderOptions {
  readonly digits: string;
  readonly mode: DigitMode;
  readonly sampleRate: number;
}

/** Why `digits` cannot be sent; undefined when they can. */
export function digitsFault(digits: string): string | undefined {
  if (digits.length > MAX_DIGITS) return `${digits.length} digits: want at most ${MAX_DIGITS}`;
  if (/^[0-9*#A-Da-dwW]*$/.test(digits)) return undefined;
  return `digits ${JSON.stringify(digits)}: want 0-9 * # A-D, and w or W for a pause`;
}

/** One string of digits on its way out, a frame at a time. */
export class DigitSender {
  readonly #digits: string;
  readonly #mode: DigitMode;
  readonly #sampleRate: number;
  readonly #frame: Int16Array;
  #index = 0;
  /** Frames of the current key or pause gone by. */
  #frames = 0;
  #packets: readonly TelephoneEventPacket[] = [];
  #tone: ToneGenerator | undefined;
  #sent = 0;

  constructor(options: DigitSenderOptions) {
    this.#digits = options.digits;
    this.#mode = options.mode;
    this.#sampleRate = options.sampleRate;
    this.#frame = new Int16Array((options.sampleRate * FRAME_MS) / 1_000);
  }

  get playedMs(): number {
    return this.#sent * FRAME_MS;
  }

  get finished(): boolean {
    return this.#index >= this.#digits.length;
  }

  /** The next frame; call it only while not finished. */
  next(): DigitFrame {
    const symbol = this.#digits[this.#index] as string;
    const frame = symbol === 'w' || symbol === 'W' ? ({ kind: 'free' } as const) : this.#key(symbol);
    this.#frames += 1;
    this.#sent += 1;
    if (this.#frames * FRAME_MS >= lengthOf(symbol)) {
      this.#index += 1;
      this.#frames = 0;
    }
    return frame;
  }

  #key(key: string): DigitFrame {
    if (this.#frames === 0) this.#begin(key);
    if (this.#tone !== undefined) {
      this.#tone.fill(this.#frame);
      return { kind: 'sound', frame: this.#frame };
    }
    const packet = this.#packets[this.#frames];
    return packet === undefined ? { kind: 'free' } : { kind: 'event', packet, begins: this.#frames === 0 };
  }

  #begin(key: string): void {
    if (this.#mode === 'in-band') {
      const tone = dtmfTone(key, PRESS_MS, this.#sampleRate);
      this.#tone = tone === undefined ? undefined : new ToneGenerator(tone);
      return;
    }
    const event = eventOfKey(key);
    this.#packets =
      event === undefined ? [] : telephoneEventPackets({ event, durationMs: PRESS_MS, packetMs: FRAME_MS });
  }
}

function lengthOf(symbol: string): number {
  if (symbol === 'w') return SHORT_PAUSE_MS;
  return symbol === 'W' ? LONG_PAUSE_MS : KEY_SPACING_MS;
}
