import type { PagePosition, PageRequest, RecordPage } from '../comms/records/page.ts';
import { badParameter } from './api-error.ts';
import type { Parameters } from './parameters.ts';

const DEFAULT_PAGE_SIZE = 50;
export const MAX_PAGE_SIZE = 1000;
/** Clients that count pages without a token may go this far. */
const MAX_OFFSET = 1_000_000;
const PAGE_FIELDS: ReadonlySet<string> = new Set(['Page', 'PageSize', 'PageToken']);

export interface RequestedPage extends PageRequest {
  /** Counts from 0. */
  readonly number: number;
}

/**
 * Throws ApiError 20007 for a bad size, 21481 for a bad token. A size above the largest takes the largest: the SDK asks
 * for its `limit` as page size, however large, and goes on from page to page.
 */
export function parsePage(query: Parameters): RequestedPage {
  const size = query.integer('PageSize', { low: 1, high: Number.MAX_SAFE_INTEGER, code: 20007 }) ?? DEFAULT_PAGE_SIZE;
  const number = query.integer('Page', { low: 0, high: MAX_OFFSET, code: 20007 }) ?? 0;
  const token = query.filled('PageToken');
  const limited = Math.min(size, MAX_PAGE_SIZE);
  if (token !== undefined) return { size: limited, number, position: parseToken(token) };
  return { size: limited, number, offset: Math.min(number * limited, MAX_OFFSET) };
}

export interface Paged {
  readonly sid: string;
  readonly dateCreated: number;
}

/** The envelope of a list. `path` has no suffix; the filters of the query stay in all links. */
export function pageEnvelope(
  path: string,
  query: Parameters,
  requested: RequestedPage,
  page: RecordPage<Paged>,
): Readonly<Record<string, unknown>> {
  const { number, size } = requested;
  const link = (pageNumber: number, token?: string): string => {
    const fields = new URLSearchParams();
    for (const name of query.names()) if (!PAGE_FIELDS.has(name)) fields.set(name, query.text(name) ?? '');
    fields.set('PageSize', String(size));
    fields.set('Page', String(pageNumber));
    if (token !== undefined) fields.set('PageToken', token);
    return `${path}.json?${fields.toString()}`;
  };
  const [first, last] = [page.records[0], page.records.at(-1)];
  const start = number * size;
  return {
    page: number,
    page_size: size,
    start,
    end: Math.max(start, start + page.records.length - 1),
    uri: link(number, query.filled('PageToken')),
    first_page_uri: link(0),
    next_page_uri: page.hasNext && last !== undefined ? link(number + 1, formatToken('after', last)) : null,
    previous_page_uri:
      page.hasPrevious && first !== undefined && number > 0 ? link(number - 1, formatToken('before', first)) : null,
  };
}

/** `PA` (after) or `PB` (before), the sid of the record, its time in base 36. */
function formatToken(side: PagePosition['side'], record: Paged): string {
  return `${side === 'after' ? 'PA' : 'PB'}${record.sid}${record.dateCreated.toString(36)}`;
}

function parseToken(token: string): PagePosition {
  const match = /^P([AB])([A-Z]{2}[0-9a-f]{32})([0-9a-z]{1,10})$/.exec(token);
  const [, side, key, date] = match ?? [];
  if (side === undefined || key === undefined || date === undefined) {
    throw badParameter(21481, 'PageToken is not valid: take it from next_page_uri or previous_page_uri');
  }
  return { side: side === 'A' ? 'after' : 'before', key, dateCreated: Number.parseInt(date, 36) };
}
