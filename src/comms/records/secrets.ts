import { createCipheriv, createDecipheriv } from 'node:crypto';
import { TandemError } from '../../base/errors.ts';
import type { Random } from '../../base/random.ts';

/** AES-256. */
export const MASTER_KEY_BYTES = 32;
// NIST SP 800-38D 5.2.1.1: 96-bit nonces, 128-bit tags.
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FORMAT = 'v1.';

/**
 * - `bad-master-key`: the key (or its file) is malformed, or others may read it.
 * - `wrong-key`: a stored secret does not open: another master key sealed it, or it was altered.
 */
export class SecretsError extends TandemError<'bad-master-key' | 'wrong-key'> {}

/** Keeps secrets unreadable at rest. `purpose` (a table and column) binds a sealed text to its place. */
export interface Secrets {
  /** Printable text; another one each time. */
  seal(clear: string, purpose: string): string;
  /** Throws SecretsError `wrong-key`. */
  open(sealed: string, purpose: string): string;
}

/** AES-256-GCM under the master key. Throws SecretsError `bad-master-key` unless the key has 32 bytes. */
export function openSecrets(masterKey: Uint8Array, random: Random): Secrets {
  if (masterKey.length !== MASTER_KEY_BYTES) {
    throw new SecretsError('bad-master-key', `master key of ${masterKey.length} bytes: want ${MASTER_KEY_BYTES}`);
  }
  const key = Uint8Array.from(masterKey);
  return {
    seal(clear, purpose) {
      const nonce = random.bytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(purpose));
      const body = Buffer.concat([nonce, cipher.update(clear, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `${FORMAT}${body.toString('base64url')}`;
    },
    open(sealed, purpose) {
      try {
        return openBody(key, sealed, purpose);
      } catch (error) {
        const text = `the secret in ${purpose} does not open: put back the master key that this data was written with`;
        throw new SecretsError('wrong-key', text, { cause: error });
      }
    },
  };
}

function openBody(key: Uint8Array, sealed: string, purpose: string): string {
  if (!sealed.startsWith(FORMAT)) throw new Error('unknown format');
  const body = Buffer.from(sealed.slice(FORMAT.length), 'base64url');
  const options = { authTagLength: TAG_BYTES };
  const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, NONCE_BYTES), options)
    .setAAD(Buffer.from(purpose))
    .setAuthTag(body.subarray(-TAG_BYTES));
  return decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
}
