import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { holding, type Clock } from '../base/clock.ts';
import { randomHex, type Random } from '../base/random.ts';
import type { AccountSid, CallSid } from '../base/sid.ts';
import type { CallChanges } from '../comms/calls/call-journal.ts';
import type { CallStore } from '../comms/calls/environment.ts';
import type { RecordingPorts } from '../comms/calls/recordings.ts';
import { CommsError } from '../comms/comms-error.ts';
import type { Call } from '../comms/model.ts';

/** Rows of calls in memory; a call of the API leaves its lane at once. */
export class MemoryCalls implements CallStore {
  readonly #rows = new Map<CallSid, Call>();
  readonly #start: (call: Call) => void;

  constructor(start: (call: Call) => void) {
    this.#start = start;
  }

  async insert(call: Call): Promise<void> {
    this.#rows.set(call.sid, call);
  }

  async enqueue(call: Call): Promise<void> {
    const dialling: Call = { ...call, stage: 'dialling' };
    await this.insert(dialling);
    this.#start(dialling);
  }

  /** No call waits here. */
  async cancelQueued(): Promise<boolean> {
    return false;
  }

  async update(sid: CallSid, changes: CallChanges): Promise<void> {
    const row = this.#rows.get(sid);
    if (row === undefined) {
      throw new CommsError('not-found', `no call ${sid}`, { faultCode: 20_404, httpStatus: 404 });
    }
    this.#rows.set(sid, { ...row, ...changes });
  }

  async find(accountSid: AccountSid, sid: CallSid): Promise<Call | undefined> {
    const row = this.#rows.get(sid);
    return row?.accountSid === accountSid ? row : undefined;
  }

  async unfinished(): Promise<readonly Call[]> {
    return [];
  }

  async endsUntold(): Promise<readonly Call[]> {
    return [];
  }

  async endTold(): Promise<void> {
    // There is no next start that would tell it again.
  }
}

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

  path(id: BlobId): string {
    return join(this.#folder, `${id}.wav`);
  }

  temporaryPath(suffix: string): string {
    return join(this.#folder, `.${randomHex(this.#random, 8)}${suffix}`);
  }

  discard(path: string): Promise<void> {
    return holding(this.#clock, () => rm(path, { force: true }));
  }
}
