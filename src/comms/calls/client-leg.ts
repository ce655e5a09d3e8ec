import type { LegOptions, MediaLeg } from '../../media/media-node.ts';
import type { FramePort, SoundPlace } from '../../webphone/webphone.ts';
import type { SoundPath } from '../../wire/webphone/client-message.ts';
import type { CallMedia } from './call-media.ts';

export interface ClientLegOptions {
  /** How the browser sends and takes sound. */
  readonly kind: SoundPath['kind'];
  readonly place: SoundPlace;
  readonly advertisedAddress: string | undefined;
  /** A leg that is to hear this one. */
  readonly near?: MediaLeg | undefined;
}

/**
 * What a page speaks that sends RTP packets over its signalling socket: mu-law and telephone events, whatever the
 * addresses.
 */
const FRAMES_OFFER = `${[
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio 9 RTP/AVP 0 101',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-16',
  'a=sendrecv',
].join('\r\n')}\r\n`;

/** Opens the leg of a browser: WebRTC, or packets over its signalling socket. */
export async function openClientLeg(options: ClientLegOptions, media: CallMedia): Promise<MediaLeg> {
  const leg = await media.openLeg(legOptions(options), options.near);
  if (options.kind !== 'frames') return leg;
  try {
    await leg.answerOffer(FRAMES_OFFER);
    joinFrames(leg, options.place.frames);
    return leg;
  } catch (error) {
    await leg.close().catch(() => undefined);
    throw error;
  }
}

/** Lets the packets of a browser, which WebRTC does not carry, come and go over its signalling socket. */
export async function moveToFrames(leg: MediaLeg, socket: FramePort): Promise<void> {
  // First: nothing that was to be played is lost between.
  joinFrames(leg, socket);
  await leg.useFrames(FRAMES_OFFER);
}

function legOptions({ kind, place, advertisedAddress }: ClientLegOptions): LegOptions {
  if (kind === 'frames') return { kind };
  const { localAddress } = place;
  return {
    kind,
    localAddress,
    ...(advertisedAddress === undefined ? {} : { advertisedAddresses: [advertisedAddress] }),
  };
}

function joinFrames({ frames: channel }: MediaLeg, socket: FramePort): void {
  channel?.onFrame((packet) => socket.send(packet));
  socket.onFrame((packet) => channel?.push(packet));
}
