import type { DirectStep, SoundPath } from '../wire/webphone/client-message.ts';
import type { SoundRoute } from './client-types.ts';
import { ClientError } from './client-error.ts';
import { DirectPath } from './direct-path.ts';
import type { CallSound, SoundEvents, SoundStatistics } from './ports.ts';

export interface CallAudioPorts extends Omit<SoundEvents, 'direct'> {
  open(kind: SoundPath['kind'], events: SoundEvents): Promise<CallSound>;
  /** Tells the other browser, by the server. */
  sendDirect(step: DirectStep): void;
  /** The sound takes another way. */
  rerouted(route: SoundRoute): void;
}

/** The sound of one call, whichever way it takes: by WebRTC or as frames to the server, or straight to the other browser. */
export class CallAudio {
  readonly #ports: CallAudioPorts;
  readonly #direct: DirectPath;
  #sound: CallSound | undefined;
  /** Frames that take the place of a WebRTC that carries nothing, once the server has them too. */
  #next: CallSound | undefined;
  /** Raised when one sound is to take the place of another: what that still tells is not of the call any more. */
  #generation = 0;
  #muted = false;
  #metered = false;
  #closed = false;

  constructor(ports: CallAudioPorts) {
    this.#ports = ports;
    this.#direct = new DirectPath({
      send: (step) => ports.sendDirect(step),
      changed: () => ports.rerouted(this.route ?? 'webrtc'),
    });
  }

  /** Undefined before there is sound. */
  get route(): SoundRoute | undefined {
    return this.#direct.isInUse ? 'direct' : this.#sound?.kind;
  }

  /** The way to the server. */
  get kind(): SoundPath['kind'] | undefined {
    return this.#sound?.kind;
  }

  get isMuted(): boolean {
    return this.#muted;
  }

  get localStream(): unknown {
    return this.#sound?.localStream;
  }

  get remoteStream(): unknown {
    return this.#sound?.remoteStream;
  }

  /** The description in force, or offered, by which a new socket goes on with the call. */
  get current(): SoundPath | undefined {
    return (this.#next ?? this.#sound)?.current();
  }

  async statistics(): Promise<SoundStatistics | undefined> {
    return this.#sound?.statistics();
  }

  /** Takes the microphone, and describes this side of a call that is made. */
  async offer(kind: SoundPath['kind']): Promise<SoundPath> {
    const sound = await this.#open(kind);
    this.#use(sound);
    return sound.offer();
  }

  /** The same for a call that comes in; when it fails the microphone is free again. */
  async answer(offer: SoundPath): Promise<SoundPath> {
    const sound = await this.#open(offer.kind);
    this.#use(sound);
    try {
      return await sound.answer(offer);
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /** The other side's description. */
  async accept(path: SoundPath): Promise<void> {
    const next = this.#next;
    if (path.kind === 'frames' && next !== undefined) {
      this.#direct.leave();
      this.#sound?.close();
      this.#next = undefined;
      this.#use(next);
      this.#ports.rerouted('frames');
    }
    await this.#sound?.accept(path);
  }

  /** Describes another ICE connection. */
  async restart(): Promise<SoundPath | undefined> {
    return this.#sound?.offer({ restart: true });
  }

  /** Describes frames, which take the place of WebRTC when they are accepted. */
  async replace(): Promise<SoundPath> {
    this.#generation += 1;
    this.#next = await this.#open('frames');
    return this.#next.offer();
  }

  mute(muted: boolean): void {
    this.#muted = muted;
    this.#sound?.mute(muted);
    this.#next?.mute(muted);
  }

  /** Begins to tell loudness. */
  meter(): void {
    this.#metered = true;
    this.#sound?.meter();
  }

  /** A packet of the server; it may go over before its word of that is here. */
  frame(packet: Uint8Array): void {
    (this.#next ?? this.#sound)?.frame(packet);
  }

  direct(step: DirectStep): void {
    this.#direct.take(step);
  }

  /** Lets the microphone go; it may be taken again. */
  release(): void {
    this.#sound?.close();
    this.#sound = undefined;
  }

  /** What it was is still told. */
  close(): void {
    this.#closed = true;
    this.#direct.close();
    this.#sound?.close();
    this.#next?.close();
    this.#next = undefined;
  }

  async #open(kind: SoundPath['kind']): Promise<CallSound> {
    const generation = this.#generation;
    const ours = (work: () => void): void => {
      if (generation === this.#generation) work();
    };
    const ports = this.#ports;
    const sound = await ports.open(kind, {
      up: () => ours(() => ports.up()),
      down: () => ours(() => ports.down()),
      failed: (error) => ours(() => ports.failed(error)),
      frame: (packet) => ours(() => ports.frame(packet)),
      volume: (input, output) => ours(() => ports.volume(input, output)),
      direct: (state) => ours(() => this.#direct.connection(state)),
    });
    if (this.#closed) {
      sound.close();
      throw new ClientError(31000, 'the call ended before the microphone was there');
    }
    sound.mute(this.#muted);
    return sound;
  }

  #use(sound: CallSound): void {
    this.#sound = sound;
    if (this.#metered) sound.meter();
    this.#direct.sound = sound.direct;
  }
}
