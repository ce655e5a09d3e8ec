import type { CallMedia } from '../comms/calls/call-media.ts';
import type { LegOptions, MediaLeg, MediaNode } from '../media/media-node.ts';

/** The media pool, with each of its nodes watched once: who lives on a node that dies must be told. */
export class WatchedMedia implements CallMedia {
  readonly #pool: CallMedia;
  readonly #onLost: (node: MediaNode, reason: string) => void;
  readonly #watched = new WeakSet<MediaNode>();

  constructor(pool: CallMedia, onLost: (node: MediaNode, reason: string) => void) {
    this.#pool = pool;
    this.#onLost = onLost;
  }

  async openLeg(options: LegOptions, near?: MediaLeg): Promise<MediaLeg> {
    const leg = await this.#pool.openLeg(options, near);
    const { node } = leg;
    if (!this.#watched.has(node)) {
      this.#watched.add(node);
      node.onLost((reason) => this.#onLost(node, reason));
    }
    return leg;
  }
}
