import { quoted } from '../../base/parsed.ts';
import type { CredentialList, SipCredential } from '../../comms/model.ts';
import type { StoredSipCredential } from '../../comms/records/credentials.ts';
import { badParameter, resourceNotFound } from '../api-error.ts';
import { dateText } from '../date-text.ts';
import type { Parameters } from '../parameters.ts';
import {
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

const MAX_NAME_CHARS = 64;
const MAX_USERNAME_CHARS = 32;
const MAX_PASSWORD_CHARS = 128;

export function credentialListResources(context: ResourceContext): readonly Resource[] {
  const { records } = context;
  return [
    {
      path: '/Accounts/:AccountSid/SIP/CredentialLists',
      get: (request) =>
        listAnswer(request, {
          name: 'credential_lists',
          fetch: (page) => records.credentialLists.list(request.account.sid, [], page),
          present: listJson,
        }),
      post: async ({ account, form }) => {
        const friendlyName = form.required('FriendlyName', { maxChars: MAX_NAME_CHARS });
        return created(listJson(await records.credentialLists.create({ accountSid: account.sid, friendlyName })));
      },
    },
    {
      path: '/Accounts/:AccountSid/SIP/CredentialLists/:Sid',
      get: async (request) => ok(listJson(await findList(request, records, 'Sid'))),
      post: async (request) => {
        const friendlyName = request.form.required('FriendlyName', { maxChars: MAX_NAME_CHARS });
        const { account, ids } = request;
        return ok(listJson(await records.credentialLists.update(account.sid, ids['Sid'] ?? '', { friendlyName })));
      },
      delete: async ({ account, ids }) => {
        await records.credentialLists.delete(account.sid, ids['Sid'] ?? '');
        return deleted;
      },
    },
    ...credentialResources(context),
  ];
}

function credentialResources({ records }: ResourceContext): readonly Resource[] {
  const collection = '/Accounts/:AccountSid/SIP/CredentialLists/:CredentialListSid/Credentials';
  const find = async (request: ResourceRequest): Promise<StoredSipCredential> => {
    const credential = await records.credentials.find(request.account.sid, request.ids['Sid'] ?? '');
    if (credential === undefined || credential.credentialListSid !== request.ids['CredentialListSid']) {
      throw resourceNotFound(request.path);
    }
    return credential;
  };
  return [
    {
      path: collection,
      get: async (request) => {
        const list = await findList(request, records, 'CredentialListSid');
        return listAnswer(request, {
          name: 'credentials',
          fetch: (page) => records.credentials.list(request.account.sid, [['credentialListSid', '=', list.sid]], page),
          present: credentialJson,
        });
      },
      post: async (request) => {
        const username = readUsername(request.form);
        const password = readPassword(request.form);
        const list = await findList(request, records, 'CredentialListSid');
        const owner = { accountSid: request.account.sid, credentialListSid: list.sid };
        return created(credentialJson(await records.credentials.create({ ...owner, username, password })));
      },
    },
    {
      path: `${collection}/:Sid`,
      get: async (request) => ok(credentialJson(await find(request))),
      post: async (request) => {
        const credential = await find(request);
        const changes = request.form.has('Password') ? { password: readPassword(request.form) } : {};
        return ok(credentialJson(await records.credentials.update(request.account.sid, credential.sid, changes)));
      },
      delete: async (request) => {
        const credential = await find(request);
        await records.credentials.delete(request.account.sid, credential.sid);
        return deleted;
      },
    },
  ];
}

async function findList(
  request: ResourceRequest,
  records: ResourceContext['records'],
  id: 'Sid' | 'CredentialListSid',
): Promise<CredentialList> {
  const list = await records.credentialLists.find(request.account.sid, request.ids[id] ?? '');
  if (list === undefined) throw resourceNotFound(request.path);
  return list;
}

/** It is the user part of an address, and stands in quotes in digests. */
function readUsername(form: Parameters): string {
  const username = form.required('Username', { maxChars: MAX_USERNAME_CHARS });
  if (!/^[A-Za-z0-9._~+!-]+$/.test(username)) {
    throw badParameter(20001, `Username ${quoted(username)}: want letters, digits and . _ ~ + ! -`);
  }
  return username;
}

/** Its text is never repeated in an error. */
function readPassword(form: Parameters): string {
  const password = form.required('Password', { maxChars: MAX_PASSWORD_CHARS });
  if (/[\u0000-\u001f\u007f]/.test(password)) throw badParameter(20001, 'Password has control characters');
  return password;
}

function listJson(list: CredentialList): Json {
  return {
    sid: list.sid,
    account_sid: list.accountSid,
    friendly_name: list.friendlyName,
    date_created: dateText(list.dateCreated),
    date_updated: dateText(list.dateUpdated),
    uri: uriOf(list.accountSid, 'SIP', 'CredentialLists', list.sid),
    subresource_uris: { credentials: uriOf(list.accountSid, 'SIP', 'CredentialLists', list.sid, 'Credentials') },
  };
}

function credentialJson(credential: SipCredential): Json {
  const { accountSid, credentialListSid, sid } = credential;
  return {
    sid,
    account_sid: accountSid,
    credential_list_sid: credentialListSid,
    username: credential.username,
    date_created: dateText(credential.dateCreated),
    date_updated: dateText(credential.dateUpdated),
    uri: uriOf(accountSid, 'SIP', 'CredentialLists', credentialListSid, 'Credentials', sid),
  };
}
