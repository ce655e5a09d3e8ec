import { quoted } from '../../base/parsed.ts';
import { formatAddress, parseAddress } from '../../comms/address.ts';
import { FINAL_CALL_STATUSES, type Call, type CallStatus } from '../../comms/model.ts';
import type { Condition } from '../../comms/records/record-table.ts';
import { ApiError, badParameter, resourceNotFound } from '../api-error.ts';
import { dateConditions, dateText } from '../date-text.ts';
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
import { IGNORED_CALL_FIELDS, readCallChange, readCallRequest } from './call-request.ts';

const STATUSES = ['queued', 'ringing', 'in-progress', ...FINAL_CALL_STATUSES] as const satisfies readonly CallStatus[];
const SUBRESOURCES = {
  notifications: 'Notifications',
  recordings: 'Recordings',
  payments: 'Payments',
  events: 'Events',
  siprec: 'Siprec',
  streams: 'Streams',
  transcriptions: 'Transcriptions',
  user_defined_message_subscriptions: 'UserDefinedMessageSubscriptions',
  user_defined_messages: 'UserDefinedMessages',
} as const;

export function callResources({ records, calls, logger }: ResourceContext): readonly Resource[] {
  return [
    {
      path: '/Accounts/:AccountSid/Calls',
      get: (request) =>
        listAnswer(request, {
          name: 'calls',
          fetch: (page) => records.calls.list(request.account.sid, callFilters(request.query), page),
          present: callJson,
        }),
      post: async ({ account, form }) => {
        const call = await calls.create(account, readCallRequest(form));
        const ignored = IGNORED_CALL_FIELDS.filter((name) => form.has(name));
        if (ignored.length > 0) logger.warn({ callSid: call.sid, ignored }, 'fields of a call have no effect here');
        return created(callJson(call));
      },
    },
    {
      path: '/Accounts/:AccountSid/Calls/:Sid',
      get: async (request) => ok(callJson(await findCall(request, records, 'Sid'))),
      post: async (request) => {
        const change = readCallChange(request.form);
        const call = await findCall(request, records, 'Sid');
        if (isFinal(call))
          throw badParameter(21220, `Call ${call.sid} is ${call.status}: it cannot be changed any more`);
        return ok(callJson(await calls.update(request.account, call.sid, change)));
      },
      delete: async (request) => {
        const call = await findCall(request, records, 'Sid');
        if (!isFinal(call)) {
          throw new ApiError({ status: 409, code: 20409, message: `Call ${call.sid} is ${call.status}: end it first` });
        }
        await records.calls.delete(request.account.sid, call.sid);
        return deleted;
      },
    },
  ];
}

/** The call that the path names, in the path's account. */
export async function findCall(
  request: ResourceRequest,
  records: ResourceContext['records'],
  id: 'Sid' | 'CallSid',
): Promise<Call> {
  const call = await records.calls.find(request.account.sid, request.ids[id] ?? '');
  if (call === undefined) throw resourceNotFound(request.path);
  return call;
}

function isFinal(call: Call): boolean {
  return FINAL_CALL_STATUSES.some((status) => status === call.status);
}

function callFilters(query: Parameters): Condition<Call>[] {
  const conditions: Condition<Call>[] = [];
  for (const [name, field] of [
    ['To', 'to'],
    ['From', 'from'],
  ] as const) {
    const text = query.filled(name);
    const address = text === undefined ? undefined : parseAddress(text);
    if (text !== undefined) conditions.push([field, '=', address === undefined ? text : formatAddress(address)]);
  }
  const parent = query.filled('ParentCallSid');
  if (parent !== undefined) conditions.push(['parentCallSid', '=', parent]);
  const status = readStatus(query);
  if (status !== undefined) conditions.push(['status', '=', status]);
  conditions.push(...dateConditions<Call>(query, 'StartTime', 'startTime'));
  conditions.push(...dateConditions<Call>(query, 'EndTime', 'endTime'));
  return conditions;
}

function readStatus(query: Parameters): CallStatus | undefined {
  const text = query.filled('Status');
  if (text === undefined) return undefined;
  const status = STATUSES.find((each) => each === text);
  if (status === undefined) throw badParameter(20001, `Status ${quoted(text)}: want one of ${STATUSES.join(', ')}`);
  return status;
}

function callJson(call: Call): Json {
  return {
    sid: call.sid,
    date_created: dateText(call.dateCreated),
    date_updated: dateText(call.dateUpdated),
    parent_call_sid: call.parentCallSid,
    account_sid: call.accountSid,
    to: call.to,
    to_formatted: formatNumber(call.to),
    from: call.from,
    from_formatted: formatNumber(call.from),
    phone_number_sid: call.phoneNumberSid,
    status: call.status,
    start_time: dateText(call.startTime),
    end_time: dateText(call.endTime),
    duration: call.duration === null ? null : String(call.duration),
    price: null,
    price_unit: null,
    direction: call.direction,
    answered_by: call.answeredBy,
    api_version: API_VERSION,
    forwarded_from: call.forwardedFrom,
    group_sid: null,
    caller_name: call.callerName,
    queue_time: String(Math.round(call.queueTime)),
    trunk_sid: call.trunkSid,
    uri: uriOf(call.accountSid, 'Calls', call.sid),
    subresource_uris: Object.fromEntries(
      Object.entries(SUBRESOURCES).map(([name, path]) => [name, uriOf(call.accountSid, 'Calls', call.sid, path)]),
    ),
  };
}
