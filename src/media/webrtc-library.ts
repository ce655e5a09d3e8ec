import type { Audio, PeerConnection } from 'node-datachannel';
import { errorText } from '../base/errors.ts';
import { MediaError } from './media-error.ts';

/** ICE, DTLS and SRTP: the part of node-datachannel that legs use. */
export interface WebRtcLibrary {
  readonly PeerConnection: typeof PeerConnection;
  readonly Audio: typeof Audio;
}

let loading: Promise<WebRtcLibrary> | undefined;

/**
 * Loads the library, once in a process and only when the first browser calls. Only for media processes: two threads of one
 * process that both load it hang or abort. Rejects with MediaError `no-webrtc` where there is no binary for the platform.
 */
export function loadWebRtcLibrary(): Promise<WebRtcLibrary> {
  loading ??= load();
  return loading;
}

async function load(): Promise<WebRtcLibrary> {
  try {
    return await import('node-datachannel');
  } catch (error) {
    const { platform, arch } = process;
    throw new MediaError(
      'no-webrtc',
      `no WebRTC on this machine (${platform} ${arch}): ${errorText(error).slice(0, MAX_REASON_CHARS)}; ` +
        'calls from browsers need the package node-datachannel with its binary (npm ci without --omit=optional)',
      { cause: error },
    );
  }
}
const MAX_REASON_CHARS = 300;
