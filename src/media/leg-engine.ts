import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { RtpPacketView } from '../wire/rtp/packet.ts';
import { mayReceive, maySend } from '../wire/sdp/negotiate.ts';
import { AudioReceiver, type HeardKey } from './audio-receiver.ts';
import { AudioSender } from './audio-sender.ts';
import { DigitQueue } from './digit-queue.ts';
import type { G711Codec } from '../wire/sound/g711.ts';
import { LegRecordings } from './leg-recordings.ts';
import { LegRtcp } from './leg-rtcp.ts';
import type { LegEvent, LegStatistics, Playback, Recording, RecordOptions, SoundSource } from './media-node.ts';
import { saturate } from './mixer.ts';
import type { NegotiatedAudio } from './negotiated-audio.ts';
import type { PacketPort } from './packet-port.ts';
import { Playout } from './playout.ts';
import type { RecorderOptions } from './recorder.ts';
import { FRAME_SAMPLES, SAMPLE_RATE } from './sound-format.ts';
import { ToneGenerator } from './tone.ts';

export interface LegEngineOptions {
  readonly port: PacketPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly loadSound: (path: string) => Promise<Int16Array>;
  /** Wraps work on the disk, which virtual time waits for. */
  readonly holding: RecorderOptions['holding'];
  /** Silence of the network after which `audio-missing` is told. */
  readonly audioMissingMs: number;
  readonly onEvent: (event: LegEvent) => void;
  /** Given what the party sends, in its order; see ArrivalOrder. */
  readonly onArrived?: ((samples: Int16Array) => void) | undefined;
}

const BEEP = { hertz: [1_000], durationMs: 250, sampleRate: SAMPLE_RATE } as const;
/**
 * After this many ticks without a packet to relay, silence is sent, so that the far end and every NAT still see us. Ticks,
 * not time: after a standstill of this process the packets are there and unread, and silence before them would put them
 * late for the rest of the call.
 */
