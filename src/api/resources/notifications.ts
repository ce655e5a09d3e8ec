import type { Notification } from '../../comms/model.ts';
import type { Condition } from '../../comms/records/record-table.ts';
import { errorPagePath, resourceNotFound } from '../api-error.ts';
import { dateConditions, dateText } from '../date-text.ts';
import type { Parameters } from '../parameters.ts';
import { API_VERSION, listAnswer, ok, uriOf, type Json, type Resource, type ResourceContext } from '../resource.ts';
import { findCall } from './calls.ts';

export function notificationResources({ records, publicUrl }: ResourceContext): readonly Resource[] {
  const account = '/Accounts/:AccountSid/Notifications';
  const call = '/Accounts/:AccountSid/Calls/:CallSid/Notifications';
  return [account, call].flatMap((path): Resource[] => [
    {
      path,
      get: async (request) => {
        const where = notificationFilters(request.query);
        if (path === call) where.push(['callSid', '=', (await findCall(request, records, 'CallSid')).sid]);
        return listAnswer(request, {
          name: 'notifications',
          fetch: (page) => records.notifications.list(request.account.sid, where, page),
          present: (notification) => notificationJson(notification, publicUrl()),
        });
      },
    },
    {
      path: `${path}/:Sid`,
      get: async (request) => {
        const notification = await records.notifications.find(request.account.sid, request.ids['Sid'] ?? '');
        const elsewhere = path === call && notification?.callSid !== request.ids['CallSid'];
        if (notification === undefined || elsewhere) throw resourceNotFound(request.path);
        return ok({
          ...notificationJson(notification, publicUrl()),
          request_variables: notification.requestVariables,
          response_body: notification.responseBody,
          response_headers: notification.responseHeaders,
        });
      },
    },
  ]);
}

function notificationFilters(query: Parameters): Condition<Notification>[] {
  const log = query.oneOf('Log', ['0', '1'] as const);
  return [
    ...dateConditions<Notification>(query, 'MessageDate', 'messageDate'),
    ...(log === undefined ? [] : [['log', '=', log] as const]),
  ];
}

function notificationJson(notification: Notification, publicUrl: string): Json {
  return {
    sid: notification.sid,
    account_sid: notification.accountSid,
    api_version: API_VERSION,
    call_sid: notification.callSid,
    error_code: String(notification.errorCode),
    log: notification.log,
    message_date: dateText(notification.messageDate),
    message_text: notification.messageText,
    more_info: `${publicUrl}${errorPagePath(notification.errorCode)}`,
    request_method: notification.requestMethod,
    request_url: notification.requestUrl,
    date_created: dateText(notification.dateCreated),
    date_updated: dateText(notification.dateUpdated),
    uri: uriOf(notification.accountSid, 'Notifications', notification.sid),
  };
}
