import type { CallMedia } from '../comms/calls/call-media.ts';
import { MediaError } from '../media/media-error.ts';
import type { LegOptions, MediaLeg, MediaNode } from '../media/media-node.ts';
import type { Limits } from './limits.ts';

/** The media pool, with each of its nodes watched once: who lives on a node that dies must be told. */
export class WatchedMedia implements CallMedia {
  readonly #pool: CallMedia;
  readonly #onLost: (node: MediaNode, reason: string) => void;
  readonly #limits: Limits;
  readonly #watched = new WeakSet<MediaNode>();

  constructor(pool: CallMedia, limits: Limits, onLost: (node: MediaNode, reason: string) => void) {
    this.#pool = pool;
    this.#limits = limits;
    this.#onLost = onLost;
  }

  async openLeg(options: LegOptions, near?: MediaLeg): Promise<MediaLeg> {
    const leg = await this.#pool.openLeg(options, near).catch((error: unknown) => {
      this.#count(error);
      throw error;
    });
    const { node } = leg;
    if (!this.#watched.has(node)) {
      this.#watched.add(node);
      node.onLost((reason) => this.#onLost(node, reason));
    }
    return leg;
  }

  #count(error: unknown): void {
    if (!(error instanceof MediaError)) return;
    if (error.code === 'overloaded') this.#limits.refuse('media-load');
    else if (error.code === 'no-ports') this.#limits.refuse('rtp-ports');
  }
}
