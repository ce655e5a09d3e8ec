import { quoted } from '../../base/parsed.ts';
import type { SipDomain } from '../../comms/model.ts';
import { badParameter, resourceNotFound } from '../api-error.ts';
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
import { NO_VOICE_HANDLING, readVoiceHandling } from './handling.ts';

const MAX_NAME_CHARS = 64;
const CALLBACK_NAMES = {
  statusCallback: 'VoiceStatusCallbackUrl',
  statusCallbackMethod: 'VoiceStatusCallbackMethod',
} as const;

type DomainFields = Omit<SipDomain, 'sid' | 'accountSid' | 'dateCreated' | 'dateUpdated'>;

export function sipDomainResources({ records }: ResourceContext): readonly Resource[] {
  const present = async (domain: SipDomain): Promise<Json> =>
    domainJson(domain, await records.mappings.mappedDomains([domain.sid]));
  return [
    {
      path: '/Accounts/:AccountSid/SIP/Domains',
      get: async (request) => {
        let mapped: ReadonlySet<string> = new Set();
        return listAnswer(request, {
          name: 'domains',
          fetch: async (requested) => {
            const page = await records.domains.list(request.account.sid, [], requested);
            mapped = await records.mappings.mappedDomains(page.records.map((domain) => domain.sid));
            return page;
          },
          present: (domain) => domainJson(domain, mapped),
        });
      },
      post: async ({ account, form }) => {
        form.required('DomainName');
        const fields = readFields(form, {
          friendlyName: '',
          domainName: '',
          ...NO_VOICE_HANDLING,
          sipRegistration: false,
          emergencyCallingEnabled: false,
          secure: false,
          byocTrunkSid: null,
          emergencyCallerSid: null,
        });
        return created(await present(await records.domains.create({ ...fields, accountSid: account.sid })));
      },
    },
    {
      path: '/Accounts/:AccountSid/SIP/Domains/:Sid',
      get: async (request) => ok(await present(await findDomain(request, records, 'Sid'))),
      post: async (request) => {
        const domain = await findDomain(request, records, 'Sid');
        const fields = readFields(request.form, domain);
        return ok(await present(await records.domains.update(request.account.sid, domain.sid, fields)));
      },
      delete: async ({ account, ids }) => {
        await records.domains.delete(account.sid, ids['Sid'] ?? '');
        return deleted;
      },
    },
  ];
}

/** The domain that the path names, in the path's account. */
export async function findDomain(
  request: ResourceRequest,
  records: ResourceContext['records'],
  id: 'Sid' | 'DomainSid',
): Promise<SipDomain> {
  const domain = await records.domains.find(request.account.sid, request.ids[id] ?? '');
  if (domain === undefined) throw resourceNotFound(request.path);
  return domain;
}

function readFields(form: Parameters, before: DomainFields): DomainFields {
  const nullable = (name: string, present: string | null): string | null => {
    const text = form.text(name, { maxChars: MAX_NAME_CHARS });
    return text === undefined ? present : text.trim() === '' ? null : text;
  };
  return {
    friendlyName: form.text('FriendlyName', { maxChars: MAX_NAME_CHARS }) ?? before.friendlyName,
    domainName: readDomainName(form) ?? before.domainName,
    ...readVoiceHandling(form, before, CALLBACK_NAMES),
    sipRegistration: form.flag('SipRegistration') ?? before.sipRegistration,
    emergencyCallingEnabled: form.flag('EmergencyCallingEnabled') ?? before.emergencyCallingEnabled,
    secure: form.flag('Secure') ?? before.secure,
    byocTrunkSid: nullable('ByocTrunkSid', before.byocTrunkSid),
    emergencyCallerSid: nullable('EmergencyCallerSid', before.emergencyCallerSid),
  };
}

/** A host name (RFC 1123 2.1), in lower case. */
function readDomainName(form: Parameters): string | undefined {
  const name = form.filled('DomainName')?.trim().toLowerCase();
  if (name === undefined) return undefined;
  const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
  if (name.length > 253 || !new RegExp(`^${label}(?:\\.${label})*$`).test(name)) {
    throw badParameter(20001, `DomainName ${quoted(name)}: want a host name, as office.example.net`);
  }
  // Phones of the place register at the server's address: whoever owned that as a domain would lock them all out.
  if (/(?:^|\.)\d+$/.test(name) || /(?:^|\.)localhost$/.test(name)) {
    throw badParameter(20001, `DomainName ${quoted(name)}: want a host name, not the address of this machine`);
  }
  return name;
}

function domainJson(domain: SipDomain, mapped: ReadonlySet<string>): Json {
  const below = (...parts: string[]): string => uriOf(domain.accountSid, 'SIP', 'Domains', domain.sid, ...parts);
  return {
    sid: domain.sid,
    account_sid: domain.accountSid,
    api_version: API_VERSION,
    auth_type: mapped.has(domain.sid) ? 'CREDENTIAL_LIST' : '',
    domain_name: domain.domainName,
    friendly_name: domain.friendlyName,
    voice_url: domain.voiceUrl,
    voice_method: domain.voiceMethod,
    voice_fallback_url: domain.voiceFallbackUrl,
    voice_fallback_method: domain.voiceFallbackMethod,
    voice_status_callback_url: domain.statusCallback,
    voice_status_callback_method: domain.statusCallbackMethod,
    sip_registration: domain.sipRegistration,
    emergency_calling_enabled: domain.emergencyCallingEnabled,
    secure: domain.secure,
    byoc_trunk_sid: domain.byocTrunkSid,
    emergency_caller_sid: domain.emergencyCallerSid,
    date_created: dateText(domain.dateCreated),
    date_updated: dateText(domain.dateUpdated),
    uri: below(),
    subresource_uris: {
      credential_list_mappings: below('CredentialListMappings'),
      ip_access_control_list_mappings: below('IpAccessControlListMappings'),
    },
  };
}
