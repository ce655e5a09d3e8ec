import { randomHex } from '../../base/random.ts';
import { newSid, type AccountSid } from '../../base/sid.ts';
import type { WriteStatement } from '../../store/store.ts';
import type { Account } from '../model.ts';
import { sealed, text } from './columns.ts';
import { dateColumns } from './handling-columns.ts';
import type { RecordContext } from './owned-records.ts';
import type { PageRequest, RecordPage } from './page.ts';
import { RecordTable, type Condition } from './record-table.ts';
import { notFound, taken, writeRecords } from './write-records.ts';

const AUTH_TOKEN_BYTES = 16;
const accountTaken = taken('An account with this sid exists');

export interface NewAccount {
  readonly friendlyName: string;
  /** Left out: a main account, which owns itself. */
  readonly ownerAccountSid?: AccountSid;
  /** Left out: made here. Operators may declare both for an installation that starts from nothing. */
  readonly sid?: AccountSid;
  readonly authToken?: string;
}

export type AccountChanges = Partial<Pick<Account, 'friendlyName' | 'status' | 'authToken'>>;

export class Accounts {
  readonly #context: RecordContext;
  readonly #table: RecordTable<Account>;

  constructor(context: RecordContext) {
    this.#context = context;
    this.#table = new RecordTable<Account>(context.store, {
      name: 'comms_account',
      key: 'sid',
      kept: true,
      columns: {
        sid: text(),
        friendlyName: text(),
        status: text(),
        type: text(),
        authToken: sealed(context.secrets, 'account.auth_token'),
        ownerAccountSid: text(),
        ...dateColumns,
      },
    });
  }

  /** Rejects with CommsError `refused` when the sid is taken. */
  async create(fields: NewAccount): Promise<Account> {
    const { clock, random, store } = this.#context;
    const sid = fields.sid ?? newSid('AC', random);
    const now = Math.floor(clock.now());
    const account: Account = {
      sid,
      friendlyName: fields.friendlyName,
      status: 'active',
      type: 'Full',
      authToken: fields.authToken ?? randomHex(random, AUTH_TOKEN_BYTES),
      ownerAccountSid: fields.ownerAccountSid ?? sid,
      dateCreated: now,
      dateUpdated: now,
    };
    await writeRecords(store, [this.insertStatement(account)], accountTaken);
    return account;
  }

  insertStatement(account: Account): WriteStatement {
    return this.#table.insertStatement(account);
  }

  find(sid: string): Promise<Account | undefined> {
    return this.#table.find([['sid', '=', sid]]);
  }

  /** The first account that was made here: the one of the place itself. */
  async first(): Promise<Account | undefined> {
    const [account] = await this.#table.all([]);
    return account;
  }

  /** A main account with its sub-accounts; a sub-account sees itself. Newest first. */
  list(viewer: Account, where: readonly Condition<Account>[], page: PageRequest): Promise<RecordPage<Account>> {
    const main = viewer.ownerAccountSid === viewer.sid;
    return this.#table.list([[main ? 'ownerAccountSid' : 'sid', '=', viewer.sid], ...where], page);
  }

  async update(sid: AccountSid, changes: AccountChanges): Promise<Account> {
    const dated = { ...changes, dateUpdated: Math.floor(this.#context.clock.now()) };
    await writeRecords(this.#context.store, [this.#table.updateStatement([['sid', '=', sid]], dated)]);
    const account = await this.find(sid);
    if (account === undefined) throw notFound();
    return account;
  }
}
