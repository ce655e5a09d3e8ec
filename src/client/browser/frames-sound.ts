import { after, type Cancel, type Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import { systemRandom } from '../../base/random.ts';
import type { SoundPath } from '../../wire/webphone/client-message.ts';
import { ClientError } from '../client-error.ts';
import { FramePacker, FrameUnpacker } from '../frame-packets.ts';
import { PlayoutBuffer } from '../playout-buffer.ts';
import type { CallSound, DirectSound, SoundEvents, SoundStatistics } from '../ports.ts';
import { meterStreams } from './meter.ts';

export interface FramesSoundOptions {
  readonly microphone: MediaStream;
  readonly events: SoundEvents;
  readonly clock: Clock;
}

/** What waits before sound begins, and the most that may wait. */
const TARGET_SECONDS = 0.06;
const MOST_SECONDS = 0.3;
/** The microphone is handed on in pieces of this length. */
const PIECE_SECONDS = 0.02;

const refuse = (): Promise<never> =>
  Promise.reject(new ClientError(53405, 'a page that sends frames reaches no other browser directly'));
const NO_DIRECT: DirectSound = { offer: refuse, answer: refuse, accept: refuse, use() {}, stop() {} };

/** Sound as RTP packets over the socket: for a browser that finds no ICE candidate, or whose packets do not pass. */
export class FramesSound implements CallSound {
  readonly kind = 'frames';
  readonly direct = NO_DIRECT;
  readonly remoteStream: MediaStream;
  readonly #options: FramesSoundOptions;
  readonly #context: AudioContext;
  readonly #node: AudioWorkletNode;
  readonly #packer: FramePacker;
  readonly #unpacker: FrameUnpacker;
  #speaks = false;
  #isUp = false;
  readonly #counts = { packetsSent: 0, packetsReceived: 0, packetsLost: 0 };
  #stopMeter: Cancel | undefined;

  private constructor(options: FramesSoundOptions, context: AudioContext) {
    this.#options = options;
    this.#context = context;
    this.#packer = new FramePacker(context.sampleRate, systemRandom);
    this.#unpacker = new FrameUnpacker(context.sampleRate);
    this.#node = new AudioWorkletNode(context, PROCESSOR, { outputChannelCount: [1] });
    this.#node.port.onmessage = ({ data }: MessageEvent<Float32Array>) => this.#speak(data);
    context.createMediaStreamSource(options.microphone).connect(this.#node);
    const heard = context.createMediaStreamDestination();
    this.#node.connect(heard);
    this.#node.connect(context.destination);
    this.remoteStream = heard.stream;
  }

  static async open(options: FramesSoundOptions): Promise<FramesSound> {
    const context = new AudioContext({ latencyHint: 'interactive' });
    const module = URL.createObjectURL(new Blob([WORKLET], { type: 'text/javascript' }));
    try {
      await context.audioWorklet.addModule(module);
      // Suspended until the page is touched, where the browser wants that; it begins then.
      if (context.state === 'suspended') void context.resume();
      return new FramesSound(options, context);
    } catch (error) {
      void context.close();
      throw new ClientError(
        53405,
        `sound over the socket needs an AudioWorklet, which failed: ${errorText(error)}. A Content-Security-Policy must let blob: scripts in`,
        { cause: error },
      );
    } finally {
      URL.revokeObjectURL(module);
    }
  }

  get localStream(): MediaStream {
    return this.#options.microphone;
  }

  async offer(): Promise<SoundPath> {
    return { kind: 'frames' };
  }

  async answer(): Promise<SoundPath> {
    this.#begin();
    return { kind: 'frames' };
  }

  async accept(): Promise<void> {
    this.#begin();
  }

  current(): SoundPath {
    return { kind: 'frames' };
  }

  mute(muted: boolean): void {
    for (const track of this.#options.microphone.getAudioTracks()) track.enabled = !muted;
  }

  frame(packet: Uint8Array): void {
    const samples = this.#unpacker.push(packet);
    if (samples === undefined) return;
    this.#counts.packetsReceived += 1;
    this.#node.port.postMessage(samples, [samples.buffer]);
  }

  meter(): void {
    this.#stopMeter ??= meterStreams(
      () => [this.localStream, this.remoteStream],
      this.#options.clock,
      (input = 0, output = 0) => this.#options.events.volume(input, output),
    );
  }

  async statistics(): Promise<SoundStatistics> {
    return { ...this.#counts };
  }

  close(): void {
    this.#speaks = false;
    this.#stopMeter?.();
    this.#node.port.onmessage = null;
    this.#node.disconnect();
    void this.#context.close();
    for (const track of this.#options.microphone.getTracks()) track.stop();
  }

  /** The socket is there already: nothing has to be found first. */
  #begin(): void {
    this.#speaks = true;
    if (this.#isUp) return;
    this.#isUp = true;
    after(this.#options.clock, 0, () => this.#options.events.up());
  }

  #speak(samples: Float32Array): void {
    if (!this.#speaks) return;
    for (const packet of this.#packer.push(samples)) {
      this.#counts.packetsSent += 1;
      this.#options.events.frame(packet);
    }
  }
}

const PROCESSOR = 'tandem-frames';

/** Runs in the audio thread: microphone out in pieces, loudspeaker in by the buffer. */
const WORKLET = `
const PlayoutBuffer = ${PlayoutBuffer.toString()};
registerProcessor('${PROCESSOR}', class extends AudioWorkletProcessor {
  constructor() {
    super();
    this.buffer = new PlayoutBuffer(${TARGET_SECONDS} * sampleRate, ${MOST_SECONDS} * sampleRate);
    this.piece = new Float32Array(Math.round(${PIECE_SECONDS} * sampleRate));
    this.filled = 0;
    this.port.onmessage = ({ data }) => this.buffer.push(data);
  }
  process([[microphone]], [[loudspeaker]]) {
    this.buffer.pull(loudspeaker);
    for (let at = 0; at < loudspeaker.length; at++) {
      this.piece[this.filled++] = microphone === undefined ? 0 : microphone[at];
      if (this.filled < this.piece.length) continue;
      this.port.postMessage(this.piece.slice());
      this.filled = 0;
    }
    return true;
  }
});
`;