const RELAY_GAP_TICKS = 3;
const KEY = /^[0-9*#A-D]$/;

/**
 * One party's sound: packets and ticks in, packets and events out. It knows neither sockets nor SDP; each tick it first
 * hears a frame, then, when the node has mixed, speaks one.
 */
export class LegEngine {
  /** What the peer said in this tick; valid from `hear` to the next `hear`, unless the leg is only relayed. */
  readonly heard = new Int16Array(FRAME_SAMPLES);
  /** Tells the bridge of a key. */
  onKey: ((digit: string, via: 'rtp' | 'in-band' | 'info') => void) | undefined;
  readonly #options: LegEngineOptions;
  readonly #sender: AudioSender;
  readonly #receiver: AudioReceiver;
  readonly #rtcp: LegRtcp;
  readonly #recordings: LegRecordings;
  readonly #digits = new DigitQueue();
  readonly #frame = new Int16Array(FRAME_SAMPLES);
  #audio: NegotiatedAudio | undefined;
  #playout: Playout | undefined;
  #beep: ToneGenerator | undefined;
  /** What was sent in this tick; undefined: silence. */
  #spoken: Int16Array | undefined;
  #relayTarget: LegEngine | undefined;
  #receivedCodec: G711Codec | undefined;
  #eventTimestamp = 0;
  #ticksSinceRelayed = Infinity;
  #resting = false;
  #negotiatedMs: number | undefined;
  #expectedSinceMs = 0;
  /** How often `audio-missing` has been told of the present silence. */
  #missingTold = 0;
  #firstAudioMs: number | undefined;
  #reachable = false;
  #closed = false;

  constructor(options: LegEngineOptions) {
    this.#options = options;
    this.#sender = new AudioSender(options.port, options.random, FRAME_SAMPLES);
    this.#receiver = new AudioReceiver(SAMPLE_RATE, {
      onKey: (key) => this.#heardKey(key),
      onArrived: options.onArrived,
    });
    const { port, clock, random } = options;
    this.#recordings = new LegRecordings(options.holding);
    this.#rtcp = new LegRtcp({ port, clock, random, sender: this.#sender, reception: this.#receiver.reception });
    port.onRtp((packet) => this.#receive(packet));
    port.onRtcp((packet) => this.#rtcp.receive(packet));
  }

  /** A first or repeated offer and answer is settled; takes effect with the next packet. */
  negotiated(audio: NegotiatedAudio): void {
    const nowMs = this.#options.clock.now();
    this.#audio = audio;
    this.#sender.configure(audio);
    this.#receiver.configure(audio);
    this.#receivedCodec ??= audio.codec;
    this.#negotiatedMs ??= nowMs;
    this.#expectedSinceMs = nowMs;
    this.#missingTold = 0;
  }

  /** What we send, as descriptions name it. */
  get source(): { readonly ssrc: number; readonly cname: string } {
    return { ssrc: this.#sender.ssrc, cname: this.#rtcp.cname };
  }

  /** The codec that this leg is spoken to in. */
  get codec(): G711Codec | undefined {
    return this.#audio?.codec;
  }

  get hasTelephoneEvents(): boolean {
    return this.#audio?.telephoneEvent !== undefined;
  }

  /** Whether packets may pass from this leg to `target` as they are. */
  mayRelayTo(target: LegEngine): boolean {
    if (this.#audio === undefined || this.#receivedCodec !== target.codec) return false;
    return !this.#needsSound && !target.#playsSound && !target.#recordings.wantSpoken;
  }

  /** Passes packets on to that leg instead of decoding them, until told otherwise. */
  relayTo(target: LegEngine | undefined): void {
    if (target === this.#relayTarget) return;
    if (this.#relayTarget === undefined && !this.#needsSound) this.#receiver.flush();
    this.#relayTarget = target;
  }

  /** First half of a tick: takes the next frame out of the jitter buffer and gives it to those who want it. */
  hear(): void {
    const nowMs = this.#options.clock.now();
    if (this.#beep === undefined) this.#recordings.beepEnded();
    if (this.#relayTarget !== undefined && !this.#needsSound) this.#receiver.tick(nowMs);
    else this.#receiver.pull(nowMs, this.heard);
    this.#watch(nowMs);
    this.#rtcp.tick(nowMs);
  }

  /**
   * Second half of a tick: sends digits, else what is played, else `mixed`, else silence. Before the first offer and
   * answer nothing is sent and playing waits. On hold, playing goes on unheard.
   */
  speak(mixed: Int16Array | undefined, skippedFrames: number): void {
    this.#spoken = undefined;
    this.#reachable ||= this.#options.port.ready;
    if (this.#audio !== undefined && this.#reachable) this.#speakNow(this.#audio, mixed, skippedFrames);
    this.#recordings.push(this.heard, this.#spoken);
  }

  play(sources: readonly SoundSource[], loop: number): Playback {
    this.#playout?.stop();
    const { loadSound } = this.#options;
    const sendDigits = (digits: string): Playback => this.#digits.add(digits);
    const playout = new Playout({ sources, loop, sampleRate: SAMPLE_RATE, loadSound, sendDigits });
    if (this.#closed) playout.stop();
    else this.#playout = playout;
    return playout;
  }

  sendDigits(digits: string): Playback {
    const playback = this.#digits.add(digits);
    if (this.#closed) playback.stop();
    return playback;
  }

  record(options: RecordOptions): Recording {
    const recording = this.#recordings.start(options);
    if (this.#closed) void this.#recordings.hangUp();
    else if (options.beep === true) this.#beep = new ToneGenerator(BEEP);
    return recording;
  }

  /** A digit by signalling. Anything but one key is ignored. */
  injectDigit(digit: string): void {
    const key = digit.toUpperCase();
    if (!KEY.test(key)) return;
    const nowMs = this.#options.clock.now();
    this.#tellKey({ kind: 'digit', digit: key, durationMs: 0, via: 'info' }, nowMs);
  }

  /** While it rests, only keys and what is played are sent. */
  rest(resting: boolean): void {
    this.#resting = resting;
  }

  statistics(): Omit<LegStatistics, 'remote'> {
    const { reception } = this.#receiver;
    const { codec } = this;
    return {
      packetsReceived: reception.packetsReceived,
      packetsSent: this.#sender.packets,
      packetsLost: reception.packetsLost,
      jitterMs: Math.round(reception.jitterMs * 10) / 10,
      ...(codec === undefined ? {} : { codec }),
      ...(this.#firstAudioMs === undefined || this.#negotiatedMs === undefined
        ? {}
        : { firstAudioAfterMs: Math.round(this.#firstAudioMs - this.#negotiatedMs) }),
    };
  }

  /** Ends what runs; resolves when the recordings are on disk. The port stays with its owner. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#playout?.stop();
    this.#digits.stopAll();
    this.#rtcp.bye();
    await this.#recordings.hangUp();
  }

  get #needsSound(): boolean {
    return this.#recordings.wantHeard || this.#receiver.listensForTones;
  }

  get #playsSound(): boolean {
    return this.#playout !== undefined || this.#beep !== undefined;
  }

  get #sends(): boolean {
    return this.#audio !== undefined && maySend(this.#audio.direction);
  }

  #receive(bytes: Uint8Array): void {
    const audio = this.#audio;
    if (audio === undefined || this.#closed || !mayReceive(audio.direction)) return;
    const nowMs = this.#options.clock.now();
    const target = this.#relayTarget;
    const kind = this.#receiver.receive(bytes, nowMs, target === undefined || this.#needsSound);
    if (kind === 'refused') return;
    this.#expectedSinceMs = nowMs;
    this.#missingTold = 0;
    if (kind === 'other') {
      if (target !== undefined) target.#sender.skipRelayed();
      return;
    }
    this.#receivedCodec = audio.receive.get(this.#receiver.packet.payloadType);
    if (this.#firstAudioMs === undefined) {
      this.#firstAudioMs = nowMs;
      this.#options.onEvent({ kind: 'audio-started' });
    }
    if (target !== undefined && this.#receivedCodec === target.codec) target.#relay(this.#receiver.packet);
  }

  #relay(packet: RtpPacketView): void {
    if (!this.#sends || !this.#digits.idle) return;
    this.#ticksSinceRelayed = 0;
    this.#sender.relay(packet);
  }

  #speakNow(audio: NegotiatedAudio, mixed: Int16Array | undefined, skippedFrames: number): void {
    this.#ticksSinceRelayed += 1;
    const isRelayed = mixed === undefined && this.#ticksSinceRelayed <= RELAY_GAP_TICKS;
    // Packets that are passed on bring their own time line.
    if (skippedFrames > 0 && !isRelayed) this.#sender.pause(skippedFrames);
    if (!this.#speakDigits(audio)) this.#speakSound(mixed);
    this.#digits.afterSend();
    this.#playout?.afterSend();
    if (this.#playout?.settled === true) this.#playout = undefined;
  }

  #speakDigits(audio: NegotiatedAudio): boolean {
    const digit = this.#digits.next(audio.telephoneEvent === undefined ? 'in-band' : 'event');
    if (digit === undefined || digit.kind === 'free') return false;
    if (digit.kind === 'sound') this.#emit(digit.frame);
    else if (!this.#sends) this.#sender.pause(1);
    else {
      if (digit.begins) this.#eventTimestamp = this.#sender.timestamp;
      this.#sender.sendEvent(digit.packet.payload, digit.packet.marker, this.#eventTimestamp);
    }
    return true;
  }

  #speakSound(mixed: Int16Array | undefined): void {
    if (this.#beep !== undefined) {
      const count = this.#beep.fill(this.#frame);
      this.#emit(this.#frame);
      if (count < FRAME_SAMPLES) this.#beep = undefined;
      return;
    }
    if (this.#playout?.next(this.#frame) === true) {
      if (mixed !== undefined) add(mixed, this.#frame);
      this.#emit(this.#frame);
    } else if (this.#resting) this.#sender.pause(1);
    else if (mixed !== undefined) this.#emit(mixed);
    else if (this.#ticksSinceRelayed > RELAY_GAP_TICKS) this.#emit(undefined);
  }

  #emit(frame: Int16Array | undefined): void {
    if (!this.#sends) {
      this.#sender.pause(1);
      return;
    }
    this.#spoken = frame;
    this.#sender.sendFrame(frame);
  }

  #heardKey(key: HeardKey): void {
    const { digit, durationMs, via, startedMs } = key;
    this.#tellKey({ kind: 'digit', digit, durationMs, via }, startedMs);
  }

  #tellKey(event: Extract<LegEvent, { kind: 'digit' }>, startedMs: number): void {
    if (this.#closed) return;
    this.#options.onEvent(event);
    this.onKey?.(event.digit, event.via);
    this.#recordings.key(event.digit, startedMs, this.#options.clock.now());
  }

  #watch(nowMs: number): void {
    if (this.#audio === undefined || !mayReceive(this.#audio.direction)) return;
    // Nothing can come before there is a way: a browser's begins with the answer.
    if (!this.#options.port.ready) this.#expectedSinceMs = nowMs;
    const forMs = nowMs - this.#expectedSinceMs;
    if (forMs < this.#options.audioMissingMs * (this.#missingTold + 1)) return;
    this.#missingTold += 1;
    this.#options.onEvent({ kind: 'audio-missing', forMs: Math.round(forMs) });
  }
}

function add(sound: Int16Array, onto: Int16Array): void {
  for (let i = 0; i < onto.length; i += 1) onto[i] = saturate((onto[i] as number) + (sound[i] as number));
}
