import type { AccountSid, Sid } from '../base/sid.ts';

// What a place has beside the REST API's resources: its own phones and its lines to other exchanges.

/** A phone that registers by name at the place's own domain. Its password is a SIP credential of that domain. */
export interface Phone {
  readonly name: string;
  readonly accountSid: AccountSid;
  /** E.164 number that rings it, besides its name. */
  readonly number: string | null;
  readonly credentialSid: Sid<'CR'>;
  /** What the server itself does at this phone; null: a device registers. */
  readonly script: PhoneScript | null;
  /** Of a scripted phone, with which the server registers it: in the clear inside the process, encrypted in the store. */
  readonly scriptPassword: string | null;
  readonly dateCreated: number;
}

/** Steps of a scripted phone, as they were written. */
export interface PhoneScript {
  /** What its lines are named after. */
  readonly name: string;
  readonly text: string;
}

/** A line to another exchange (a provider, a gateway, another PBX). */
export interface Trunk {
  readonly sid: Sid<'TK'>;
  readonly accountSid: AccountSid;
  readonly name: string;
  /** Where calls go: `sip:host[:port][;transport=udp|tcp]`. */
  readonly uri: string;
  readonly username: string | null;
  /** In the clear inside the process; encrypted in the store. */
  readonly password: string | null;
  /** Keep a registration there, so that calls come in without a fixed address. */
  readonly register: boolean;
  /** E.164 prefixes that may go out here; the longest one over all trunks wins. Empty: nothing goes out. */
  readonly prefixes: readonly string[];
  /** Calls at once, in and out together. */
  readonly maxCalls: number;
  readonly dateCreated: number;
}

/** A trunk carries this many calls at once unless the operator says otherwise: a stolen password stays cheap. */
export const DEFAULT_TRUNK_CALLS = 10;
