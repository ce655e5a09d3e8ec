import type { Application } from '../../comms/model.ts';
import type { Condition } from '../../comms/records/record-table.ts';
import { resourceNotFound } from '../api-error.ts';
import { dateText } from '../date-text.ts';
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
const BAD_URL = 21402;

type ApplicationFields = Omit<Application, 'sid' | 'accountSid' | 'dateCreated' | 'dateUpdated'>;

const NEW_APPLICATION: ApplicationFields = {
  friendlyName: '',
  ...NO_VOICE_HANDLING,
  ...NO_SMS_HANDLING,
  voiceCallerIdLookup: false,
  smsStatusCallback: null,
  messageStatusCallback: null,
  publicApplicationConnectEnabled: false,
};

export function applicationResources({ records }: ResourceContext): readonly Resource[] {
  const find = async ({ account, ids, path }: ResourceRequest): Promise<Application> => {
    const application = await records.applications.find(account.sid, ids['Sid'] ?? '');
    if (application === undefined) throw resourceNotFound(path);
    return application;
  };
  return [
    {
      path: '/Accounts/:AccountSid/Applications',
      get: (request) =>
        listAnswer(request, {
          name: 'applications',
          fetch: (page) => records.applications.list(request.account.sid, nameFilter(request.query), page),
          present: applicationJson,
        }),
      post: async ({ account, form }) => {
        const fields = readFields(form, NEW_APPLICATION);
        return created(applicationJson(await records.applications.create({ ...fields, accountSid: account.sid })));
      },
    },
    {
      path: '/Accounts/:AccountSid/Applications/:Sid',
      get: async (request) => ok(applicationJson(await find(request))),
      post: async (request) => {
        const application = await find(request);
        const fields = readFields(request.form, application);
        return ok(applicationJson(await records.applications.update(request.account.sid, application.sid, fields)));
      },
      delete: async ({ account, ids }) => {
        await records.applications.delete(account.sid, ids['Sid'] ?? '');
        return deleted;
      },
    },
  ];
}

function nameFilter(query: Parameters): Condition<Application>[] {
  const friendlyName = query.filled('FriendlyName');
  return friendlyName === undefined ? [] : [['friendlyName', '=', friendlyName]];
}

function readFields(form: Parameters, before: ApplicationFields): ApplicationFields {
  checkApiVersion(form);
  const smsStatusCallback = form.url('SmsStatusCallback', BAD_URL);
  const messageStatusCallback = form.url('MessageStatusCallback', BAD_URL);
  return {
    friendlyName: form.text('FriendlyName', { maxChars: MAX_NAME_CHARS }) ?? before.friendlyName,
    ...readVoiceHandling(form, before),
    ...readSmsHandling(form, before),
    voiceCallerIdLookup: form.flag('VoiceCallerIdLookup') ?? before.voiceCallerIdLookup,
    smsStatusCallback: smsStatusCallback === undefined ? before.smsStatusCallback : smsStatusCallback,
    messageStatusCallback: messageStatusCallback === undefined ? before.messageStatusCallback : messageStatusCallback,
    publicApplicationConnectEnabled:
      form.flag('PublicApplicationConnectEnabled') ?? before.publicApplicationConnectEnabled,
  };
}

function applicationJson(application: Application): Json {
  return {
    sid: application.sid,
    account_sid: application.accountSid,
    api_version: API_VERSION,
    friendly_name: application.friendlyName,
    voice_url: application.voiceUrl,
    voice_method: application.voiceMethod,
    voice_fallback_url: application.voiceFallbackUrl,
    voice_fallback_method: application.voiceFallbackMethod,
    voice_caller_id_lookup: application.voiceCallerIdLookup,
    status_callback: application.statusCallback,
    status_callback_method: application.statusCallbackMethod,
    sms_url: application.smsUrl,
    sms_method: application.smsMethod,
    sms_fallback_url: application.smsFallbackUrl,
    sms_fallback_method: application.smsFallbackMethod,
    sms_status_callback: application.smsStatusCallback,
    message_status_callback: application.messageStatusCallback,
    public_application_connect_enabled: application.publicApplicationConnectEnabled,
    date_created: dateText(application.dateCreated),
    date_updated: dateText(application.dateUpdated),
    uri: uriOf(application.accountSid, 'Applications', application.sid),
  };
}
