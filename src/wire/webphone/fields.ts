/** Reading of untrusted JSON values: each gives the value in its wanted form, or undefined. */

export type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** The text under `key` of at most `maxChars`; undefined for anything else. */
export function textOf(fields: Fields, key: string, maxChars: number): string | undefined {
  const value = fields[key];
  return typeof value === 'string' && value.length <= maxChars ? value : undefined;
}

/** A finite number in [low, high]. */
export function numberOf(fields: Fields, key: string, low: number, high: number): number | undefined {
  const value = fields[key];
  return typeof value === 'number' && value >= low && value <= high ? value : undefined;
}
