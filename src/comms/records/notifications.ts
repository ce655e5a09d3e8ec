import type { Notification } from '../model.ts';
import { integer, text, time } from './columns.ts';
import { dateColumns } from './handling-columns.ts';
import { OwnedRecords, type RecordContext } from './owned-records.ts';

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
}
