import type { AccountSid } from '../../base/sid.ts';
import type { Application } from '../model.ts';
import { flag, text } from './columns.ts';
import { dateColumns, smsColumns, voiceColumns } from './handling-columns.ts';
import type { Numbers } from './numbers.ts';
import { OwnedRecords, type RecordContext } from './owned-records.ts';

/** Application containers: webhook addresses under one sid. */
export class Applications extends OwnedRecords<Application> {
  readonly #numbers: Numbers;

  constructor(context: RecordContext, numbers: Numbers) {
    super(context, {
      name: 'comms_application',
      key: 'sid',
      kept: true,
      sidPrefix: 'AP',
      columns: {
        sid: text(),
        accountSid: text(),
        friendlyName: text(),
        ...voiceColumns,
        ...smsColumns,
        voiceCallerIdLookup: flag,
        smsStatusCallback: text(),
        messageStatusCallback: text(),
        publicApplicationConnectEnabled: flag,
        ...dateColumns,
      },
    });
    this.#numbers = numbers;
  }

  /** Numbers that led to it keep their own URLs. */
  override async delete(accountSid: AccountSid, sid: string): Promise<void> {
    const remove = this.table.deleteStatement(this.own(accountSid, sid));
    await this.write([remove, ...this.#numbers.forgetApplicationStatements(sid)]);
  }
}
