import { hash } from 'node:crypto';
import { parseSid } from '../../base/sid.ts';
import { StoreError } from '../../store/store-error.ts';
import type { Notification } from '../model.ts';
import { integer, text, time } from './columns.ts';
import { dateColumns } from './handling-columns.ts';
import { OwnedRecords, type New, type RecordContext } from './owned-records.ts';

const SID_DIGITS = 32;

/** Faults as the owner of the application sees them. */
export class Notifications extends OwnedRecords<Notification> {
  constructor(context: RecordContext) {
    super(context, {
      name: 'comms_notification',
      key: 'sid',
      sidPrefix: 'NO',
      columns: {
        sid: text(),
        accountSid: text(),
        callSid: text(),
        log: text(),
        errorCode: integer(),
        messageText: text(),
        messageDate: time(),
        requestMethod: text(),
        requestUrl: text(),
        requestVariables: text(),
        responseBody: text(),
        responseHeaders: text(),
        ...dateColumns,
      },
    });
  }

  /**
   * Writes the one notification of this code that its call can have, unless it is there already: its sid follows from
   * both, so whoever does not know whether it was written before a crash writes it again.
   */
  async createOnce(fields: New<Notification>): Promise<void> {
    const event = `${fields.callSid ?? fields.accountSid} ${fields.errorCode}`;
    const sid = parseSid('NO', `NO${hash('sha256', event, 'hex').slice(0, SID_DIGITS)}`);
    if (sid === undefined) throw new Error('a hash of another form');
    try {
      await this.write([this.insertStatement({ ...this.build(fields), sid })]);
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'duplicate') throw error;
    }
  }
}
