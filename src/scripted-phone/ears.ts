import type { MediaLeg } from '../media/media-node.ts';
import type { Ear } from './ear.ts';
import { rtpEndpoint, type Announcement } from './observed-media.ts';

/** The ears of all phones, found by their leg and by where their sound arrives. */
export class Ears {
  readonly #byLeg = new Map<MediaLeg, Ear>();
  readonly #byEndpoint = new Map<string, Ear>();

  readonly push = (leg: MediaLeg, frame: Int16Array): void => this.#byLeg.get(leg)?.push(frame);

  add(leg: MediaLeg, ear: Ear): void {
    this.#byLeg.set(leg, ear);
  }

  /** The leg is closed. */
  remove(leg: MediaLeg): void {
    const ear = this.#byLeg.get(leg);
    this.#byLeg.delete(leg);
    for (const [endpoint, each] of this.#byEndpoint) if (each === ear) this.#byEndpoint.delete(endpoint);
  }

  /** The leg sends this description of its own; it comes back as it is. */
  at(leg: MediaLeg, sdp: string): string {
    const endpoint = rtpEndpoint(sdp);
    const ear = this.#byLeg.get(leg);
    if (endpoint !== undefined && ear !== undefined) this.#byEndpoint.set(endpoint, ear);
    return sdp;
  }

  announce(announcement: Announcement): void {
    if (announcement.peer !== undefined) this.#byEndpoint.get(announcement.peer)?.announce(announcement);
  }

  /** Whoever is joined with the speaker hears it. */
  announceToOthers(own: Ear, text: string, path: string): void {
    const sources = [{ kind: 'file', path }] as const;
    const done = new Promise<never>(() => undefined);
    for (const ear of this.#byLeg.values())
      if (ear !== own) ear.announce({ peer: undefined, sources, name: { how: 'person', text }, done }, true);
  }
}
