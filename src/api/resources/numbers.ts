import { quoted } from '../../base/parsed.ts';
import { parseSid, type AccountSid, type Sid } from '../../base/sid.ts';
import { parseNumber } from '../../comms/address.ts';
import { numberTypeOf, type NumberType, type OwnedNumber } from '../../comms/records/numbers.ts';
import type { Condition } from '../../comms/records/record-table.ts';
import type { Records } from '../../comms/records/records.ts';
import { badParameter, resourceNotFound } from '../api-error.ts';
import { dateText } from '../date-text.ts';
import { formatNumber } from '../number-format.ts';
import type { Parameters } from '../parameters.ts';
import {
  API_VERSION,
  created,
  deleted,
  listAnswer,
  ok,
  uriOf,
  type Json,
  type Resource,
  type ResourceContext,
  type ResourceRequest,
} from '../resource.ts';
import { checkApiVersion, NO_SMS_HANDLING, NO_VOICE_HANDLING, readSmsHandling, readVoiceHandling } from './handling.ts';

const MAX_NAME_CHARS = 64;
const TYPED_LISTS = { Local: 'local', Mobile: 'mobile', TollFree: 'toll-free' } as const;

type NumberFields = Omit<OwnedNumber, 'sid' | 'accountSid' | 'phoneNumber' | 'type' | 'dateCreated' | 'dateUpdated'>;

export function numberResources({ records }: ResourceContext): readonly Resource[] {
  const collection = '/Accounts/:AccountSid/IncomingPhoneNumbers';
  const typed = Object.entries(TYPED_LISTS).map(([segment, type]) =>
    listResource(`${collection}/${segment}`, records, type),
  );
  return [listResource(collection, records), ...typed, itemResource(`${collection}/:Sid`, records)];
}

function listResource(path: string, records: Records, type?: NumberType): Resource {
  const ofType: Condition<OwnedNumber>[] = type === undefined ? [] : [['type', '=', type]];
  // The typed lists' schema has no `type`.
  const present = (number: OwnedNumber): Json => (type === undefined ? numberJson(number) : untyped(number));
  return {
    path,
    get: (request) =>
      listAnswer(request, {
        name: 'incoming_phone_numbers',
        fetch: (page) => records.numbers.list(request.account.sid, [...ofType, ...numberFilters(request.query)], page),
        present,
      }),
    post: async ({ account, form }) => {
      const phoneNumber = readPhoneNumber(form);
      const fields = await readFields(form, account.sid, records, {
        friendlyName: formatNumber(phoneNumber),
        ...NO_VOICE_HANDLING,
        ...NO_SMS_HANDLING,
        voiceApplicationSid: null,
        smsApplicationSid: null,
        voiceCallerIdLookup: false,
      });
      if ((await records.phones.byNumber(phoneNumber)) !== undefined) {
        throw badParameter(
          21422,
          `PhoneNumber ${phoneNumber} rings a phone of this place: take it from the phone first`,
        );
      }
      const number = await records.numbers.create({
        ...fields,
        accountSid: account.sid,
        phoneNumber,
        type: type ?? numberTypeOf(phoneNumber),
      });
      return created(present(number));
    },
  };
}

function itemResource(path: string, records: Records): Resource {
  const find = async (request: ResourceRequest): Promise<OwnedNumber> => {
    const number = await records.numbers.find(request.account.sid, request.ids['Sid'] ?? '');
    if (number === undefined) throw resourceNotFound(request.path);
    return number;
  };
  return {
    path,
    get: async (request) => ok(numberJson(await find(request))),
    post: async (request) => {
      const number = await find(request);
      const owner = request.form.filled('AccountSid');
      if (owner !== undefined && owner !== number.accountSid) {
        throw badParameter(20001, 'AccountSid: a number stays with its account; delete it and add it to the other one');
      }
      const fields = await readFields(request.form, request.account.sid, records, number);
      return ok(numberJson(await records.numbers.update(request.account.sid, number.sid, fields)));
    },
    delete: async ({ account, ids }) => {
      await records.numbers.delete(account.sid, ids['Sid'] ?? '');
      return deleted;
    },
  };
}

