import { setImmediate } from 'node:timers/promises';

/** Long work on the thread of the 20 ms beat gives way after so long. */
const SLICE_MS = 4;

/** Keeps long work from starving the thread: between its small steps the work awaits `breathe`. */
export class WorkSlices {
  #sliceStart = performance.now();

  /** Lets everything else run when the slice is used up; each step between two calls takes well under a slice. */
  async breathe(): Promise<void> {
    if (performance.now() - this.#sliceStart < SLICE_MS) return;
    await setImmediate();
    this.#sliceStart = performance.now();
  }
}
