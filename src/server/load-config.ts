import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import Value from 'typebox/value';
import { errorText, TandemError } from '../base/errors.ts';
import { quoted } from '../base/parsed.ts';
import { CONFIG_DEFAULTS, ConfigSchema, type Config } from './config.ts';

const MAX_CONFIG_BYTES = 1_048_576;
const ENVIRONMENT_PREFIX = 'TANDEM_';

/** A configuration key, option or value that cannot be used; the message names it and what is wanted. */
export class ConfigError extends TandemError<'bad-config'> {
  constructor(message: string, options?: { cause?: unknown }) {
    super('bad-config', message, options);
  }
}

export interface ConfigSources {
  /** Flags by configuration key; undefined ones are not given. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `--config FILE`; else `tandem.json` in the data folder, when there is one. */
  readonly file?: string | undefined;
}

/** File, then `TANDEM_...`, then flags: the later one wins. The result is checked whole. */
export async function loadConfig(sources: ConfigSources): Promise<Config> {
  const environment = fromEnvironment(sources.environment);
  const given = Object.fromEntries(Object.entries(sources.flags).filter(([, value]) => value !== undefined));
  const named = given['data'] ?? environment['data'];
  const data = typeof named === 'string' ? named : join(homedir(), '.tandem');
  const file = await fromFile(sources.file ?? join(data, 'tandem.json'), sources.file !== undefined);
  const merged = { ...CONFIG_DEFAULTS, data, ...file, ...environment, ...given };
  return check(merged);
}

function check(merged: object): Config {
  if (Value.Check(ConfigSchema, merged)) return merged;
  const errors = Value.Errors(ConfigSchema, merged) as readonly SchemaError[];
  // An unknown key is reported twice, first as a value that no schema allows.
  const first = errors.find((error) => error.keyword !== 'boolean');
  const choices = errors.filter((error) => error.keyword === 'const' && error.instancePath === first?.instancePath);
  throw new ConfigError(describe(first, merged, choices));
}

interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: { readonly additionalProperties?: readonly string[]; readonly allowedValue?: unknown };
}

function describe(error: SchemaError | undefined, merged: object, choices: readonly SchemaError[]): string {
  if (error === undefined) return 'the configuration cannot be used';
  const path = error.instancePath.split('/').filter((part) => part !== '');
  const where = path.length === 0 ? 'the configuration' : path.join('.');
  const value = path.reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], merged);
  const extra = error.params.additionalProperties;
  if (error.keyword === 'additionalProperties' && extra !== undefined) {
    return `${where}: ${extra.map((key) => quoted(key)).join(', ')} is not a known key; known keys: ${knownKeys(path).join(', ')}`;
  }
  // Passwords and tokens stand at paths of their own; their values are never repeated.
  const shown = /(password|token)$/i.test(where) ? 'its value' : quoted(JSON.stringify(value) ?? 'nothing');
  const wanted = choices.map((choice) => JSON.stringify(choice.params.allowedValue)).join(' or ');
  return `${where}: got ${shown}; it must be ${wanted === '' ? error.message.replace(/^must (be )?/, '') : wanted}`;
}

interface SchemaNode {
  readonly properties?: Record<string, SchemaNode>;
  readonly items?: SchemaNode;
}

function knownKeys(path: readonly string[]): readonly string[] {
  let at: SchemaNode | undefined = ConfigSchema as SchemaNode;
  for (const part of path) at = /^\d+$/.test(part) ? at?.items : at?.properties?.[part];
  return Object.keys(at?.properties ?? {});
}

async function fromFile(path: string, mustExist: boolean): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (!mustExist && (error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new ConfigError(`the configuration file ${path} cannot be read: ${errorText(error)}`, { cause: error });
  }
  if (text.length > MAX_CONFIG_BYTES) throw new ConfigError(`${path}: want at most ${MAX_CONFIG_BYTES} bytes`);
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  } catch (error) {
    throw new ConfigError(`${path} is not JSON: ${errorText(error)}`, { cause: error });
  }
  throw new ConfigError(`${path}: want one JSON object, e.g. {"http": "127.0.0.1:3600"}`);
}

/** `TANDEM_CALLS_PER_SECOND=5` is `callsPerSecond: 5`. Lists and objects are written as JSON. */
function fromEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, unknown> {
  const known = new Set(Object.keys(ConfigSchema.properties));
  const result: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(ENVIRONMENT_PREFIX) || text === undefined || RESERVED.has(name)) continue;
    const key = name
      .slice(ENVIRONMENT_PREFIX.length)
      .toLowerCase()
      .replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (!known.has(key)) {
      throw new ConfigError(`the environment variable ${name} is not known; known keys: ${[...known].join(', ')}`);
    }
    result[key] = parseValue(key, text);
  }
  return result;
}

// Read elsewhere: how commands find a running server, and the key under which secrets are kept.
const RESERVED = new Set(['TANDEM_URL', 'TANDEM_TOKEN', 'TANDEM_MASTER_KEY']);

function parseValue(key: string, text: string): unknown {
  const schema = ConfigSchema.properties[key as keyof Config] as { type?: string };
  if (schema.type === 'string' || schema.type === undefined) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
