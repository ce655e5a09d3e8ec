import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { CallCommands } from '../comms/call-commands.ts';
import type { Account } from '../comms/model.ts';
import type { RecordPage } from '../comms/records/page.ts';
import type { KeptSounds } from '../comms/records/recordings.ts';
import type { Records } from '../comms/records/records.ts';
import type { Caller } from './authentication.ts';
import { pageEnvelope, parsePage, type Paged, type RequestedPage } from './page-links.ts';
import type { Parameters } from './parameters.ts';

export const API_VERSION = '2010-04-01';

/** Files of recordings, by blob id. */
export interface RecordingSounds extends KeptSounds {
  path(blobId: string): string | undefined;
}

/** What the resources stand on. */
export interface ResourceContext {
  readonly records: Records;
  readonly calls: CallCommands;
  readonly sounds: RecordingSounds;
  readonly clock: Clock;
  readonly logger: Logger;
  /** `http://host:port` without a slash at its end; asked for each link, since port 0 is known only after listening. */
  publicUrl(): string;
}

/** A request of somebody who may make it. */
export interface ResourceRequest {
  readonly caller: Caller;
  /** The account in the path: the caller's or a sub-account of it. */
  readonly account: Account;
  /** The path without suffix. */
  readonly path: string;
  /** Sids in the path. */
  readonly ids: Readonly<Record<string, string>>;
  readonly query: Parameters;
  readonly form: Parameters;
}

export interface Answer {
  readonly status: 200 | 201 | 204;
  readonly body?: Readonly<Record<string, unknown>>;
}

export type Handler = (request: ResourceRequest) => Promise<Answer>;

/** One path with its methods; the others are answered with 405. */
export interface Resource {
  /** Below `/2010-04-01`, without suffix: `/Accounts/:AccountSid/Calls/:Sid`. */
  readonly path: string;
  readonly get?: Handler;
  readonly post?: Handler;
  readonly delete?: Handler;
  /** Account management, which API keys may not do. */
  readonly ownerOnly?: boolean;
  /** Works for sub-accounts that are not active, too. */
  readonly anyStatus?: boolean;
}

export type Json = Readonly<Record<string, unknown>>;

export const ok = (body: Json): Answer => ({ status: 200, body });
export const created = (body: Json): Answer => ({ status: 201, body });
export const deleted: Answer = { status: 204 };

export interface ListOptions<T> {
  /** Name of the array in the envelope. */
  readonly name: string;
  fetch(page: RequestedPage): Promise<RecordPage<T>>;
  present(record: T): Json;
  /** Where a record's paging key is not `sid`. */
  readonly sidOf?: (record: T) => string;
}

/** One page of a list, in its envelope. */
export async function listAnswer<T extends { readonly dateCreated: number; readonly sid?: string }>(
  request: ResourceRequest,
  options: ListOptions<T>,
): Promise<Answer> {
  const requested = parsePage(request.query);
  const page = await options.fetch(requested);
  const sidOf = options.sidOf ?? ((record: T) => record.sid ?? '');
  const paged: RecordPage<Paged> = {
    ...page,
    records: page.records.map((record) => ({ sid: sidOf(record), dateCreated: record.dateCreated })),
  };
  return ok({
    [options.name]: page.records.map((record) => options.present(record)),
    ...pageEnvelope(request.path, request.query, requested, paged),
  });
}

/** Relative path of a resource, as `uri` shows it. */
export function uriOf(account: { readonly sid: string } | string, ...parts: readonly string[]): string {
  const sid = typeof account === 'string' ? account : account.sid;
  return `/${API_VERSION}/Accounts/${[sid, ...parts].join('/')}.json`;
}
