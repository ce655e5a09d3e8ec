import type { LegOptions, MediaLeg } from '../../media/media-node.ts';

/** What the call service wants of media: legs, placed on the node of `near` when they are to hear each other. */
export interface CallMedia {
  openLeg(options: LegOptions, near?: MediaLeg): Promise<MediaLeg>;
}