function readPhoneNumber(form: Parameters): string {
  const areaCode = form.filled('AreaCode');
  const text = form.filled('PhoneNumber');
  if (text === undefined && areaCode !== undefined) {
    throw badParameter(21452, `AreaCode ${quoted(areaCode)}: this server buys no numbers; give a PhoneNumber of yours`);
  }
  if (text === undefined) throw badParameter(21421, 'PhoneNumber is missing: want E.164, as +15551234567');
  const number = parseNumber(text);
  if (number === undefined || !number.startsWith('+')) {
    throw badParameter(21421, `PhoneNumber ${quoted(text)}: want E.164, as +15551234567`);
  }
  return number;
}

function numberFilters(query: Parameters): Condition<OwnedNumber>[] {
  const friendlyName = query.filled('FriendlyName');
  const phoneNumber = query.filled('PhoneNumber');
  return [
    ...(friendlyName === undefined ? [] : [['friendlyName', '=', friendlyName] as const]),
    ...(phoneNumber === undefined ? [] : [['phoneNumber', '=', parseNumber(phoneNumber) ?? phoneNumber] as const]),
  ];
}

async function readFields(
  form: Parameters,
  accountSid: AccountSid,
  records: Records,
  before: NumberFields,
): Promise<NumberFields> {
  checkApiVersion(form);
  return {
    friendlyName: form.filled('FriendlyName', { maxChars: MAX_NAME_CHARS }) ?? before.friendlyName,
    ...readVoiceHandling(form, before),
    ...readSmsHandling(form, before),
    voiceApplicationSid: await readApplication(form, 'VoiceApplicationSid', accountSid, records, before),
    smsApplicationSid: await readApplication(form, 'SmsApplicationSid', accountSid, records, before),
    voiceCallerIdLookup: form.flag('VoiceCallerIdLookup') ?? before.voiceCallerIdLookup,
  };
}

// eslint-disable-next-line max-params -- private, and all five are one thought: where an application sid comes from
async function readApplication(
  form: Parameters,
  name: 'VoiceApplicationSid' | 'SmsApplicationSid',
  accountSid: AccountSid,
  records: Records,
  before: NumberFields,
): Promise<Sid<'AP'> | null> {
  const text = form.text(name);
  if (text === undefined) return name === 'VoiceApplicationSid' ? before.voiceApplicationSid : before.smsApplicationSid;
  if (text.trim() === '') return null;
  const sid = parseSid('AP', text);
  if (sid === undefined || (await records.applications.find(accountSid, sid)) === undefined) {
    throw badParameter(21218, `${name} ${quoted(text)}: want the sid of an application of this account`);
  }
  return sid;
}

function untyped(number: OwnedNumber): Json {
  const { type: _type, ...json } = numberJson(number);
  return json;
}

function numberJson(number: OwnedNumber): Json {
  return {
    sid: number.sid,
    account_sid: number.accountSid,
    api_version: API_VERSION,
    friendly_name: number.friendlyName,
    phone_number: number.phoneNumber,
    capabilities: { voice: true, sms: false, mms: false, fax: false },
    voice_url: number.voiceUrl,
    voice_method: number.voiceMethod,
    voice_fallback_url: number.voiceFallbackUrl,
    voice_fallback_method: number.voiceFallbackMethod,
    voice_application_sid: number.voiceApplicationSid,
    voice_caller_id_lookup: number.voiceCallerIdLookup,
    voice_receive_mode: 'voice',
    sms_url: number.smsUrl,
    sms_method: number.smsMethod,
    sms_fallback_url: number.smsFallbackUrl,
    sms_fallback_method: number.smsFallbackMethod,
    sms_application_sid: number.smsApplicationSid,
    status_callback: number.statusCallback,
    status_callback_method: number.statusCallbackMethod,
    address_sid: null,
    address_requirements: 'none',
    beta: false,
    origin: 'hosted',
    trunk_sid: null,
    identity_sid: null,
    bundle_sid: null,
    emergency_status: 'Inactive',
    emergency_address_sid: null,
    emergency_address_status: 'unregistered',
    status: 'in-use',
    type: number.type,
    date_created: dateText(number.dateCreated),
    date_updated: dateText(number.dateUpdated),
    uri: uriOf(number.accountSid, 'IncomingPhoneNumbers', number.sid),
  };
}
