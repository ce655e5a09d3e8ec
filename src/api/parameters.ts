import { quoted } from '../base/parsed.ts';
import type { HttpMethod } from '../comms/model.ts';
import { badParameter } from './api-error.ts';

/** A form or query with more fields is refused. */
export const MAX_FIELDS = 1000;
const MAX_URL_CHARS = 4000;
const DEFAULT_MAX_CHARS = 1600;
const CODE_GENERAL = 20001;

export interface TextRule {
  readonly maxChars?: number;
  readonly code?: number;
}

export interface IntegerRule {
  readonly low: number;
  readonly high: number;
  readonly code?: number;
}

/**
 * The fields of a form or a query, typed as they are asked for. A field that is not there is undefined, or the given
 * default; a value of the wrong form throws ApiError 400 with the field's code.
 */
export class Parameters {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  names(): readonly string[] {
    return [...this.#values.keys()];
  }

  /** The first value of each, whatever its length: to look at. */
  firsts(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#values].map(([name, values]) => [name, values[0] ?? '']));
  }

  /** As sent, also when it is empty; the first one of several. */
  text(name: string, rule: TextRule = {}): string | undefined {
    const value = this.#values.get(name)?.[0];
    const { maxChars = DEFAULT_MAX_CHARS, code = CODE_GENERAL } = rule;
    if (value !== undefined && value.length > maxChars) {
      throw badParameter(code, `${name} has ${value.length} characters: want at most ${maxChars}`);
    }
    return value;
  }

  /** Undefined when it is empty, too. */
  filled(name: string, rule: TextRule = {}): string | undefined {
    const value = this.text(name, rule);
    return value === undefined || value.trim() === '' ? undefined : value;
  }

  required(name: string, rule: TextRule = {}): string {
    const value = this.filled(name, rule);
    if (value === undefined) throw badParameter(rule.code ?? CODE_GENERAL, `${name} is missing: it must be given`);
    return value;
  }

  /** Repeated fields; also several words in one field. */
  words(name: string): readonly string[] | undefined {
    return this.#values.get(name)?.flatMap((value) => value.split(/[\s,]+/).filter((word) => word !== ''));
  }

  /** An absolute http or https URL; null when it is empty, which takes away what was set. */
  url(name: string, code: number): string | null | undefined {
    const value = this.text(name, { maxChars: MAX_URL_CHARS, code });
    if (value === undefined) return undefined;
    if (value.trim() === '') return null;
    if (!isWebUrl(value)) {
      throw badParameter(code, `${name} ${quoted(value)}: want an absolute http or https URL`);
    }
    return value;
  }

  method(name: string, code: number): HttpMethod | undefined {
    return this.oneOf(name, ['GET', 'POST'] as const, code);
  }

  oneOf<const V extends string>(name: string, allowed: readonly V[], code = CODE_GENERAL): V | undefined {
    const value = this.filled(name);
    if (value === undefined) return undefined;
    const found = allowed.find((each) => each.toLowerCase() === value.trim().toLowerCase());
    if (found === undefined) throw badParameter(code, `${name} ${quoted(value)}: want one of ${allowed.join(', ')}`);
    return found;
  }

  flag(name: string, code = CODE_GENERAL): boolean | undefined {
    const value = this.oneOf(name, ['true', 'false'] as const, code);
    return value === undefined ? undefined : value === 'true';
  }

  integer(name: string, rule: IntegerRule): number | undefined {
    const value = this.filled(name);
    if (value === undefined) return undefined;
    const number = /^-?\d{1,12}$/.test(value.trim()) ? Number(value) : Number.NaN;
    if (!(number >= rule.low && number <= rule.high)) {
      const wanted = `want a whole number from ${rule.low} to ${rule.high}`;
      throw badParameter(rule.code ?? CODE_GENERAL, `${name} ${quoted(value)}: ${wanted}`);
    }
    return number;
  }
}

/** Reads `application/x-www-form-urlencoded` text. Throws ApiError 400 when it is malformed. */
export function parseParameters(encoded: string): Parameters {
  const values = new Map<string, string[]>();
  const fields = encoded === '' ? [] : encoded.split('&', MAX_FIELDS + 1);
  if (fields.length > MAX_FIELDS) throw badParameter(CODE_GENERAL, `More than ${MAX_FIELDS} fields were sent`);
  for (const field of fields) {
    if (field === '') continue;
    const equals = field.indexOf('=');
    const name = decode(equals < 0 ? field : field.slice(0, equals));
    const value = equals < 0 ? '' : decode(field.slice(equals + 1));
    const present = values.get(name);
    if (present === undefined) values.set(name, [value]);
    else present.push(value);
  }
  return new Parameters(values);
}

function decode(encoded: string): string {
  let text: string;
  try {
    text = decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    throw badParameter(CODE_GENERAL, `The field ${quoted(encoded)} is not percent-encoded UTF-8`);
  }
  // PostgreSQL stores no U+0000.
  if (text.includes('\0')) throw badParameter(CODE_GENERAL, `The field ${quoted(text)} has a NUL character`);
  return text;
}

function isWebUrl(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '';
}
