import type { LegEngine } from './leg-engine.ts';
import type { Recording } from './media-node.ts';
import { Mixer } from './mixer.ts';
import { Recorder, type RecorderOptions } from './recorder.ts';
import { FRAME_SAMPLES, SAMPLE_RATE } from './sound-format.ts';

export interface BridgeEngineOptions {
  readonly passDigits: boolean;
  readonly holding: RecorderOptions['holding'];
}

interface Member {
  readonly leg: LegEngine;
  /** Hears the others, is not heard. */
  readonly listenOnly: boolean;
  readonly output: Int16Array;
}

export type BridgeRecordOptions = Pick<RecorderOptions, 'path' | 'channels' | 'trim' | 'maxLengthMs'>;

/**
 * Legs that hear each other. Two legs with one codec, when nobody needs the samples, have their packets passed on as
 * they are; else every tick decodes, mixes and encodes.
 */
export class BridgeEngine {
  readonly #options: BridgeEngineOptions;
  readonly #mixer = new Mixer(FRAME_SAMPLES);
  readonly #left = new Int16Array(FRAME_SAMPLES);
  readonly #right = new Int16Array(FRAME_SAMPLES);
  #members: Member[] = [];
  #relaying = false;
  #recorder: Recorder | undefined;

  constructor(options: BridgeEngineOptions) {
    this.#options = options;
  }

  get legs(): readonly LegEngine[] {
    return this.#members.map((member) => member.leg);
  }

  add(leg: LegEngine, listenOnly: boolean): void {
    this.#members.push({ leg, listenOnly, output: new Int16Array(FRAME_SAMPLES) });
    leg.onKey = (digit, via) => this.#passKey(leg, digit, via);
  }

  /** The leg goes on alone. A recording ends when nobody is left to talk to. */
  remove(leg: LegEngine): void {
    this.#setRelay(false);
    this.#members = this.#members.filter((member) => member.leg !== leg);
    leg.onKey = undefined;
    if (this.#members.length < 2) this.#recorder?.hangUp();
  }

  close(): void {
    this.#setRelay(false);
    for (const { leg } of this.#members) leg.onKey = undefined;
    this.#members = [];
    this.#recorder?.stop();
  }

  /** A recording that runs already is stopped first. */
  record(options: BridgeRecordOptions): Recording {
    this.#recorder?.stop();
    const recorder = new Recorder({ ...options, sampleRate: SAMPLE_RATE, holding: this.#options.holding });
    if (this.#members.length < 2) recorder.hangUp();
    else this.#recorder = recorder;
    return recorder;
  }

  /** Resolves when no recording is being written. */
  async settled(): Promise<void> {
    await this.#recorder?.done;
  }

  /** Before the legs hear: settles how sound passes in this tick. */
  plan(): void {
    if (this.#recorder?.ended === true) this.#recorder = undefined;
    this.#setRelay(this.#mayRelay());
  }

  /** After the legs have heard: mixes and records. */
  mix(): void {
    if (this.#relaying) return;
    const members = this.#members;
    const inputs = members.map(({ leg, listenOnly }) => (listenOnly ? undefined : leg.heard));
    this.#mixer.mixMinusOwn(
      inputs,
      members.map(({ output }) => output),
    );
    if (this.#recorder !== undefined) this.#record(this.#recorder, inputs);
  }

  /** What the leg hears of the others; undefined while packets are passed on. */
  outputFor(leg: LegEngine): Int16Array | undefined {
    if (this.#relaying) return undefined;
    return this.#members.find((member) => member.leg === leg)?.output;
  }

  #record(recorder: Recorder, inputs: readonly (Int16Array | undefined)[]): void {
    if (recorder.channels === 1) {
      this.#mixer.mix(inputs, this.#left);
      recorder.push([this.#left]);
      return;
    }
    this.#mixer.mix(inputs.slice(0, 1), this.#left);
    this.#mixer.mix(inputs.slice(1), this.#right);
    recorder.push([this.#left, this.#right]);
  }

  #mayRelay(): boolean {
    const [one, other, third] = this.#members;
    if (one === undefined || other === undefined || third !== undefined || this.#recorder !== undefined) return false;
    return one.leg.mayRelayTo(other.leg) && other.leg.mayRelayTo(one.leg);
  }

  #setRelay(relay: boolean): void {
    if (relay === this.#relaying) return;
    this.#relaying = relay;
    const [one, other] = this.#members;
    if (one === undefined || other === undefined) return;
    // A leg that only listens is still taken off the mixer; its packets go nowhere.
    one.leg.relayTo(relay && !one.listenOnly ? other.leg : undefined);
    other.leg.relayTo(relay && !other.listenOnly ? one.leg : undefined);
  }

  #passKey(from: LegEngine, digit: string, via: 'rtp' | 'in-band' | 'info'): void {
    if (!this.#options.passDigits) return;
    for (const { leg } of this.#members) {
      // A tone in the sound is heard as it is by a leg that listens for tones.
      if (leg !== from && (via !== 'in-band' || leg.hasTelephoneEvents)) leg.sendDigits(digit);
    }
  }
}
