import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { ApiUnderTest } from './api-under-test.ts';

/** The public description of the API, as data; it is not part of the product. */
const CONTRACT = new URL('../../../../shared/contracts/rest-2010-04-01.json', import.meta.url);

interface Contract {
  readonly components: {
    readonly schemas: Readonly<Record<string, { readonly properties?: Readonly<Record<string, Property>> }>>;
  };
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

interface Property {
  readonly type?: string;
  readonly format?: string;
}

type Json = Readonly<Record<string, unknown>>;

const skip = existsSync(CONTRACT) ? false : 'rest-2010-04-01.json is not here';

describe('properties are those of the contract', { skip }, () => {
  let contract: Contract;
  let api: ApiUnderTest;
  before(async () => {
    contract = JSON.parse(readFileSync(CONTRACT, 'utf8')) as Contract;
    api = await ApiUnderTest.open();
  });
  after(() => api.close());

  const post = async (path: string, form: Record<string, string>): Promise<Json> => {
    const response = await api.get(path, { method: 'POST', body: new URLSearchParams(form) });
    assert.equal(response.status, 201, path);
    return (await response.json()) as Json;
  };
  const get = async (path: string): Promise<Json> => {
    const response = await api.get(path);
    assert.equal(response.status, 200, path);
    return (await response.json()) as Json;
  };

  /** Same keys, no key left out, and values of the type that the SDK reads. */
  const check = (schema: string, json: Json): void => {
    const properties = contract.components.schemas[`api.v2010.${schema}`]?.properties;
    assert.ok(properties !== undefined, `no schema ${schema}`);
    assert.deepEqual(Object.keys(json).sort(), Object.keys(properties).sort(), schema);
    for (const [name, { type, format }] of Object.entries(properties)) {
      const value = json[name];
      if (value === null) continue;
      const place = `${schema}.${name}`;
      if (type === 'string') assert.equal(typeof value, 'string', place);
      if (type === 'integer') assert.ok(Number.isInteger(value), place);
      if (type === 'boolean') assert.equal(typeof value, 'boolean', place);
      if (format === 'date-time-rfc-2822') {
        assert.match(value as string, /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} \+0000$/, place);
      }
    }
  };

  it('accounts and keys', async () => {
    const { sid } = api.parts.account;
    const response = await fetch(`${api.parts.url}/2010-04-01/Accounts/${sid}.json`, {
      headers: { authorization: `Basic ${btoa(`${sid}:${api.parts.account.authToken}`)}` },
    });
    check('account', (await response.json()) as Json);
    const key = await post('/Keys.json', { FriendlyName: 'k' });
    check('account.new_key', key);
    check('account.key', await get(`/Keys/${String(key['sid'])}.json`));
    check('account.new_signing_key', await post('/SigningKeys.json', {}));
  });

  it('numbers and applications', async () => {
    const numbers = 'account.incoming_phone_number';
    check(numbers, await post('/IncomingPhoneNumbers.json', { PhoneNumber: '+15550100001' }));
    for (const [segment, schema, number] of [
      ['Local', 'local', '+15550100002'],
      ['Mobile', 'mobile', '+15550100003'],
      ['TollFree', 'toll_free', '+18005550004'],
    ] as const) {
      const json = await post(`/IncomingPhoneNumbers/${segment}.json`, { PhoneNumber: number });
      check(`${numbers}.incoming_phone_number_${schema}`, json);
    }
    check('account.application', await post('/Applications.json', {}));
    check('account.token', await post('/Tokens.json', {}));
  });

  it('calls, recordings and notifications', async () => {
    const call = await post('/Calls.json', { To: '+15550001111', From: '+15550002222', Twiml: '<Response/>' });
    check('account.call', call);
    const sid = String(call['sid']);
    const running = await post(`/Calls/${sid}/Recordings.json`, {});
    check('account.call.call_recording', running);
    check('account.recording', await get(`/Recordings/${String(running['sid'])}.json`));
    const parent = await api.insertCall();
    const notification = await api.insertNotification({ callSid: parent.sid });
    check('account.notification-instance', await get(`/Notifications/${notification.sid}.json`));
    check(
      'account.call.call_notification-instance',
      await get(`/Calls/${parent.sid}/Notifications/${notification.sid}.json`),
    );
    const list = (await get('/Notifications.json'))['notifications'] as readonly Json[];
    check('account.notification', list[0] ?? {});
  });

  it('SIP domains, lists, credentials and mappings', async () => {
    const domain = await post('/SIP/Domains.json', { DomainName: 'a.test' });
    check('account.sip.sip_domain', domain);
    const list = await post('/SIP/CredentialLists.json', { FriendlyName: 'l' });
    check('account.sip.sip_credential_list', list);
    const credentials = `/SIP/CredentialLists/${String(list['sid'])}/Credentials.json`;
    check(
      'account.sip.sip_credential_list.sip_credential',
      await post(credentials, { Username: 'u', Password: 'secret' }),
    );
    const form = { CredentialListSid: String(list['sid']) };
    const below = `/SIP/Domains/${String(domain['sid'])}`;
    const auth = 'account.sip.sip_domain.sip_auth';
    check(
      `${auth}.sip_auth_registrations.sip_auth_registrations_credential_list_mapping`,
      await post(`${below}/Auth/Registrations/CredentialListMappings.json`, form),
    );
    check(
      `${auth}.sip_auth_calls.sip_auth_calls_credential_list_mapping`,
      await post(`${below}/Auth/Calls/CredentialListMappings.json`, form),
    );
    check(
      'account.sip.sip_domain.sip_credential_list_mapping',
      await get(`${below}/CredentialListMappings/${form.CredentialListSid}.json`),
    );
  });

  it('every operation of these resources that the contract names is there', async () => {
    const families =
      /^\/2010-04-01\/Accounts(\.json|\/\{Sid\}\.json|\/\{AccountSid\}\/(Keys|SigningKeys|Calls|IncomingPhoneNumbers|Applications|Recordings|Notifications|SIP|Tokens)[/.].*)$/;
    const later =
      /AddOn|Transcription|Events|Payments|Siprec|Streams|UserDefined|\/IpAccessControlList(s\/|Mappings\/)|IpAccessControlListMappings\/|IpAddresses/;
    const methods = ['get', 'post', 'delete'] as const;
    let operations = 0;
    for (const [path, present] of Object.entries(contract.paths)) {
      if (!families.test(path) || later.test(path)) continue;
      const url = path.replace('{AccountSid}', api.parts.account.sid).replace(/\{\w*Sid\}/g, `XX${'0'.repeat(32)}`);
      for (const method of methods.filter((each) => present[each] !== undefined)) {
        // Access control lists are always empty: they are listed, not made.
        if (path.includes('IpAccessControlList') && method !== 'get') continue;
        const response = await fetch(`${api.parts.url}${url}`, {
          method: method.toUpperCase(),
          headers: authorization(),
        });
        const body = await response.text();
        assert.notEqual(response.status, 405, `${method} ${path}`);
        if (response.status === 404) assert.doesNotMatch(body, /"code":20004/, `${method} ${path}`);
        operations += 1;
      }
    }
    assert.ok(operations > 60, `${operations} operations were looked at`);
  });

  const authorization = (): Record<string, string> => {
    const { sid, authToken } = api.parts.account;
    return { authorization: `Basic ${btoa(`${sid}:${authToken}`)}` };
  };
});
