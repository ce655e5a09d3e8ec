import { existsSync } from 'node:fs';
import { copyFile, mkdir, open, opendir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { holding, type Clock } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import { randomHex, systemRandom, type Random } from '../base/random.ts';
import type { BlobId, Blobs } from './blobs.ts';
import { MerkleRoot } from './merkle-root.ts';
import type { Migration } from './migrate.ts';
import { queryBuilder, statement } from './query-builder.ts';
import { StoreError } from './store-error.ts';
import type { Store, WriteStatement } from './store.ts';

const TEMPORARY = 'tmp';
const READ_BYTES = 256 * 1024;
const NAME_BYTES = 16;

interface BlobTable {
  id: string;
  bytes: number;
  references_held: number;
}

interface BlobTables {
  blob: BlobTable;
}

export const blobMigrations: readonly Migration[] = [
  {
    name: 'blobs/0001-references',
    up: ['create table blob (id text primary key, bytes bigint not null, references_held bigint not null)'],
  },
];

export interface FileBlobsOptions {
  /** Belongs to this process alone. */
  readonly folder: string;
  /** Keeps the reference counts; `blobMigrations` have been applied. */
  readonly store: Store;
  readonly clock: Clock;
  readonly random?: Random;
}

/** Opens the folder (it is made when absent) and removes the temporary files that an earlier process left. */
export async function openFileBlobs(options: FileBlobsOptions): Promise<FileBlobs> {
  const temporary = join(options.folder, TEMPORARY);
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  for (const name of await readdir(temporary)) await rm(join(temporary, name), { recursive: true, force: true });
  return new FileBlobs(options);
}

/**
 * Blobs as files named by their id, in folders by its first two digits. Failures reject with a StoreError: `full` when the
 * disk is, `unexpected-rows` for a reference to what is not there.
 */
export class FileBlobs implements Blobs {
  readonly #folder: string;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #qb;
  // The end of the last piece of work on a blob: a release must not delete the file that an adopt has just found there.
  readonly #turns = new Map<BlobId, Promise<void>>();

  constructor(options: FileBlobsOptions) {
    this.#folder = options.folder;
    this.#store = options.store;
    this.#clock = options.clock;
    this.#random = options.random ?? systemRandom;
    this.#qb = queryBuilder<BlobTables>(options.store);
  }

  async adopt(path: string, holder: (id: BlobId) => readonly WriteStatement[] = () => []): Promise<BlobId> {
    return this.#guarded(async () => {
      const source = await this.#onOwnFileSystem(path);
      const { id, bytes } = await syncedRoot(source);
      await this.#keep(source, { id, bytes }, holder(id));
      return id;
    });
  }

  async put(bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobId> {
    return this.#guarded(async () => {
      const path = this.temporaryPath('');
      try {
        const written = await writeSynced(path, bytes instanceof Uint8Array ? [bytes] : bytes);
        await this.#keep(path, written);
        return written.id;
      } catch (error) {
        await rm(path, { force: true });
        throw error;
      }
    });
  }

  path(id: BlobId): string | undefined {
    const path = this.#pathOf(id);
    return existsSync(path) ? path : undefined;
  }

  async size(id: BlobId): Promise<number | undefined> {
    const query = this.#qb.selectFrom('blob').select('bytes').where('id', '=', id);
    const [row] = await this.#store.read(query.compile());
    return row?.bytes;
  }

  async addReference(id: BlobId): Promise<void> {
    const query = this.#qb
      .updateTable('blob')
      .set((row) => ({ references_held: row('references_held', '+', 1) }))
      .where('id', '=', id);
    await this.#inTurn(id, () => this.#store.write([statement(query, { expectedRows: 1 })]));
  }

  async release(id: BlobId, holder: readonly WriteStatement[] = []): Promise<void> {
    const drop = this.#qb
      .updateTable('blob')
      .set((row) => ({ references_held: row('references_held', '-', 1) }))
      .where('id', '=', id);
    const forget = this.#qb.deleteFrom('blob').where('id', '=', id).where('references_held', '<=', 0);
    await this.#guarded(() =>
      this.#inTurn(id, async () => {
        const [, forgotten] = await this.#store.write([
          statement(drop, { expectedRows: 1 }),
          statement(forget),
          ...holder,
        ]);
        if (forgotten?.affectedRows === 1) await rm(this.#pathOf(id), { force: true });
      }),
    );
  }

  temporaryPath(suffix: string): string {
    if (!/^[\w.-]*$/.test(suffix)) throw new RangeError('suffix: want letters, digits, dots, hyphens only');
    return join(this.#folder, TEMPORARY, `${randomHex(this.#random, NAME_BYTES)}${suffix}`);
  }

  async discard(path: string): Promise<void> {
    await rm(path, { force: true }).catch(() => undefined);
  }

  #pathOf(id: BlobId): string {
    return join(this.#folder, id.slice(0, 2), id);
  }

  /** A file from another file system can't be moved in one step: it is copied next to its place first. */
  async #onOwnFileSystem(path: string): Promise<string> {
    const [source, own] = await Promise.all([stat(path), stat(this.#folder)]);
    if (source.dev === own.dev) return path;
    const copy = this.temporaryPath('');
    try {
      await copyFile(path, copy);
      await rm(path);
    } catch (error) {
      await this.discard(copy);
      throw error;
    }
    return copy;
  }

  /**
   * Deletes files that no row names: a crash between the move and the row leaves one. Runs beside everything else, one
   * file at a time; resolves with their number.
   */
  async sweep(signal: AbortSignal): Promise<number> {
    let swept = 0;
    for (const folder of await readdir(this.#folder)) {
      if (!/^[0-9a-f]{2}$/.test(folder)) continue;
      for await (const { name } of await opendir(join(this.#folder, folder))) {
        if (signal.aborted) return swept;
        if (/^[0-9a-f]{64}$/.test(name) && (await this.#sweepFile(name as BlobId))) swept += 1;
      }
    }
    return swept;
  }

  /** In turn: an adopt may be between its move and its row. */
  #sweepFile(id: BlobId): Promise<boolean> {
    return this.#inTurn(id, async () => {
      if ((await this.size(id)) !== undefined) return false;
      await rm(this.#pathOf(id), { force: true });
      return true;
    });
  }

  /** Moves the synced file to its place, then takes the reference: a row never stands without its file. */
  async #keep(source: string, { id, bytes }: Written, holder: readonly WriteStatement[] = []): Promise<void> {
    await this.#inTurn(id, async () => {
      const target = this.#pathOf(id);
      const known = existsSync(target);
      if (known) await rm(source);
      else await moveSynced(source, target);
      const row = { id, bytes, references_held: 1 };
      const query = this.#qb
        .insertInto('blob')
        .values(row)
        .onConflict((conflict) =>
          conflict.column('id').doUpdateSet((old) => ({ references_held: old('blob.references_held', '+', 1) })),
        );
      try {
        await this.#store.write([statement(query, { expectedRows: 1 }), ...holder]);
      } catch (error) {
        if (!known) await rm(target, { force: true });
        throw error;
      }
    });
  }

  async #inTurn<T>(id: BlobId, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(id) ?? Promise.resolve();
    const result = before.then(work);
    const end = result.then(
      () => undefined,
      () => undefined,
    );
    this.#turns.set(id, end);
    try {
      return await result;
    } finally {
      if (this.#turns.get(id) === end) this.#turns.delete(id);
    }
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await holding(this.#clock, work);
    } catch (error) {
      throw fileError(error);
    }
  }
}

interface Written {
  readonly id: BlobId;
  readonly bytes: number;
}

async function writeSynced(path: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Written> {
  const root = new MerkleRoot();
  let bytes = 0;
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of chunks) {
      root.update(chunk);
      bytes += chunk.length;
      await file.writeFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { id: root.finish() as BlobId, bytes };
}

async function syncedRoot(path: string): Promise<Written> {
  const root = new MerkleRoot();
  let bytes = 0;
  const file = await open(path, 'r+');
  try {
    await file.sync();
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, READ_BYTES, bytes);
      if (bytesRead === 0) break;
      root.update(buffer.subarray(0, bytesRead));
      bytes += bytesRead;
    }
  } finally {
    await file.close();
  }
  return { id: root.finish() as BlobId, bytes };
}

async function moveSynced(source: string, target: string): Promise<void> {
  const folder = dirname(target);
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  await rename(source, target);
  await syncFolder(folder);
  if (made !== undefined) await syncFolder(dirname(folder));
}

/** A name is on disk only when its folder is. */
async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder, and keeps names without being asked.
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function fileError(thrown: unknown): StoreError {
  if (thrown instanceof StoreError) return thrown;
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new StoreError('full', 'the disk is full: the file was not kept, free some space', { cause: thrown });
  }
  return new StoreError('failed', `blob: ${errorText(thrown)}`, { cause: thrown });
}
