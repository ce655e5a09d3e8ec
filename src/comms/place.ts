import type { Clock } from '../base/clock.ts';
import { quoted } from '../base/parsed.ts';
import { randomHex, type Random } from '../base/random.ts';
import { newSid } from '../base/sid.ts';
import type { Store } from '../store/store.ts';
import { parseSipUri } from '../wire/sip/uri.ts';
import { parseNumber } from './address.ts';
import { CommsError } from './comms-error.ts';
import type { Account, CredentialList, SipDomain } from './model.ts';
import { DEFAULT_TRUNK_CALLS, type Phone, type PhoneScript, type Trunk } from './place-model.ts';
import type { Records } from './records/records.ts';
import { taken, writeRecords } from './records/write-records.ts';

/** The domain and digest realm of the place's own phones. */
export const HOME_DOMAIN = 'home.tandem';
const PHONES_LIST = 'Phones of this place';
const PASSWORD_BYTES = 9;
const LOOP_SECRET_BYTES = 16;
const MAX_TRUNKS = 100;
const MAX_TRUNK_CALLS = 10_000;

export interface NewPhone {
  readonly name: string;
  readonly password?: string | undefined;
  readonly number?: string | undefined;
  /** The server itself answers for this phone, by these steps; whoever calls has read them. */
  readonly script?: PhoneScript | undefined;
}

export interface NewTrunk {
  readonly name: string;
  readonly uri: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly register?: boolean | undefined;
  readonly prefixes?: readonly string[] | undefined;
  readonly maxCalls?: number | undefined;
}

export interface PlaceOptions {
  readonly records: Records;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

/** The place's own phones and trunks, and the SIP domain at which its phones register. */
export class Place {
  readonly #options: PlaceOptions;
  readonly account: Account;
  readonly #domain: SipDomain;
  readonly #list: CredentialList;

  private constructor(options: PlaceOptions, account: Account, domain: SipDomain, list: CredentialList) {
    this.#options = options;
    this.account = account;
    this.#domain = domain;
    this.#list = list;
  }

  /** Finds the home domain of the account, or makes it with its credential list. */
  static async open(options: PlaceOptions, account: Account): Promise<Place> {
    const { records } = options;
    const domain =
      (await records.domains.findByName(HOME_DOMAIN)) ?? (await records.domains.create(homeDomain(account)));
    const scope = { accountSid: account.sid, domainSid: domain.sid, kind: 'registrations' } as const;
    const [mapped] = (await records.mappings.list(scope, { size: 1 })).records;
    const known =
      mapped === undefined ? undefined : await records.credentialLists.find(account.sid, mapped.credentialListSid);
    const list = known ?? (await Place.#makeList(options, account, domain));
    return new Place(options, account, domain, list);
  }

  static async #makeList({ records }: PlaceOptions, account: Account, domain: SipDomain): Promise<CredentialList> {
    const list = await records.credentialLists.create({ accountSid: account.sid, friendlyName: PHONES_LIST });
    await records.mappings.create(domain, list, 'registrations');
    await records.mappings.create(domain, list, 'calls');
    return list;
  }

  /** Lets a phone register. The password is in the answer, here only. */
  async addPhone(wanted: NewPhone): Promise<{ readonly phone: Phone; readonly password: string }> {
    const { records, store, clock, random } = this.#options;
    if (!/^[A-Za-z0-9._+-]{1,64}$/.test(wanted.name)) {
      throw bad(`name: got ${quoted(wanted.name)}; want 1 to 64 of letters, digits and . _ + -`);
    }
    const number = wanted.number === undefined ? null : parseNumber(wanted.number);
    if (number === undefined) throw bad(`number: got ${quoted(wanted.number ?? '')}; want E.164, e.g. +12025550123`);
    if (number !== null && (await records.numbers.findByNumber(number)) !== undefined) {
      throw bad(
        `number: ${number} leads to an application already; a number rings a phone or an application, not both`,
      );
    }
    const password = wanted.password ?? Buffer.from(random.bytes(PASSWORD_BYTES)).toString('base64url');
    const credential = records.credentials.build({
      accountSid: this.account.sid,
      credentialListSid: this.#list.sid,
      username: wanted.name,
      password,
    });
    const phone: Phone = {
      name: wanted.name,
      accountSid: this.account.sid,
      number,
      credentialSid: credential.sid,
      script: wanted.script ?? null,
      scriptPassword: wanted.script === undefined ? null : password,
      dateCreated: Math.floor(clock.now()),
    };
    const statements = [records.credentials.insertStatement(credential), records.phones.insertStatement(phone)];
    await writeRecords(
      store,
      statements,
      taken(
        `a phone named ${wanted.name}${number === null ? '' : `, or one with ${number},`} exists already; for a new password remove it and add it again`,
      ),
    );
    return { phone, password };
  }

