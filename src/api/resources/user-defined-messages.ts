import { badParameter, resourceNotFound } from '../api-error.ts';
import { dateText } from '../date-text.ts';
import {
  created,
  deleted,
  uriOf,
  type Json,
  type Resource,
  type ResourceContext,
  type ResourceRequest,
} from '../resource.ts';
import { findCall } from './calls.ts';

const MAX_CONTENT_CHARS = 10_000;
const BAD_URL = 21_609;
const BAD_METHOD = 21_209;
const MISSING_CONTENT = 21_602;

/** Texts between an application and the page of a browser in a call. */
export function userDefinedMessageResources({ records, calls, clock }: ResourceContext): readonly Resource[] {
  const shown = ({ account, ids }: ResourceRequest, sid: string): Json => ({
    ...{ account_sid: account.sid, call_sid: ids['CallSid'], sid, date_created: dateText(clock.now()) },
  });
  return [
    {
      path: '/Accounts/:AccountSid/Calls/:CallSid/UserDefinedMessages',
      post: async (request) => {
        const call = await findCall(request, records, 'CallSid');
        const content = request.form.required('Content', { code: MISSING_CONTENT, maxChars: MAX_CONTENT_CHARS });
        return created(shown(request, await calls.sendMessage(request.account, call.sid, content)));
      },
    },
    {
      path: '/Accounts/:AccountSid/Calls/:CallSid/UserDefinedMessageSubscriptions',
      post: async (request) => {
        const call = await findCall(request, records, 'CallSid');
        const callback = request.form.url('Callback', BAD_URL);
        if (callback === undefined || callback === null) throw badParameter(BAD_URL, 'Callback is missing');
        const method = request.form.method('Method', BAD_METHOD) ?? 'POST';
        const sid = await calls.subscribeMessages(request.account, call.sid, { callback, method });
        return created({
          ...shown(request, sid),
          uri: uriOf(request.account, 'Calls', call.sid, 'UserDefinedMessageSubscriptions', sid),
        });
      },
    },
    {
      path: '/Accounts/:AccountSid/Calls/:CallSid/UserDefinedMessageSubscriptions/:Sid',
      delete: async (request) => {
        const call = await findCall(request, records, 'CallSid');
        if (await calls.unsubscribeMessages(request.account, call.sid, request.ids['Sid'] ?? '')) return deleted;
        throw resourceNotFound(request.path);
      },
    },
  ];
}
