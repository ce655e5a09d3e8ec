import { hash } from 'node:crypto';
import type { DigestAlgorithm, DigestHash } from '../../wire/sip/digest.ts';

const NAMES: Readonly<Record<DigestAlgorithm, string>> = {
  MD5: 'md5',
  'SHA-256': 'sha256',
  'SHA-512-256': 'sha512-256',
};

/** The digest codec's hash on this platform's cryptography. */
export const nodeDigestHash: DigestHash = (algorithm, text) => hash(NAMES[algorithm], text, 'hex');
