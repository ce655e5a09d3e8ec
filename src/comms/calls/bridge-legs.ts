import type { MediaBridge, MediaLeg } from '../../media/media-node.ts';
import type { CallMedia } from './call-media.ts';

const LOOPBACK = '127.0.0.1';

/** Joins two legs, also when a transfer brought legs of two media processes together: then a line of RTP runs between them. */
export async function bridgeLegs(one: MediaLeg, other: MediaLeg, media: CallMedia): Promise<MediaBridge> {
  if (one.node === other.node) return one.node.bridge([one, other], { passDigits: true });
  const opened: MediaLeg[] = [];
  const open = async (near: MediaLeg): Promise<MediaLeg> => {
    const leg = await media.openLeg({ kind: 'rtp', localAddress: LOOPBACK }, near);
    opened.push(leg);
    return leg;
  };
  const closeOpened = async (): Promise<void> => void (await Promise.all(opened.map((leg) => leg.close())));
  try {
    const here = await open(one);
    const there = await open(other);
    await here.acceptAnswer(await there.answerOffer(await here.createOffer()));
    const left = await one.node.bridge([one, here], { passDigits: true });
    const right = await other.node.bridge([there, other], { passDigits: true });
    return {
      record: (options) => left.record(options),
      async close() {
        await Promise.all([left.close(), right.close()]);
        await closeOpened();
      },
    };
  } catch (error) {
    await closeOpened();
    throw error;
  }
}
