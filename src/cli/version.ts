import { readFileSync } from 'node:fs';

/** As package.json says; it lies two folders above in the clone and in the package. */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
