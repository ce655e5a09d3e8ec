import type { AccountSid } from '../../base/sid.ts';
import type { IncomingPhoneNumber } from '../model.ts';
import { flag, text } from './columns.ts';
import { dateColumns, smsColumns, voiceColumns } from './handling-columns.ts';
import { OwnedRecords, type RecordContext } from './owned-records.ts';
import { taken } from './write-records.ts';

export type NumberType = 'local' | 'mobile' | 'toll-free';

/** A number with the list it stands in. */
export interface OwnedNumber extends IncomingPhoneNumber {
  readonly type: NumberType;
}

/** Numbers that lead to an application. A number belongs to one account of the place. */
export class Numbers extends OwnedRecords<OwnedNumber> {
  constructor(context: RecordContext) {
    super(context, {
      name: 'comms_incoming_phone_number',
      key: 'sid',
      kept: true,
      sidPrefix: 'PN',
      taken: taken('PhoneNumber is not available: an account of this server has it', 21422, 400),
      columns: {
        sid: text(),
        accountSid: text(),
        friendlyName: text(),
        phoneNumber: text(),
        type: text(),
        ...voiceColumns,
        ...smsColumns,
        voiceApplicationSid: text(),
        smsApplicationSid: text(),
        voiceCallerIdLookup: flag,
        ...dateColumns,
      },
    });
  }

  /** Whosever it is; for routing. */
  findByNumber(phoneNumber: string): Promise<OwnedNumber | undefined> {
    return this.table.find([['phoneNumber', '=', phoneNumber]]);
  }

  async owns(accountSid: AccountSid, phoneNumber: string): Promise<boolean> {
    return (await this.findByNumber(phoneNumber))?.accountSid === accountSid;
  }

  /** Numbers forget an application that goes. */
  forgetApplicationStatements(applicationSid: string): ReturnType<typeof this.insertStatement>[] {
    return [
      this.table.updateStatement([['voiceApplicationSid', '=', applicationSid]], { voiceApplicationSid: null }, 'any'),
      this.table.updateStatement([['smsApplicationSid', '=', applicationSid]], { smsApplicationSid: null }, 'any'),
    ];
  }
}

// Toll-free codes of the North American plan (800, 833, 844, 855, 866, 877, 888).
const TOLL_FREE = /^\+18(?:00|33|44|55|66|77|88)\d{7}$/;

/** The list that a number stands in when nobody says. */
export function numberTypeOf(phoneNumber: string): NumberType {
  return TOLL_FREE.test(phoneNumber) ? 'toll-free' : 'local';
}
