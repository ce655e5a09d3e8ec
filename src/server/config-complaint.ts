import Value from 'typebox/value';
import { quoted } from '../base/parsed.ts';
import { ConfigSchema } from './config.ts';
import { nearestKey } from './nearest-key.ts';

/** Values at these keys are never repeated: they are secrets, or hold one. */
const SECRET_KEY = /(password|token|postgresql)$/i;

interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: {
    readonly additionalProperties?: readonly string[];
    readonly allowedValue?: unknown;
    readonly type?: unknown;
  };
}

interface SchemaNode {
  readonly properties?: Record<string, SchemaNode>;
  readonly items?: SchemaNode;
}

/** Why a configuration that its schema refuses cannot be used: where, what was got, what is wanted. No secrets. */
export function configComplaint(given: object): string {
  const errors = Value.Errors(ConfigSchema, given) as readonly SchemaError[];
  // An unknown key is reported twice, first as a value that no schema allows.
  const error = errors.find(({ keyword }) => keyword !== 'boolean');
  if (error === undefined) return 'the configuration cannot be used';
  const path = error.instancePath.split('/').slice(1).map(unescaped);
  const where = path.length === 0 ? 'the configuration' : path.join('.');
  const extra = error.params.additionalProperties;
  if (error.keyword === 'additionalProperties' && extra !== undefined) {
    const names = extra.map((key) => quoted(key)).join(', ');
    const known = knownKeys(path);
    const near = nearestKey(extra[0] ?? '', known);
    const meant = near === undefined ? '' : `; did you mean "${near}"?`;
    return `${where}: ${names} is not a known key${meant || `; known keys: ${known.join(', ')}`}`;
  }
  const value = path.reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], given);
  const choices = errors.filter(
    ({ keyword, instancePath }) => keyword === 'const' && instancePath === error.instancePath,
  );
  const wanted = choices.map((choice) => JSON.stringify(choice.params.allowedValue)).join(' or ');
  return `${where}: got ${shown(value, path, error)}; it ${wanted === '' ? error.message : `must be ${wanted}`}`;
}

function shown(value: unknown, path: readonly string[], error: SchemaError): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  // A text where an object or a list belongs may be anything, a password too.
  const isMisplaced = error.params.type === 'object' || error.params.type === 'array';
  if (isMisplaced || SECRET_KEY.test(path.at(-1) ?? '')) return `a ${typeof value}`;
  return typeof value === 'string' ? quoted(value) : String(value);
}

function knownKeys(path: readonly string[]): readonly string[] {
  let at: SchemaNode | undefined = ConfigSchema as SchemaNode;
  for (const part of path) at = /^\d+$/.test(part) ? at?.items : at?.properties?.[part];
  return Object.keys(at?.properties ?? {});
}

/** RFC 6901 section 4. */
function unescaped(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}
