import { quoted } from '../../base/parsed.ts';
import type { TwimlElement, TwimlProblem } from './document.ts';

/** What an attribute may hold. The value that comes out is in the normal form named beside each kind. */
export type ValueRule =
  | { readonly kind: 'text'; readonly maxChars: number }
  /** As written, without white space at the ends; relative or absolute, not looked at further. */
  | { readonly kind: 'url' }
  /** `GET` or `POST`. */
  | { readonly kind: 'method' }
  /** `true` or `false`. */
  | { readonly kind: 'boolean' }
  /** Decimal digits. */
  | { readonly kind: 'integer'; readonly min: number; readonly max: number }
  /** One of `values`; `aliases` maps other spellings to them. */
  | { readonly kind: 'choice'; readonly values: readonly string[]; readonly aliases?: Readonly<Record<string, string>> }
  /** Words of `values`, one blank between them. */
  | { readonly kind: 'words'; readonly values: readonly string[] }
  | { readonly kind: 'pattern'; readonly pattern: RegExp; readonly wanted: string };

/** An attribute with the number that a bad value is reported under. */
export interface AttributeRule {
  readonly value: ValueRule;
  readonly code: number;
}

export type AttributeRules = Readonly<Record<string, AttributeRule>>;

const SCHEMA = 12200;

/**
 * The valid attributes of an element, in normal form. Unknown names (12200) and bad values (the attribute's code) are
 * added to `problems` as warnings and left out, so that the default holds.
 */
export function readAttributes(
  element: TwimlElement,
  rules: AttributeRules,
  problems: TwimlProblem[],
): Readonly<Record<string, string>> {
  const valid: Record<string, string> = {};
  for (const [name, raw] of Object.entries(element.attributes)) {
    // Namespace declarations and xml:lang on any element say nothing to the flow.
    if (name.startsWith('xml')) continue;
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined) {
      const message = `attribute ${quoted(name)} of ${element.name} is not known and is left out`;
      problems.push({ code: SCHEMA, level: 'warning', message, line: element.line });
      continue;
    }
    const read = readValue(raw, rule.value);
    if (read.kind === 'ok') valid[name] = read.value;
    else {
      const message = `${name} of ${element.name}: got ${quoted(raw)}, want ${read.wanted}; the default is used`;
      problems.push({ code: rule.code, level: 'warning', message, line: element.line });
    }
  }
  return valid;
}

type ReadValue = { readonly kind: 'ok'; readonly value: string } | { readonly kind: 'bad'; readonly wanted: string };

function readValue(raw: string, rule: ValueRule): ReadValue {
  const text = raw.trim();
  switch (rule.kind) {
    case 'text':
      return text.length <= rule.maxChars ? ok(text) : bad(`at most ${rule.maxChars} characters`);
    case 'url':
      return ok(text);
    case 'method':
      return /^(get|post)$/i.test(text) ? ok(text.toUpperCase()) : bad('GET or POST');
    case 'boolean':
      return /^(true|false)$/i.test(text) ? ok(text.toLowerCase()) : bad('true or false');
    case 'integer':
      return readInteger(text, rule.min, rule.max);
    case 'choice':
      return readChoice(text, rule.values, rule.aliases ?? {});
    case 'words':
      return readWords(text, rule.values);
    case 'pattern':
      return rule.pattern.test(text) ? ok(text) : bad(rule.wanted);
  }
}

function readInteger(text: string, min: number, max: number): ReadValue {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  return value >= min && value <= max ? ok(String(value)) : bad(`a whole number from ${min} to ${max}`);
}

function readChoice(text: string, values: readonly string[], aliases: Readonly<Record<string, string>>): ReadValue {
  const lower = text.toLowerCase();
  const alias = Object.hasOwn(aliases, lower) ? aliases[lower] : undefined;
  const found = alias ?? values.find((value) => value.toLowerCase() === lower);
  return found === undefined ? bad(`one of ${values.join(', ')}`) : ok(found);
}

function readWords(text: string, values: readonly string[]): ReadValue {
  const words = text
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((word) => word !== '');
  return words.every((word) => values.includes(word)) ? ok(words.join(' ')) : bad(`words of ${values.join(', ')}`);
}

const ok = (value: string): ReadValue => ({ kind: 'ok', value });
const bad = (wanted: string): ReadValue => ({ kind: 'bad', wanted });
