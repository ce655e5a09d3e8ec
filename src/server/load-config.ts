import { createReadStream } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import Value from 'typebox/value';
import { errorText, TandemError } from '../base/errors.ts';
import { configComplaint } from './config-complaint.ts';
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

/** Where commands look for the server that are told nothing else. */
export function defaultDataFolder(): string {
  return join(homedir(), '.tandem');
}

/** File, then `TANDEM_...`, then flags: the later one wins. The result is checked whole. */
export async function loadConfig(sources: ConfigSources): Promise<Config> {
  const environment = fromEnvironment(sources.environment);
  const given = Object.fromEntries(Object.entries(sources.flags).filter(([, value]) => value !== undefined));
  const named = given['data'] ?? environment['data'];
  const data = typeof named === 'string' ? named : defaultDataFolder();
  const file = await fromFile(sources.file ?? join(data, 'tandem.json'), sources.file !== undefined);
  const merged = { ...CONFIG_DEFAULTS, data, ...file, ...environment, ...given };
  return check(merged);
}

function check(merged: object): Config {
  if (Value.Check(ConfigSchema, merged)) return merged;
  throw new ConfigError(configComplaint(merged));
}

async function fromFile(path: string, mustExist: boolean): Promise<Record<string, unknown>> {
  const bytes = await read(path).catch((error: unknown) => {
    if (!mustExist && (error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.from('{}');
    const wayOut = mustExist ? '' : `; the data folder is ${dirname(path)}: choose one of your own with --data DIR`;
    throw new ConfigError(`the configuration file ${path} cannot be read: ${errorText(error)}${wayOut}`, {
      cause: error,
    });
  });
  if (bytes.length > MAX_CONFIG_BYTES) throw new ConfigError(`${path}: want at most ${MAX_CONFIG_BYTES} bytes`);
  const parsed = parse(bytes.toString('utf8'), path);
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
    return withScripts({ ...parsed }, dirname(resolve(path)));
  throw new ConfigError(`${path}: want one JSON object, e.g. {"http": "127.0.0.1:3600"}`);
}

/** Paths of scripts are as seen from the file that names them. */
function withScripts(parsed: Record<string, unknown>, folder: string): Record<string, unknown> {
  const { phones } = parsed;
  if (!Array.isArray(phones)) return parsed;
  const resolved = phones.map((phone: unknown) => {
    if (typeof phone !== 'object' || phone === null || !('script' in phone) || typeof phone.script !== 'string')
      return phone;
    return { ...phone, script: resolve(folder, phone.script) };
  });
  return { ...parsed, phones: resolved };
}

/** Reads at most one byte beyond the limit: what is named may be a device without an end. */
async function read(path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path, { end: MAX_CONFIG_BYTES })) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    // The engine quotes the text around the place: a password may stand there.
    const reason = errorText(error).replace(/, (\.\.\.)?".*/s, '');
    throw new ConfigError(`${path} is not JSON: ${reason}`);
  }
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
