import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { errorText } from '../base/errors.ts';
import type { PhoneScript } from '../comms/place-model.ts';
import { parseResidentScript } from '../scripted-phone/resident-script.ts';
import type { Config } from './config.ts';
import { ConfigError } from './load-config.ts';

type Declared = Config['phones'][number];

/** The script of a declared phone, read and checked; undefined when it has none. */
export async function declaredScript({ name, script }: Declared): Promise<PhoneScript | undefined> {
  if (script === undefined) return undefined;
  const read =
    typeof script === 'string'
      ? { name: basename(script), text: await textOf(name, script) }
      : { name, text: script.join('\n') };
  try {
    parseResidentScript(read);
  } catch (error) {
    throw new ConfigError(`phones: the script of ${name}: ${errorText(error)}`, { cause: error });
  }
  return read;
}

async function textOf(name: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`phones: the script of ${name} cannot be read: ${errorText(error)}`, { cause: error });
  }
}
