import type { CallMedia } from '../comms/calls/call-media.ts';
import type { LegOptions, MediaLeg, MediaNode } from '../media/media-node.ts';
import type { MediaPool } from '../media/media-pool.ts';

/** The media pool, with each of its nodes watched once: who lives on a node that dies must be told. */
export class WatchedMedia implements CallMedia {
  readonly #pool: MediaPool;
  readonly #onLost: (node: MediaNode, reason: string) => void;
  readonly #watched = new WeakSet<MediaNode>();

  constructor(pool: MediaPool, onLost: (node: MediaNode, reason: string) => void) {
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