  async removePhone(name: string): Promise<void> {
    const { records, store } = this.#options;
    const phone = await records.phones.byName(name);
    if (phone === undefined) throw unknown('phone', name);
    // One write: a password without its phone could go on calling.
    await writeRecords(store, [
      records.phones.deleteStatement(name),
      records.credentials.deleteStatement(phone.accountSid, phone.credentialSid),
    ]);
    records.digests.forget();
  }

  async addTrunk(wanted: NewTrunk): Promise<Trunk> {
    const { records, store, clock, random } = this.#options;
    if (!/^[A-Za-z0-9._+-]{1,64}$/.test(wanted.name)) {
      throw bad(`name: got ${quoted(wanted.name)}; want 1 to 64 of letters, digits and . _ + -`);
    }
    const uri = parseSipUri(wanted.uri);
    if (uri === undefined || uri.scheme === 'tel' || uri.host === '') {
      throw bad(`address: got ${quoted(wanted.uri)}; want e.g. sip:gateway.example:5060`);
    }
    const prefixes = wanted.prefixes ?? [];
    const wrong = prefixes.find((prefix) => !/^\+?\d*$/.test(prefix));
    if (wrong !== undefined) throw bad(`prefix: got ${quoted(wrong)}; want digits, with + for E.164, e.g. +44`);
    const maxCalls = wanted.maxCalls ?? DEFAULT_TRUNK_CALLS;
    if (!Number.isInteger(maxCalls) || maxCalls < 1 || maxCalls > MAX_TRUNK_CALLS) {
      throw bad(`max calls: got ${maxCalls}; want a whole number from 1 to ${MAX_TRUNK_CALLS}`);
    }
    if ((await records.trunks.list()).length >= MAX_TRUNKS) throw bad(`there are ${MAX_TRUNKS} trunks already`);
    const trunk: Trunk = {
      sid: newSid('TK', random),
      accountSid: this.account.sid,
      name: wanted.name,
      uri: wanted.uri,
      username: wanted.username ?? null,
      password: wanted.password ?? null,
      register: wanted.register ?? false,
      prefixes,
      maxCalls,
      dateCreated: Math.floor(clock.now()),
    };
    await writeRecords(
      store,
      [records.trunks.insertStatement(trunk)],
      taken(`a trunk named ${wanted.name} exists already`),
    );
    return trunk;
  }

  async removeTrunk(name: string): Promise<void> {
    const { records, store } = this.#options;
    if ((await records.trunks.byName(name)) === undefined) throw unknown('trunk', name);
    await writeRecords(store, [records.trunks.deleteStatement(name)]);
  }

  get domain(): SipDomain {
    return this.#domain;
  }

  /** A secret that proves to this process that a call is its own. */
  loopSecret(): string {
    return randomHex(this.#options.random, LOOP_SECRET_BYTES);
  }
}

function homeDomain(account: Account): Parameters<Records['domains']['create']>[0] {
  return {
    accountSid: account.sid,
    friendlyName: 'This place',
    domainName: HOME_DOMAIN,
    voiceUrl: null,
    voiceMethod: 'POST',
    voiceFallbackUrl: null,
    voiceFallbackMethod: 'POST',
    statusCallback: null,
    statusCallbackMethod: 'POST',
    sipRegistration: true,
    emergencyCallingEnabled: false,
    secure: false,
    byocTrunkSid: null,
    emergencyCallerSid: null,
  };
}

function bad(message: string): CommsError {
  return new CommsError('refused', message, { faultCode: 20_001, httpStatus: 400 });
}

function unknown(kind: string, name: string): CommsError {
  return new CommsError('not-found', `there is no ${kind} named ${quoted(name)}`, {
    faultCode: 20_404,
    httpStatus: 404,
  });
}
