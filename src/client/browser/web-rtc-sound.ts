import type { Cancel, Clock } from '../../base/clock.ts';
import type { SoundPath } from '../../wire/webphone/client-message.ts';
import { ClientError } from '../client-error.ts';
import type { CallSound, DirectSound, SoundEvents, SoundStatistics } from '../ports.ts';
import { watchConnection } from './connection-watch.ts';
import { DirectConnection } from './direct-connection.ts';
import { Loudspeaker } from './loudspeaker.ts';
import { meterStreams } from './meter.ts';
import { statisticsOf } from './statistics.ts';

export interface WebRtcSoundOptions {
  readonly microphone: MediaStream;
  readonly events: SoundEvents;
  readonly clock: Clock;
  readonly rtcConfiguration: RTCConfiguration | undefined;
}

/** What the server's legs speak, in this order (RFC 7874 3 has browsers know G.711). */
const CODECS = ['audio/pcmu', 'audio/pcma', 'audio/telephone-event'];

/** Sound over WebRTC: to the server, and while a direct path is in use to the other browser. */
export class WebRtcSound implements CallSound {
  readonly kind = 'webrtc';
  readonly direct: DirectSound;
  readonly #options: WebRtcSoundOptions;
  readonly #connection: RTCPeerConnection;
  readonly #loudspeaker = new Loudspeaker();
  readonly #stopWatch: Cancel;
  #serverStream: MediaStream | undefined;
  #directConnection: DirectConnection | undefined;
  #stopMeter: Cancel | undefined;

  constructor(options: WebRtcSoundOptions) {
    this.#options = options;
    const { microphone, events, clock } = options;
    this.#connection = new RTCPeerConnection(options.rtcConfiguration);
    for (const track of microphone.getAudioTracks()) this.#connection.addTrack(track, microphone);
    this.#connection.ontrack = ({ streams, track }) => {
      this.#serverStream = streams[0] ?? new MediaStream([track]);
      this.#loudspeaker.play(this.#serverStream);
    };
    this.#stopWatch = watchConnection(this.#connection, clock, events);
    this.direct = {
      offer: () => this.#openDirect().offer(),
      answer: (offer) => this.#openDirect().answer(offer),
      accept: async (answer) => this.#directConnection?.accept(answer),
      use: () => this.#useDirect(),
      stop: () => this.#stopDirect(),
    };
  }

  get localStream(): MediaStream {
    return this.#options.microphone;
  }

  get remoteStream(): MediaStream | undefined {
    return this.#loudspeaker.stream;
  }

  async offer({ restart }: { readonly restart: boolean } = { restart: false }): Promise<SoundPath> {
    preferSpeech(this.#connection);
    const { sdp = '' } = await this.#connection.createOffer({ iceRestart: restart });
    await this.#connection.setLocalDescription({ type: 'offer', sdp });
    return { kind: 'webrtc', sdp };
  }

  async answer(offer: SoundPath): Promise<SoundPath> {
    if (offer.kind !== 'webrtc') throw new ClientError(31100, 'the server offered frames to a WebRTC connection');
    await this.#connection.setRemoteDescription({ type: 'offer', sdp: offer.sdp });
    const { sdp = '' } = await this.#connection.createAnswer();
    await this.#connection.setLocalDescription({ type: 'answer', sdp });
    return { kind: 'webrtc', sdp };
  }

  async accept(answer: SoundPath): Promise<void> {
    // The answer repeats what came with early media.
    if (answer.kind !== 'webrtc' || this.#connection.signalingState !== 'have-local-offer') return;
    await this.#connection.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
  }

  current(): SoundPath {
    return { kind: 'webrtc', sdp: this.#connection.localDescription?.sdp ?? '' };
  }

  mute(muted: boolean): void {
    for (const track of this.#options.microphone.getAudioTracks()) track.enabled = !muted;
  }

  frame(): void {}

  meter(): void {
    this.#stopMeter ??= meterStreams(
      () => [this.localStream, this.remoteStream],
      this.#options.clock,
      (input = 0, output = 0) => this.#options.events.volume(input, output),
    );
  }

  async statistics(): Promise<SoundStatistics> {
    const direct = this.#directConnection;
    const inUse = direct !== undefined && this.remoteStream === direct.stream;
    return statisticsOf(inUse ? direct.connection : this.#connection);
  }

  close(): void {
    this.#stopMeter?.();
    this.#stopWatch();
    this.#directConnection?.close();
    this.#connection.close();
    this.#loudspeaker.close();
    for (const track of this.#options.microphone.getTracks()) track.stop();
  }

  #openDirect(): DirectConnection {
    this.#directConnection?.close();
    const { microphone, rtcConfiguration, clock, events } = this.#options;
    this.#directConnection = new DirectConnection({
      ...{ microphone, rtcConfiguration, clock },
      told: (state) => events.direct(state),
    });
    return this.#directConnection;
  }

  /** The server's connection stays, checked by ICE, and carries nothing. */
  #useDirect(): void {
    this.#loudspeaker.play(this.#directConnection?.stream);
    this.#speakToServer(null);
  }

  #stopDirect(): void {
    this.#speakToServer(this.#options.microphone.getAudioTracks()[0] ?? null);
    this.#loudspeaker.play(this.#serverStream);
    this.#directConnection?.close();
    this.#directConnection = undefined;
  }

  #speakToServer(track: MediaStreamTrack | null): void {
    // It fails only on a connection that is closed, which carries nothing either way.
    for (const sender of this.#connection.getSenders()) sender.replaceTrack(track).catch(() => undefined);
  }
}

/** Opus would have the server refuse or transcode. */
function preferSpeech(connection: RTCPeerConnection): void {
  const known = RTCRtpReceiver.getCapabilities('audio')?.codecs ?? [];
  const wanted = CODECS.flatMap((type) => known.filter((codec) => codec.mimeType.toLowerCase() === type));
  for (const transceiver of connection.getTransceivers()) transceiver.setCodecPreferences(wanted);
}
