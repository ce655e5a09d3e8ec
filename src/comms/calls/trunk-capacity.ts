import { Reserve, type ReleaseCapacity } from '../../lane/reserve.ts';
import type { Trunk } from '../place-model.ts';

/** Calls that a trunk carries now, in and out together, held against its cap. */
export class TrunkCapacity {
  readonly #reserves = new Map<string, Reserve>();

  readonly #onFull: () => void;

  /** `onFull` is told of each call that found no room. */
  constructor(onFull: () => void = () => undefined) {
    this.#onFull = onFull;
  }

  /** Undefined when the trunk is full. */
  hold(trunk: Pick<Trunk, 'name' | 'maxCalls'>): ReleaseCapacity | undefined {
    const known = this.#reserves.get(trunk.name);
    const reserve = known?.capacity === trunk.maxCalls ? known : new Reserve(trunk.maxCalls);
    if (reserve !== known) this.#reserves.set(trunk.name, reserve);
    const release = reserve.hold();
    if (release === undefined) this.#onFull();
    return release;
  }
}
