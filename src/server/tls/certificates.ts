import { X509Certificate } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { after, holding, type Cancel, type Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { ConfigError } from '../load-config.ts';
import {
  createAuthority,
  endOf,
  fingerprintOf,
  issueCertificate,
  namesOf,
  type KeyAndCertificate,
} from './authority.ts';
import { isPermitted, permits } from './name-constraints.ts';

const SECRET_MODE = 0o600;
const FOLDER_MODE = 0o700;
const DAY_MS = 86_400_000;
/** A certificate that ends sooner is made anew. */
const RENEW_BEFORE_MS = 30 * DAY_MS;
const CHECK_MS = DAY_MS / 2;
/** Names of the vendor's hosts that no wildcard covers get certificates of their own, so many at most. */
const MAX_EXTRA_NAMES = 64;
const VENDOR_SUFFIX = '.twilio.com';
/** A wildcard stands for one label: `api.twilio.com`, not `api.dublin.ie1.twilio.com`. */
export const VENDOR_NAMES = ['api.twilio.com', `*${VENDOR_SUFFIX}`] as const;

export interface CertificatesOptions {
  /** Where keys and certificates are kept. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Names and addresses of this server now. */
  readonly names: () => readonly string[];
  /** The operator's own files; then nothing is made and nothing renewed, the files are read again. */
  readonly own?: { readonly certificate: string; readonly key: string };
}

export interface SecureOptions {
  readonly key: string;
  readonly cert: string;
}

/** With what the server proves who it is: certificates of the place's own authority, made and renewed by itself, or the operator's. */
export class Certificates {
  readonly #options: CertificatesOptions;
  #authority: KeyAndCertificate | undefined;
  #server: KeyAndCertificate;
  #context: SecureContext;
  readonly #extra = new Map<string, Promise<SecureContext>>();
  #cancel: Cancel | undefined;
  #onRenewed: ((pair: SecureOptions) => void) | undefined;

  private constructor(
    options: CertificatesOptions,
    authority: KeyAndCertificate | undefined,
    server: KeyAndCertificate,
  ) {
    this.#options = options;
    this.#authority = authority;
    this.#server = server;
    this.#context = contextOf(server);
  }

  /** Rejects with a ConfigError when the operator's files cannot be used. */
  static async open(options: CertificatesOptions): Promise<Certificates> {
    if (options.own !== undefined) {
      const certificates = new Certificates(options, undefined, await readOwn(options.own));
      certificates.#checkLater();
      return certificates;
    }
    await mkdir(options.folder, { recursive: true, mode: FOLDER_MODE });
    const authority = await authorityOf(options);
    const certificates = new Certificates(options, authority, await serverCertificate(authority, options));
    certificates.#checkLater();
    return certificates;
  }

  /** PEM of the authority that others may trust; undefined with the operator's own certificate. */
  get authority(): string | undefined {
    return this.#authority?.certificate;
  }

  get authorityFingerprint(): string | undefined {
    return this.#authority === undefined ? undefined : fingerprintOf(this.#authority.certificate);
  }

  get names(): readonly string[] {
    return namesOf(this.#server.certificate);
  }

  get endsAt(): number {
    return endOf(this.#server.certificate);
  }

  /** For the name that a client asks for (SNI); the server's own certificate for every other. */
  async contextFor(name: string): Promise<SecureContext> {
    const authority = this.#authority;
    const labels = name.slice(0, -VENDOR_SUFFIX.length).split('.');
    if (authority === undefined || !name.endsWith(VENDOR_SUFFIX) || labels.length < 2) return this.#context;
    if (!/^[a-z0-9.-]{1,200}$/.test(name)) return this.#context;
    const known = this.#extra.get(name);
    if (known !== undefined) return known;
    if (this.#extra.size >= MAX_EXTRA_NAMES) return this.#context;
    const made = issueCertificate(authority, { names: [name], nowMs: this.#options.clock.now() }).then(contextOf);
    this.#extra.set(name, made);
    made.catch(() => this.#extra.delete(name));
    return made;
  }

  /** For clients that name no host. */
  get secureOptions(): SecureOptions {
    return { key: this.#server.key, cert: this.#server.certificate };
  }

  /** One handler: hears of a new certificate. */
  onRenewed(handler: (options: SecureOptions) => void): void {
    this.#onRenewed = handler;
  }

  close(): void {
    this.#cancel?.();
  }

  #checkLater(): void {
    this.#cancel = after(this.#options.clock, CHECK_MS, () => {
      holding(this.#options.clock, () => this.#renew())
        .catch((error: unknown) => {
          this.#options.log.error(
            { error: errorText(error) },
            'the certificate could not be renewed; the old one stays',
          );
        })
        .finally(() => this.#checkLater());
    });
  }

  async #renew(): Promise<void> {
    const { own } = this.#options;
    if (own !== undefined) this.#server = await readOwn(own);
    else {
      const authority = await authorityOf(this.#options);
      this.#authority = authority;
      this.#server = await serverCertificate(authority, this.#options);
      this.#extra.clear();
    }
    this.#context = contextOf(this.#server);
    this.#onRenewed?.(this.secureOptions);
  }
}

async function authorityOf(options: CertificatesOptions): Promise<KeyAndCertificate> {
  const { folder, clock, log } = options;
  const kept = await readPair(folder, 'authority');
  if (kept !== undefined && endOf(kept.certificate) - clock.now() > RENEW_BEFORE_MS) return kept;
  const alsoPermitted = options.names().filter((name) => !isPermitted(name));
  const made = await createAuthority({ commonName: 'Tandem (this place)', alsoPermitted, nowMs: clock.now() });
  await writePair(folder, 'authority', made);
  log.info({ fingerprint: fingerprintOf(made.certificate) }, "made the place's own certificate authority");
  return made;
}

async function serverCertificate(
  authority: KeyAndCertificate,
  options: CertificatesOptions,
): Promise<KeyAndCertificate> {
  const { folder, clock } = options;
  const wanted = namesWithin(authority, options);
  const kept = await readPair(folder, 'server');
  if (kept !== undefined && isGood(kept, wanted, clock.now()) && isFrom(kept, authority)) return kept;
  const made = await issueCertificate(authority, { names: wanted, nowMs: clock.now() });
  await writePair(folder, 'server', made);
  return made;
}

/** Names that came after the authority was made may be none of its own: they are left out, so that the others work. */
function namesWithin(authority: KeyAndCertificate, { names, folder, log }: CertificatesOptions): readonly string[] {
  const certificate = new X509Certificate(authority.certificate);
  const wanted = [...new Set([...names(), ...VENDOR_NAMES])];
  const without = wanted.filter((name) => !permits(certificate, name));
  if (without.length > 0) {
    log.warn(
      { names: without },
      `the authority of this place may not vouch for these names: HTTPS works by the others; for these too, set ` +
        `tlsCertificate and tlsKey, or remove authority.pem from ${folder}, start again and have the new authority trusted`,
    );
  }
  return wanted.filter((name) => !without.includes(name));
}

function isGood({ certificate }: KeyAndCertificate, wanted: readonly string[], nowMs: number): boolean {
  const names = namesOf(certificate).map(sameForm);
  return endOf(certificate) - nowMs > RENEW_BEFORE_MS && wanted.every((name) => names.includes(sameForm(name)));
}

/** A certificate shows IPv6 addresses in full. */
function sameForm(name: string): string {
  return name.includes(':') ? new URL(`http://[${name}]/`).hostname : name.toLowerCase();
}

function isFrom(kept: KeyAndCertificate, authority: KeyAndCertificate): boolean {
  const signer = new X509Certificate(authority.certificate);
  const isWithin = namesOf(kept.certificate).every((name) => permits(signer, name));
  return isWithin && new X509Certificate(kept.certificate).checkIssued(signer);
}

async function readOwn(own: { readonly certificate: string; readonly key: string }): Promise<KeyAndCertificate> {
  try {
    const [certificate, key] = await Promise.all([readFile(own.certificate, 'utf8'), readFile(own.key, 'utf8')]);
    contextOf({ certificate, key });
    return { certificate, key };
  } catch (error) {
    throw new ConfigError(
      `tlsCertificate ${own.certificate} and tlsKey ${own.key} cannot be used: ${errorText(error)}; want PEM files that belong together`,
      { cause: error },
    );
  }
}

function contextOf({ key, certificate }: KeyAndCertificate): SecureContext {
  return createSecureContext({ key, cert: certificate });
}

/** Undefined where it is missing or broken by hand: it is made anew. */
async function readPair(folder: string, name: string): Promise<KeyAndCertificate | undefined> {
  const [certificate, key] = await Promise.all([
    readIfThere(join(folder, `${name}.pem`)),
    readIfThere(join(folder, `${name}.key`)),
  ]);
  if (certificate === undefined || key === undefined) return undefined;
  try {
    contextOf({ certificate, key });
    return { certificate, key };
  } catch {
    return undefined;
  }
}

/** What cannot be read now (no descriptor left, no right to) may be well: an authority that others trust is not replaced. */
async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function writePair(folder: string, name: string, { key, certificate }: KeyAndCertificate): Promise<void> {
  await writeSecret(join(folder, `${name}.key`), key);
  await writeSecret(join(folder, `${name}.pem`), certificate);
}

async function writeSecret(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: SECRET_MODE });
  await chmod(`${path}.new`, SECRET_MODE);
  await rename(`${path}.new`, path);
}
