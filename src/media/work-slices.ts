import { systemClock } from '../base/clock.ts';

/** Long work on the thread of the 20 ms beat gives way after so long. */
const SLICE_MS = 4;

/**
 * Keeps long work from starving the thread: between its small steps the work awaits `breathe`. Measured in real time,
 * for it is the processor's, also while virtual time stands still.
 */
export class WorkSlices {
  #sliceStart = systemClock.now();

  /** Lets everything else run when the slice is used up; each step between two calls takes well under a slice. */
  async breathe(): Promise<void> {
    if (systemClock.now() - this.#sliceStart < SLICE_MS) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#sliceStart = systemClock.now();
  }
}
