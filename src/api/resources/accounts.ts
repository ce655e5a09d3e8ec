import type { Account } from '../../comms/model.ts';
import type { AccountChanges } from '../../comms/records/accounts.ts';
import type { Condition } from '../../comms/records/record-table.ts';
import { ApiError } from '../api-error.ts';
import { dateText } from '../date-text.ts';
import type { Parameters } from '../parameters.ts';
import { created, listAnswer, ok, uriOf, type Json, type Resource, type ResourceContext } from '../resource.ts';

const MAX_NAME_CHARS = 64;
const STATUSES = ['active', 'suspended', 'closed'] as const;
const SUBRESOURCES = {
  applications: 'Applications',
  calls: 'Calls',
  incoming_phone_numbers: 'IncomingPhoneNumbers',
  keys: 'Keys',
  notifications: 'Notifications',
  recordings: 'Recordings',
  signing_keys: 'SigningKeys',
} as const;

export function accountResources({ records, clock }: ResourceContext): readonly Resource[] {
  return [
    {
      path: '/Accounts',
      ownerOnly: true,
      get: (request) =>
        listAnswer(request, {
          name: 'accounts',
          fetch: (page) => records.accounts.list(request.caller.account, accountFilters(request.query), page),
          present: accountJson,
        }),
      post: async ({ caller, form }) => {
        const { account } = caller;
        if (account.ownerAccountSid !== account.sid) throw forbidden('A sub-account cannot have sub-accounts');
        const day = new Date(clock.now()).toISOString().slice(0, 16).replace('T', ' ');
        const friendlyName =
          form.filled('FriendlyName', { maxChars: MAX_NAME_CHARS }) ?? `SubAccount Created at ${day}`;
        return created(accountJson(await records.accounts.create({ friendlyName, ownerAccountSid: account.sid })));
      },
    },
    {
      path: '/Accounts/:AccountSid',
      ownerOnly: true,
      anyStatus: true,
      get: async ({ account }) => ok(accountJson(account)),
      post: async ({ caller, account, form }) => {
        const changes = readChanges(form);
        if (changes.status !== undefined && account.sid === caller.account.sid) {
          throw forbidden('An account cannot change its own status: its owner account can');
        }
        if (account.status === 'closed' && changes.status !== undefined && changes.status !== 'closed') {
          throw forbidden('A closed account stays closed');
        }
        return ok(accountJson(await records.accounts.update(account.sid, changes)));
      },
    },
  ];
}

function accountFilters(query: Parameters): Condition<Account>[] {
  const friendlyName = query.filled('FriendlyName');
  const status = query.oneOf('Status', STATUSES);
  return [
    ...(friendlyName === undefined ? [] : [['friendlyName', '=', friendlyName] as const]),
    ...(status === undefined ? [] : [['status', '=', status] as const]),
  ];
}

function readChanges(form: Parameters): AccountChanges {
  const friendlyName = form.filled('FriendlyName', { maxChars: MAX_NAME_CHARS });
  const status = form.oneOf('Status', STATUSES);
  return { ...(friendlyName === undefined ? {} : { friendlyName }), ...(status === undefined ? {} : { status }) };
}

function forbidden(message: string): ApiError {
  return new ApiError({ status: 403, code: 20403, message });
}

function accountJson(account: Account): Json {
  return {
    sid: account.sid,
    friendly_name: account.friendlyName,
    status: account.status,
    type: account.type,
    auth_token: account.authToken,
    owner_account_sid: account.ownerAccountSid,
    date_created: dateText(account.dateCreated),
    date_updated: dateText(account.dateUpdated),
    uri: uriOf(account),
    subresource_uris: Object.fromEntries(
      Object.entries(SUBRESOURCES).map(([name, path]) => [name, uriOf(account, path)]),
    ),
  };
}
