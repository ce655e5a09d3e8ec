import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { holding, type Clock } from '../base/clock.ts';
import { randomHex, type Random } from '../base/random.ts';
import type { RecordingPorts } from '../comms/calls/recordings.ts';

type BlobId = Awaited<ReturnType<RecordingPorts['keep']>>;

/** Recordings as files of one folder, named in the order in which they ended. */
export class FolderBlobs {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #random: Random;
  #count = 0;

  private constructor(folder: string, ports: { readonly clock: Clock; readonly random: Random }) {
    this.#folder = folder;
    this.#clock = ports.clock;
    this.#random = ports.random;
  }

  static async open(folder: string, ports: { readonly clock: Clock; readonly random: Random }): Promise<FolderBlobs> {
    await mkdir(folder, { recursive: true });
    return new FolderBlobs(folder, ports);
  }

  async adopt(path: string): Promise<BlobId> {
    this.#count += 1;
    const id = `recording-${this.#count}` as BlobId;
    await holding(this.#clock, () => rename(path, this.path(id)));
    return id;
  }

  path(id: string): string {
    return join(this.#folder, `${id}.wav`);
  }

  temporaryPath(suffix: string): string {
    return join(this.#folder, `.${randomHex(this.#random, 8)}${suffix}`);
  }

  discard(path: string): Promise<void> {
    return holding(this.#clock, () => rm(path, { force: true }));
  }
}
