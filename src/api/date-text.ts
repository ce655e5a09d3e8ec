import { quoted } from '../base/parsed.ts';
import type { Condition } from '../comms/records/record-table.ts';
import { badParameter } from './api-error.ts';
import type { Parameters } from './parameters.ts';

const DAY_MS = 86_400_000;
const SECOND_MS = 1000;

/** RFC 2822 in UTC, as `Tue, 31 Aug 2010 20:36:28 +0000`; null stays null, since the SDK takes a missing date for now. */
export function dateText(timeMs: number | null): string | null {
  return timeMs === null ? null : new Date(timeMs).toUTCString().replace('GMT', '+0000');
}

/**
 * Filters `Name`, `Name<` and `Name>` (so that `Name<=value` reads as the query's `key=value`): on that day in UTC; not
 * after, not before that time. Values are `YYYY-MM-DD` or ISO 8601 times; records are compared in whole seconds, as shown.
 */
export function dateConditions<T>(query: Parameters, name: string, field: keyof T & string): Condition<T>[] {
  const conditions: Condition<T>[] = [];
  const [on, before, after] = ['', '<', '>'].map((comparison) => parseDate(query, `${name}${comparison}`));
  if (on !== undefined) {
    const day = Math.floor(on / DAY_MS) * DAY_MS;
    conditions.push([field, '>=', day], [field, '<', day + DAY_MS]);
  }
  if (before !== undefined) conditions.push([field, '<', before + SECOND_MS]);
  if (after !== undefined) conditions.push([field, '>=', after]);
  return conditions;
}

function parseDate(query: Parameters, name: string): number | undefined {
  const value = query.filled(name);
  if (value === undefined) return undefined;
  const form = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+ -]\d{2}:?\d{2})?)?$/;
  const time = form.test(value) ? Date.parse(isoForm(value)) : Number.NaN;
  if (Number.isNaN(time))
    throw badParameter(20001, `${name} ${quoted(value)}: want YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ`);
  return Math.floor(time / SECOND_MS) * SECOND_MS;
}

/** Without a zone it is UTC; a `+` that was not percent-encoded arrives as a blank. */
function isoForm(value: string): string {
  const text = value.replace(/^(\S{10}) /, '$1T').replace(/ (\d{2}:?\d{2})$/, '+$1');
  return /T.*(?:Z|[+-]\d{2}:?\d{2})$/.test(text) || text.length === 10 ? text : `${text}Z`;
}
