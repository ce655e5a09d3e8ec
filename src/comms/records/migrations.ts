import type { Migration } from '../../store/migrate.ts';

const DATES = ['date_created bigint not null', 'date_updated bigint not null'];
const OWNED = ['sid text primary key', 'account_sid text not null'];
const VOICE = [
  'voice_url text',
  'voice_method text not null',
  'voice_fallback_url text',
  'voice_fallback_method text not null',
  'status_callback text',
  'status_callback_method text not null',
];
const SMS = ['sms_url text', 'sms_method text not null', 'sms_fallback_url text', 'sms_fallback_method text not null'];

function table(name: string, columns: readonly string[]): string {
  return `create table ${name} (${columns.join(', ')})`;
}

/** For lists of an account, newest first, in keyset order; further columns narrow them by a filter. */
function listIndex(name: string, ...filters: readonly string[]): string {
  const columns = ['account_sid', ...filters, 'date_created', 'sid'];
  const suffix = filters.map((column) => column.replaceAll('"', '')).join('_') || 'list';
  return `create index ${name}_by_${suffix} on ${name} (${columns.join(', ')})`;
}

/** Tables of the communication service, in the part of SQL that SQLite and PostgreSQL share. */
export const commsMigrations: readonly Migration[] = [
  {
    name: 'comms/0001-accounts-and-keys',
    up: [
      table('comms_account', [
        'sid text primary key',
        'friendly_name text not null',
        'status text not null',
        'type text not null',
        'auth_token text not null',
        'owner_account_sid text not null',
        ...DATES,
      ]),
      'create index comms_account_by_owner on comms_account (owner_account_sid, date_created, sid)',
      table('comms_api_key', [...OWNED, 'friendly_name text not null', 'secret text not null', ...DATES]),
      listIndex('comms_api_key'),
    ],
  },
  {
    name: 'comms/0002-numbers-and-applications',
    up: [
      table('comms_incoming_phone_number', [
        ...OWNED,
        'friendly_name text not null',
        'phone_number text not null unique',
        'type text not null',
        ...VOICE,
        ...SMS,
        'voice_application_sid text',
        'sms_application_sid text',
        'voice_caller_id_lookup smallint not null',
        ...DATES,
      ]),
      listIndex('comms_incoming_phone_number'),
      table('comms_application', [
        ...OWNED,
        'friendly_name text not null',
        ...VOICE,
        ...SMS,
        'voice_caller_id_lookup smallint not null',
        'sms_status_callback text',
        'message_status_callback text',
        'public_application_connect_enabled smallint not null',
        ...DATES,
      ]),
      listIndex('comms_application'),
    ],
  },
  {
    name: 'comms/0003-sip-domains',
    up: [
      table('comms_sip_domain', [
        ...OWNED,
        'friendly_name text not null',
        'domain_name text not null unique',
        ...VOICE,
        'sip_registration smallint not null',
        'emergency_calling_enabled smallint not null',
        'secure smallint not null',
        'byoc_trunk_sid text',
        'emergency_caller_sid text',
        ...DATES,
      ]),
      listIndex('comms_sip_domain'),
      table('comms_credential_list', [...OWNED, 'friendly_name text not null', ...DATES]),
      listIndex('comms_credential_list'),
      table('comms_sip_credential', [
        ...OWNED,
        'credential_list_sid text not null',
        'username text not null',
        'password text not null',
        ...DATES,
        'unique (credential_list_sid, username)',
      ]),
      listIndex('comms_sip_credential', 'credential_list_sid'),
      table('comms_domain_mapping', [
        'domain_sid text not null',
        'credential_list_sid text not null',
        'account_sid text not null',
        'kind text not null',
        'friendly_name text not null',
        ...DATES,
        'primary key (domain_sid, kind, credential_list_sid)',
      ]),
      'create index comms_domain_mapping_by_credential_list on comms_domain_mapping (credential_list_sid)',
    ],
  },
  {
    name: 'comms/0004-calls',
    up: [
      table('comms_call', [
        ...OWNED,
        'parent_call_sid text',
        '"to" text not null',
        '"from" text not null',
        'phone_number_sid text',
        'status text not null',
        'stage text not null',
        'direction text not null',
        'start_time bigint',
        'end_time bigint',
        'duration bigint',
        'answered_by text',
        'forwarded_from text',
        'caller_name text',
        'queue_time bigint not null',
        'trunk_sid text',
        'sip_response_code bigint',
        'end_reason text',
        'plan text not null',
        ...DATES,
      ]),
      listIndex('comms_call'),
      listIndex('comms_call', 'status'),
      listIndex('comms_call', '"to"'),
      listIndex('comms_call', '"from"'),
      listIndex('comms_call', 'parent_call_sid'),
      'create index comms_call_by_stage on comms_call (stage)',
    ],
  },
  {
    name: 'comms/0005-recordings-and-notifications',
    up: [
      table('comms_recording', [
        ...OWNED,
        'call_sid text not null',
        'conference_sid text',
        'status text not null',
        'source text not null',
        'channels bigint not null',
        'track text not null',
        'start_time bigint not null',
        'duration bigint',
        'error_code bigint',
        'blob_id text',
        ...DATES,
      ]),
      listIndex('comms_recording'),
      listIndex('comms_recording', 'call_sid'),
      'create index comms_recording_by_status on comms_recording (status)',
      table('comms_notification', [
        ...OWNED,
        'call_sid text',
        'log text not null',
        'error_code bigint not null',
        'message_text text not null',
        'message_date bigint not null',
        'request_method text',
        'request_url text',
        'request_variables text',
        'response_body text',
        'response_headers text',
        ...DATES,
      ]),
      listIndex('comms_notification'),
      listIndex('comms_notification', 'call_sid'),
    ],
  },
  {
    name: 'comms/0006-phones-and-trunks',
    up: [
      table('comms_phone', [
        'name text primary key',
        'account_sid text not null',
        'number text unique',
        'credential_sid text not null',
        'date_created bigint not null',
      ]),
      table('comms_trunk', [
        ...OWNED,
        'name text not null unique',
        'uri text not null',
        'username text',
        'password text',
        'register smallint not null',
        'prefixes text not null',
        'max_calls bigint not null',
        'date_created bigint not null',
      ]),
    ],
  },
  {
    name: 'comms/0007-events-of-calls',
    up: [
      'alter table comms_call add column events_numbered bigint not null default 0',
      'alter table comms_call add column end_untold smallint not null default 0',
      'create index comms_call_end_untold on comms_call (end_untold) where end_untold = 1',
    ],
  },
  {
    name: 'comms/0008-scripted-phones',
    up: ['alter table comms_phone add column script text', 'alter table comms_phone add column script_password text'],
  },
  {
    name: 'comms/0009-parents-of-calls',
    up: [
      'drop index comms_call_by_parent_call_sid',
      // Few calls have a parent, and each entry of an index is another page to write.
      `create index comms_call_by_parent_call_sid on comms_call (account_sid, parent_call_sid, date_created, sid)
        where parent_call_sid is not null`,
    ],
  },
  {
    name: 'comms/0010-untold-recordings',
    up: [
      'alter table comms_recording add column untold_end text',
      'create index comms_recording_untold_end on comms_recording (date_created) where untold_end is not null',
    ],
  },
];
