import { listAnswer, type Resource, type ResourceContext, type ResourceRequest } from '../resource.ts';
import { findDomain } from './sip-domains.ts';

const NONE = { records: [], hasNext: false, hasPrevious: false } as const;

/** Addresses are trusted by trunks only: there are no access control lists, and these lists are empty. */
export function accessControlListResources({ records }: ResourceContext): readonly Resource[] {
  const empty = (name: string) => (request: ResourceRequest) =>
    listAnswer(request, { name, fetch: () => Promise.resolve(NONE), present: () => ({}) });
  const ofDomain = (name: string) => async (request: ResourceRequest) => {
    await findDomain(request, records, 'DomainSid');
    return empty(name)(request);
  };
  const domain = '/Accounts/:AccountSid/SIP/Domains/:DomainSid';
  return [
    { path: '/Accounts/:AccountSid/SIP/IpAccessControlLists', get: empty('ip_access_control_lists') },
    {
      path: `${domain}/IpAccessControlListMappings`,
      get: ofDomain('ip_access_control_list_mappings'),
    },
    { path: `${domain}/Auth/Calls/IpAccessControlListMappings`, get: ofDomain('contents') },
  ];
}
