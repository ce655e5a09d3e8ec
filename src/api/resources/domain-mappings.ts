import { quoted } from '../../base/parsed.ts';
import type { DomainMapping } from '../../comms/model.ts';
import type { MappingKind, MappingScope } from '../../comms/records/domain-mappings.ts';
import { badParameter, resourceNotFound } from '../api-error.ts';
import { dateText } from '../date-text.ts';
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
import { findDomain } from './sip-domains.ts';

interface MappingList {
  /** Below the domain. */
  readonly path: string;
  /** Name of the array in the envelope. */
  readonly name: string;
  readonly kind: MappingKind;
  /** The older form shows more. */
  readonly present: (mapping: DomainMapping) => Json;
}

/** The older list without `Auth` is the one for calls. */
const LISTS: readonly MappingList[] = [
  {
    path: 'Auth/Registrations/CredentialListMappings',
    name: 'contents',
    kind: 'registrations',
    present: mappingJson,
  },
  { path: 'Auth/Calls/CredentialListMappings', name: 'contents', kind: 'calls', present: mappingJson },
  { path: 'CredentialListMappings', name: 'credential_list_mappings', kind: 'calls', present: olderMappingJson },
];

export function domainMappingResources(context: ResourceContext): readonly Resource[] {
  return LISTS.flatMap((list) => mappingResources(list, context));
}

function mappingResources({ path, name, kind, present }: MappingList, { records }: ResourceContext): Resource[] {
  const collection = `/Accounts/:AccountSid/SIP/Domains/:DomainSid/${path}`;
  const scopeOf = async (request: ResourceRequest): Promise<MappingScope> => {
    const domain = await findDomain(request, records, 'DomainSid');
    return { accountSid: request.account.sid, domainSid: domain.sid, kind };
  };
  return [
    {
      path: collection,
      get: async (request) => {
        const scope = await scopeOf(request);
        return listAnswer(request, {
          name,
          fetch: (page) => records.mappings.list(scope, page),
          present,
          sidOf: (mapping) => mapping.credentialListSid,
        });
      },
      post: async (request) => {
        const sid = request.form.required('CredentialListSid');
        const domain = await findDomain(request, records, 'DomainSid');
        const list = await records.credentialLists.find(request.account.sid, sid);
        if (list === undefined) {
          throw badParameter(20001, `CredentialListSid ${quoted(sid)}: want the sid of a list of this account`);
        }
        return created(present(await records.mappings.create(domain, list, kind)));
      },
    },
    {
      path: `${collection}/:Sid`,
      get: async (request) => {
        const mapping = await records.mappings.find(await scopeOf(request), request.ids['Sid'] ?? '');
        if (mapping === undefined) throw resourceNotFound(request.path);
        return ok(present(mapping));
      },
      delete: async (request) => {
        await records.mappings.delete(await scopeOf(request), request.ids['Sid'] ?? '');
        return deleted;
      },
    },
  ];
}

/** A mapping has the sid of its list. */
function mappingJson(mapping: DomainMapping): Json {
  return {
    sid: mapping.credentialListSid,
    account_sid: mapping.accountSid,
    friendly_name: mapping.friendlyName,
    date_created: dateText(mapping.dateCreated),
    date_updated: dateText(mapping.dateUpdated),
  };
}

function olderMappingJson(mapping: DomainMapping): Json {
  const { accountSid, domainSid, credentialListSid } = mapping;
  return {
    ...mappingJson(mapping),
    domain_sid: domainSid,
    uri: uriOf(accountSid, 'SIP', 'Domains', domainSid, 'CredentialListMappings', credentialListSid),
  };
}
