import { systemClock } from '../../base/clock.ts';
import { ClientError } from '../client-error.ts';
import type { SoundPorts } from '../ports.ts';
import { FramesSound } from './frames-sound.ts';
import { gathered } from './gathering.ts';
import { openMicrophone } from './microphone.ts';
import { WebRtcSound } from './web-rtc-sound.ts';

export interface SoundOptions {
  readonly rtcConfiguration?: RTCConfiguration | undefined;
  readonly audioConstraints?: MediaTrackConstraints | undefined;
  /** Default `auto`: WebRTC where the browser finds an ICE candidate, else frames over the socket. */
  readonly sound?: 'auto' | 'webrtc' | 'frames' | undefined;
}

const GATHER_MS = 2_000;

/** Sound in a browser. */
export function browserSounds({ rtcConfiguration, audioConstraints, sound = 'auto' }: SoundOptions): SoundPorts {
  return {
    async route(webRtc) {
      if (sound !== 'auto') return sound;
      const hasFrames = typeof AudioWorkletNode === 'function';
      if (webRtc === 'blocked' && hasFrames) return 'frames';
      if (await hasCandidate(rtcConfiguration)) return 'webrtc';
      if (hasFrames) return 'frames';
      throw new ClientError(
        53405,
        'sound has no way out of this browser: it finds no ICE candidate (no network interface but the loopback is up), and ' +
          'has no AudioWorklet to carry sound over the socket (not a secure context, or an old browser). Open the page by ' +
          'https or from localhost, or connect a network',
      );
    },
    async open(kind, events) {
      const microphone = await openMicrophone(audioConstraints);
      try {
        const options = { microphone, events, clock: systemClock };
        return kind === 'webrtc' ? new WebRtcSound({ ...options, rtcConfiguration }) : await FramesSound.open(options);
      } catch (error) {
        for (const track of microphone.getTracks()) track.stop();
        throw error;
      }
    },
  };
}

/** On a machine with no network but the loopback, browsers gather nothing. */
async function hasCandidate(configuration: RTCConfiguration | undefined): Promise<boolean> {
  if (typeof RTCPeerConnection !== 'function') return false;
  const connection = new RTCPeerConnection(configuration);
  try {
    let found = false;
    const first = new Promise<void>((resolve) => {
      connection.onicecandidate = ({ candidate }) => {
        // An empty one says that no more come (RFC 8840 8.2).
        if (candidate === null || candidate.candidate === '') return;
        found = true;
        resolve();
      };
    });
    connection.addTransceiver('audio');
    await connection.setLocalDescription(await connection.createOffer());
    await Promise.race([first, gathered(connection, systemClock, GATHER_MS)]);
    return found;
  } finally {
    connection.close();
  }
}
