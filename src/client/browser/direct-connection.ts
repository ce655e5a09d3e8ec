import { after, type Cancel, type Clock } from '../../base/clock.ts';
import { watchConnection } from './connection-watch.ts';
import { gathered } from './gathering.ts';

const GATHER_MS = 2_000;
const CONNECT_MS = 10_000;

export interface DirectConnectionOptions {
  readonly microphone: MediaStream;
  readonly rtcConfiguration: RTCConfiguration | undefined;
  readonly clock: Clock;
  told(state: 'up' | 'down'): void;
}

/** A connection straight to another browser. Descriptions are complete: candidates do not trickle. */
export class DirectConnection {
  readonly connection: RTCPeerConnection;
  stream: MediaStream | undefined;
  readonly #clock: Clock;
  readonly #stopWatch: Cancel;
  readonly #stopTimer: Cancel;

  constructor({ microphone, rtcConfiguration, clock, told }: DirectConnectionOptions) {
    this.#clock = clock;
    this.connection = new RTCPeerConnection(rtcConfiguration);
    for (const track of microphone.getAudioTracks()) this.connection.addTrack(track, microphone);
    this.connection.ontrack = ({ streams, track }) => {
      this.stream = streams[0] ?? new MediaStream([track]);
    };
    this.#stopTimer = after(clock, CONNECT_MS, () => told('down'));
    this.#stopWatch = watchConnection(this.connection, clock, {
      up: () => {
        this.#stopTimer();
        told('up');
      },
      down: () => told('down'),
    });
  }

  async offer(): Promise<string> {
    return this.#describe(await this.connection.createOffer());
  }

  async answer(offer: string): Promise<string> {
    await this.connection.setRemoteDescription({ type: 'offer', sdp: offer });
    return this.#describe(await this.connection.createAnswer());
  }

  async accept(answer: string): Promise<void> {
    await this.connection.setRemoteDescription({ type: 'answer', sdp: answer });
  }

  close(): void {
    this.#stopTimer();
    this.#stopWatch();
    this.connection.close();
  }

  async #describe(description: RTCSessionDescriptionInit): Promise<string> {
    await this.connection.setLocalDescription(description);
    await gathered(this.connection, this.#clock, GATHER_MS);
    return this.connection.localDescription?.sdp ?? '';
  }
}
