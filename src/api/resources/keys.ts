import type { Key } from '../../comms/model.ts';
import { resourceNotFound } from '../api-error.ts';
import { dateText } from '../date-text.ts';
import { created, deleted, listAnswer, ok, type Json, type Resource, type ResourceContext } from '../resource.ts';

const MAX_NAME_CHARS = 64;

/** Keys, and SigningKeys, which are the same here. */
export function keyResources(context: ResourceContext): readonly Resource[] {
  return [...resourcesUnder('Keys', 'keys', context), ...resourcesUnder('SigningKeys', 'signing_keys', context)];
}

function resourcesUnder(segment: string, name: string, { records }: ResourceContext): readonly Resource[] {
  return [
    {
      path: `/Accounts/:AccountSid/${segment}`,
      ownerOnly: true,
      get: (request) =>
        listAnswer(request, {
          name,
          fetch: (page) => records.keys.list(request.account.sid, [], page),
          present: keyJson,
        }),
      post: async ({ account, form }) => {
        const key = await records.keys.issue(
          account.sid,
          form.text('FriendlyName', { maxChars: MAX_NAME_CHARS }) ?? '',
        );
        return created({ ...keyJson(key), secret: key.secret });
      },
    },
    {
      path: `/Accounts/:AccountSid/${segment}/:Sid`,
      ownerOnly: true,
      get: async ({ account, ids, path }) => {
        const key = await records.keys.find(account.sid, ids['Sid'] ?? '');
        if (key === undefined) throw resourceNotFound(path);
        return ok(keyJson(key));
      },
      post: async ({ account, ids, form }) => {
        const friendlyName = form.text('FriendlyName', { maxChars: MAX_NAME_CHARS });
        const changes = friendlyName === undefined ? {} : { friendlyName };
        return ok(keyJson(await records.keys.update(account.sid, ids['Sid'] ?? '', changes)));
      },
      delete: async ({ account, ids }) => {
        await records.keys.delete(account.sid, ids['Sid'] ?? '');
        return deleted;
      },
    },
  ];
}

function keyJson(key: Key): Json {
  return {
    sid: key.sid,
    friendly_name: key.friendlyName,
    date_created: dateText(key.dateCreated),
    date_updated: dateText(key.dateUpdated),
  };
}
