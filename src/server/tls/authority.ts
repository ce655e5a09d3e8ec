import { randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type * as X509 from '@peculiar/x509';
import type { X509CertificateGenerator } from '@peculiar/x509';
import { nameConstraints } from './name-constraints.ts';

/** A private key and its certificate, both PEM. */
export interface KeyAndCertificate {
  readonly key: string;
  readonly certificate: string;
}

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3650;
/** Browsers refuse certificates of private authorities that live longer than 825 days; short ones are renewed by us anyway. */
export const CERTIFICATE_DAYS = 90;
const CLOCK_SKEW_MS = DAY_MS;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const NAME_CONSTRAINTS = '2.5.29.30';

export interface AuthorityOptions {
  /** Shown in the lists of authorities. */
  readonly commonName: string;
  /** Names and addresses besides the private ones. */
  readonly alsoPermitted: readonly string[];
  readonly nowMs: number;
}

/** Loaded when a certificate is made, not at each start. */
async function library(): Promise<typeof X509> {
  // The library wants it, and leaves it to the program.
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

/** A new authority. Its certificate names the only names for which it counts (RFC 5280 4.2.1.10). */
export async function createAuthority({
  commonName,
  alsoPermitted,
  nowMs,
}: AuthorityOptions): Promise<KeyAndCertificate> {
  const x509 = await library();
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [commonName] }],
    notBefore: new Date(nowMs - CLOCK_SKEW_MS),
    notAfter: new Date(nowMs + AUTHORITY_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      new x509.Extension(NAME_CONSTRAINTS, true, nameConstraints(alsoPermitted)),
    ],
  });
  return { key: await privateKeyPem(keys.privateKey), certificate: certificate.toString('pem') };
}

/** A server certificate for these names and addresses, signed by the authority. */
export async function issueCertificate(
  authority: KeyAndCertificate,
  { names, nowMs }: { readonly names: readonly string[]; readonly nowMs: number },
): Promise<KeyAndCertificate> {
  const x509 = await library();
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const issuer = new x509.X509Certificate(authority.certificate);
  const options: Parameters<typeof X509CertificateGenerator.create>[0] = {
    serialNumber: serialNumber(),
    subject: [{ CN: [names[0] ?? 'tandem'] }],
    issuer: issuer.subject,
    notBefore: new Date(nowMs - CLOCK_SKEW_MS),
    notAfter: new Date(nowMs + CERTIFICATE_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: await privateKey(authority.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((name) => ({ type: isIP(name) === 0 ? 'dns' : 'ip', value: name })),
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  };
  const certificate = await x509.X509CertificateGenerator.create(options);
  return { key: await privateKeyPem(keys.privateKey), certificate: certificate.toString('pem') };
}

/** Milliseconds since the epoch at which the certificate ends. */
export function endOf(certificatePem: string): number {
  return new X509Certificate(certificatePem).validToDate.getTime();
}

/** The names and addresses that a certificate is for. */
export function namesOf(certificatePem: string): readonly string[] {
  const text = new X509Certificate(certificatePem).subjectAltName ?? '';
  return text.split(', ').map((each) => shortened(each.replace(/^(DNS|IP Address):/, '')));
}

/** Node writes IPv6 addresses out; people write `::1`. */
function shortened(name: string): string {
  return isIP(name) === 6 ? (URL.parse(`http://[${name}]`)?.hostname.slice(1, -1) ?? name) : name;
}

/** As people compare it: SHA-256 of the certificate. */
export function fingerprintOf(certificatePem: string): string {
  return new X509Certificate(certificatePem).fingerprint256;
}

function serialNumber(): string {
  const bytes = randomBytes(16);
  // RFC 5280 4.1.2.2: a positive number.
  return `4${bytes.toString('hex').slice(1)}`;
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const bytes = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${bytes.replace(/(.{64})/g, '$1\n').trim()}\n-----END PRIVATE KEY-----\n`;
}

function privateKey(pem: string): Promise<webcrypto.CryptoKey> {
  const bytes = Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');
  return webcrypto.subtle.importKey('pkcs8', bytes, ALGORITHM, false, ['sign']);
}
