import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { Fingerprint } from '../wire/sdp/ice-dtls.ts';

/** A key pair and a certificate for it that nobody but its fingerprint vouches for (RFC 5763 5). */
export interface DtlsCertificate {
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly fingerprint: Fingerprint;
}

const DAY_MS = 86_400_000;
/** Nobody looks at the dates; a certificate serves one connection. */
const VALID_DAYS = 30;

/** ECDSA with P-256 and SHA-256, which every browser takes (RFC 8827 6.5). */
export function makeDtlsCertificate(nowMs: number): DtlsCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(set(sequence(oid(COMMON_NAME), der(UTF8_STRING, Buffer.from('tandem')))));
  const dates = sequence(utcTime(nowMs - DAY_MS), utcTime(nowMs + VALID_DAYS * DAY_MS));
  const subjectKey = publicKey.export({ format: 'der', type: 'spki' });
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  const serial = createHash('sha256').update(subjectKey).digest().subarray(0, SERIAL_BYTES);
  // RFC 5280 4.1: version 3, serial, signature, issuer, validity, subject, subjectPublicKeyInfo.
  const body = sequence(version3(), positive(serial), algorithm, name, dates, name, subjectKey);
  const signature = sign('sha256', body, privateKey);
  const certificate = sequence(body, algorithm, der(BIT_STRING, Buffer.concat([NO_UNUSED_BITS, signature])));
  return {
    certificatePem: pem(certificate),
    keyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }),
    fingerprint: { algorithm: 'sha-256', value: hashText(certificate) },
  };
}

function hashText(certificate: Buffer): string {
  const hash = createHash('sha256').update(certificate).digest('hex').toUpperCase();
  return (hash.match(/../g) ?? []).join(':');
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

// The few forms of DER (X.690) that a certificate is made of.
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const SEQUENCE = 0x30;
const SET = 0x31;
const EXPLICIT_0 = 0xa0;

const NO_UNUSED_BITS = Buffer.of(0);
const SERIAL_BYTES = 16;
/** 2.5.4.3 */
const COMMON_NAME = [0x55, 0x04, 0x03];
/** 1.2.840.10045.4.3.2 */
const ECDSA_WITH_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const LONG_LENGTH = 0x80;

function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  if (length < LONG_LENGTH) return Buffer.concat([Buffer.of(tag, length), content]);
  const bytes = length < 0x100 ? [length] : [length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, LONG_LENGTH | bytes.length, ...bytes), content]);
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return der(SEQUENCE, Buffer.concat(parts));
}

function set(part: Uint8Array): Buffer {
  return der(SET, part);
}

function oid(bytes: readonly number[]): Buffer {
  return der(OBJECT_IDENTIFIER, Buffer.from(bytes));
}

function version3(): Buffer {
  return der(EXPLICIT_0, der(INTEGER, Buffer.of(2)));
}

/** The first bit is the sign. */
function positive(bytes: Uint8Array): Buffer {
  const copy = Buffer.from(bytes);
  copy[0] = ((copy[0] ?? 0) & 0x7f) | 0x40;
  return der(INTEGER, copy);
}

/** YYMMDDHHMMSSZ, before 2050 (RFC 5280 4.1.2.5.1). */
function utcTime(timeMs: number): Buffer {
  const digits = new Date(timeMs).toISOString().replaceAll(/[-:T]/g, '');
  return der(UTC_TIME, Buffer.from(`${digits.slice(2, 14)}Z`));
}
