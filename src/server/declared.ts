import { parseSid } from '../base/sid.ts';
import type { Account, Application, HttpMethod } from '../comms/model.ts';
import type { Place } from '../comms/place.ts';
import { DEFAULT_TRUNK_CALLS, type Trunk } from '../comms/place-model.ts';
import { numberTypeOf, type OwnedNumber } from '../comms/records/numbers.ts';
import type { Records } from '../comms/records/records.ts';
import type { Config } from './config.ts';
import { declaredScript } from './declared-script.ts';
import { ConfigError } from './load-config.ts';

/** A number of the place for its first call: from the range that is kept for fiction (NANP 555-01XX). */
export const FIRST_NUMBER = '+12025550100';

/** The main account: the declared one, else the first that was made here, else a new one. */
export async function mainAccount(config: Config, records: Records): Promise<Account> {
  const { accountSid, authToken } = config;
  if (accountSid === undefined) {
    const known = await records.accounts.first();
    if (known !== undefined) return withToken(known, authToken, records);
    return records.accounts.create({ friendlyName: 'This place', ...(authToken === undefined ? {} : { authToken }) });
  }
  const sid = parseSid('AC', accountSid);
  if (sid === undefined) throw new ConfigError(`accountSid: want AC and 32 hexadecimal digits`);
  const known = await records.accounts.find(sid);
  if (known !== undefined) return withToken(known, authToken, records);
  return records.accounts.create({
    friendlyName: 'This place',
    sid,
    ...(authToken === undefined ? {} : { authToken }),
  });
}

async function withToken(account: Account, authToken: string | undefined, records: Records): Promise<Account> {
  if (authToken === undefined || authToken === account.authToken) return account;
  return records.accounts.update(account.sid, { authToken });
}

/** Makes what the configuration declares, and brings what exists up to it. Nothing is taken away. */
export async function applyDeclared(config: Config, place: Place, records: Records): Promise<void> {
  const applications = new Map<string, Application>();
  for (const declared of config.applications) {
    applications.set(declared.friendlyName, await applyApplication(declared, place.account, records));
  }
  for (const declared of config.numbers) await applyNumber(declared, applications, place.account, records);
  if (
    config.numbers.length === 0 &&
    (await records.numbers.list(place.account.sid, [], { size: 1 })).records.length === 0
  ) {
    await applyNumber({ phoneNumber: FIRST_NUMBER }, applications, place.account, records);
  }
  for (const declared of config.phones) await applyPhone(declared, place, records);
  for (const declared of config.trunks) await applyTrunk(declared, place, records);
}

type Handling = Pick<
  Config['applications'][number],
  | 'voiceUrl'
  | 'voiceMethod'
  | 'voiceFallbackUrl'
  | 'voiceFallbackMethod'
  | 'statusCallback'
  | 'statusCallbackMethod'
  | 'messageUrl'
>;

function handling(
  declared: Handling,
): Omit<
  Application,
  | 'sid'
  | 'accountSid'
  | 'friendlyName'
  | 'dateCreated'
  | 'dateUpdated'
  | 'voiceCallerIdLookup'
  | 'smsStatusCallback'
  | 'messageStatusCallback'
  | 'publicApplicationConnectEnabled'
> {
  const post: HttpMethod = 'POST';
  return {
    voiceUrl: declared.voiceUrl ?? null,
    voiceMethod: declared.voiceMethod ?? post,
    voiceFallbackUrl: declared.voiceFallbackUrl ?? null,
    voiceFallbackMethod: declared.voiceFallbackMethod ?? post,
    statusCallback: declared.statusCallback ?? null,
    statusCallbackMethod: declared.statusCallbackMethod ?? post,
    smsUrl: declared.messageUrl ?? null,
    smsMethod: post,
    smsFallbackUrl: null,
    smsFallbackMethod: post,
  };
}

async function applyApplication(
  declared: Config['applications'][number],
  account: Account,
  records: Records,
): Promise<Application> {
  const { friendlyName } = declared;
  const [known] = (await records.applications.list(account.sid, [['friendlyName', '=', friendlyName]], { size: 1 }))
    .records;
  if (known !== undefined) return records.applications.update(account.sid, known.sid, handling(declared));
  return records.applications.create({
    accountSid: account.sid,
    friendlyName,
    ...handling(declared),
    voiceCallerIdLookup: false,
    smsStatusCallback: null,
    messageStatusCallback: null,
    publicApplicationConnectEnabled: false,
  });
}

async function applyNumber(
  declared: Config['numbers'][number],
  applications: ReadonlyMap<string, Application>,
  account: Account,
  records: Records,
): Promise<void> {
  const { phoneNumber, application: applicationName } = declared;
  const application = applicationName === undefined ? undefined : applications.get(applicationName);
  if (applicationName !== undefined && application === undefined) {
    const known = [...applications.keys()].join(', ') || 'none';
    throw new ConfigError(
      `numbers: ${phoneNumber} names the application "${applicationName}"; declared ones: ${known}`,
    );
  }
  const fields: Omit<OwnedNumber, 'sid' | 'accountSid' | 'dateCreated' | 'dateUpdated'> = {
    phoneNumber,
    friendlyName: declared.friendlyName ?? phoneNumber,
    type: numberTypeOf(phoneNumber),
    voiceApplicationSid: application?.sid ?? null,
    smsApplicationSid: application?.sid ?? null,
    voiceCallerIdLookup: false,
    ...handling(declared),
  };
  const known = await records.numbers.findByNumber(phoneNumber);
  if (known === undefined) await records.numbers.create({ accountSid: account.sid, ...fields });
  else if (known.accountSid === account.sid) await records.numbers.update(account.sid, known.sid, fields);
  else throw new ConfigError(`numbers: ${phoneNumber} belongs to another account of this server`);
}

async function applyPhone(declared: Config['phones'][number], place: Place, records: Records): Promise<void> {
  const { name, password, number } = declared;
  const script = await declaredScript(declared);
  if (script === undefined && password === undefined) {
    throw new ConfigError(`phones: ${name} has neither a password nor a script; want one of them`);
  }
  if ((await records.phones.byName(name)) !== undefined) await place.removePhone(name);
  await place.addPhone({ name, password, number, script });
}

/** A trunk that is as it was keeps its sid: calls name it. */
async function applyTrunk(declared: Config['trunks'][number], place: Place, records: Records): Promise<void> {
  const known = await records.trunks.byName(declared.name);
  if (known !== undefined && isSameTrunk(known, declared)) return;
  if (known !== undefined) await place.removeTrunk(declared.name);
  await place.addTrunk(declared);
}

function isSameTrunk(known: Trunk, declared: Config['trunks'][number]): boolean {
  return (
    known.uri === declared.uri &&
    known.username === (declared.username ?? null) &&
    known.password === (declared.password ?? null) &&
    known.register === (declared.register ?? false) &&
    known.maxCalls === (declared.maxCalls ?? DEFAULT_TRUNK_CALLS) &&
    known.prefixes.join(' ') === (declared.prefixes ?? []).join(' ')
  );
}
