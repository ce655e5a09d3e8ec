import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { newSid, type AccountSid, type Sid } from '../../base/sid.ts';
import type { Store, WriteStatement } from '../../store/store.ts';
import type { CommsError } from '../comms-error.ts';
import type { PageRequest, RecordPage } from './page.ts';
import { RecordTable, type Condition, type TableDefinition } from './record-table.ts';
import type { Secrets } from './secrets.ts';
import { notFound, writeRecords } from './write-records.ts';

export interface RecordContext {
  readonly store: Store;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly random: Random;
}

/** What every resource of an account has. */
export interface Owned {
  readonly sid: Sid;
  readonly accountSid: AccountSid;
  readonly dateCreated: number;
  readonly dateUpdated: number;
}

/** A record before it has a sid and dates. */
export type New<T extends Owned> = Omit<T, 'sid' | 'dateCreated' | 'dateUpdated'>;
/** What may change in a record. */
export type Changes<T extends Owned> = Partial<Omit<T, 'sid' | 'accountSid' | 'dateCreated'>>;

export interface OwnedDefinition<T extends Owned> extends TableDefinition<T> {
  readonly sidPrefix: string;
  /** What is said when a unique index refuses a record. */
  readonly taken?: () => CommsError;
}

/**
 * The records of one kind. Methods that write resolve when it is on disk, and reject with CommsError (`not-found`,
 * `refused`, `storage-full`); the `...Statement` methods give the same writes for composing into bigger ones.
 */
export class OwnedRecords<T extends Owned> {
  protected readonly context: RecordContext;
  protected readonly table: RecordTable<T>;
  readonly #definition: OwnedDefinition<T>;

  constructor(context: RecordContext, definition: OwnedDefinition<T>) {
    this.context = context;
    this.#definition = definition;
    this.table = new RecordTable(context.store, definition);
  }

  /** Gives it a sid and dates, without writing it. */
  build(fields: New<T>): T {
    const now = Math.floor(this.context.clock.now());
    const sid = newSid(this.#definition.sidPrefix, this.context.random);
    return { ...fields, sid, dateCreated: now, dateUpdated: now } as unknown as T;
  }

  async create(fields: New<T>): Promise<T> {
    const record = this.build(fields);
    await this.insert(record);
    return record;
  }

  async insert(record: T): Promise<void> {
    await this.write([this.insertStatement(record)]);
  }

  insertStatement(record: T): WriteStatement {
    return this.table.insertStatement(record);
  }

  /** Undefined when the account has no such record. */
  find(accountSid: AccountSid, sid: string): Promise<T | undefined> {
    return this.table.find(this.own(accountSid, sid));
  }

  /** Newest first. */
  list(accountSid: AccountSid, where: readonly Condition<T>[], page: PageRequest): Promise<RecordPage<T>> {
    return this.table.list([['accountSid', '=', accountSid], ...where], page);
  }

  /** Resolves with the record as it is afterwards. */
  async update(accountSid: AccountSid, sid: string, changes: Changes<T>): Promise<T> {
    await this.write([this.table.updateStatement(this.own(accountSid, sid), this.dated(changes))]);
    const record = await this.find(accountSid, sid);
    if (record === undefined) throw notFound();
    return record;
  }

  async delete(accountSid: AccountSid, sid: string): Promise<void> {
    await this.write([this.table.deleteStatement(this.own(accountSid, sid))]);
  }

  protected own(accountSid: AccountSid, sid: string): Condition<T>[] {
    return [
      ['sid', '=', sid],
      ['accountSid', '=', accountSid],
    ];
  }

  /** The changes with their time. */
  protected dated(changes: Changes<T>): Partial<T> {
    return { dateUpdated: Math.floor(this.context.clock.now()), ...changes } as unknown as Partial<T>;
  }

  protected async write(statements: readonly WriteStatement[]): Promise<void> {
    await writeRecords(this.context.store, statements, this.#definition.taken);
  }
}
