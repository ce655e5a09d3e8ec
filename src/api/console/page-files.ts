import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { extname, join } from 'node:path';
import { randomHex, type Random } from '../../base/random.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};
/** Stands in the built document where each answer's own nonce goes. */
const NONCE = '__NONCE__';
const NONCE_BYTES = 16;

export interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
  /** The same, compressed when the page was built. */
  readonly gzip: Buffer | undefined;
}

/** The page as it was built, in memory. */
export class PageFiles {
  readonly #document: string;
  readonly #assets: ReadonlyMap<string, PageFile>;

  private constructor(document: string, assets: ReadonlyMap<string, PageFile>) {
    this.#document = document;
    this.#assets = assets;
  }

  /** Undefined when no page was built there. */
  static read(folder: string): PageFiles | undefined {
    const index = join(folder, 'index.html');
    if (!existsSync(index)) return undefined;
    const assets = new Map<string, PageFile>();
    for (const name of readdirSync(join(folder, 'assets'))) {
      const type = TYPES[extname(name)];
      if (type === undefined) continue;
      const path = join(folder, 'assets', name);
      const gzip = existsSync(`${path}.gz`) ? readFileSync(`${path}.gz`) : undefined;
      assets.set(name, { type, bytes: readFileSync(path), gzip });
    }
    return new PageFiles(readFileSync(index, 'utf8'), assets);
  }

  asset(name: string): PageFile | undefined {
    return this.#assets.get(name);
  }

  /** The document, and its policy: nothing from elsewhere, no script but the built one, no style but with this nonce. */
  document(random: Random): { readonly html: string; readonly policy: string } {
    const nonce = randomHex(random, NONCE_BYTES);
    return { html: this.#document.replaceAll(NONCE, nonce), policy: policyWith(nonce) };
  }
}

function policyWith(nonce: string): string {
  return [
    "default-src 'none'",
    // blob: is how the client loads its sound processor where packets go over the socket (an AudioWorklet).
    "script-src 'self' blob:",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "media-src 'self' blob:",
    "connect-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** What is shown where the page has not been built: a clone without development packages. */
export const NO_PAGE =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>Tandem</title><p>Tandem runs, but its page was not built: ' +
  'the packages that build it are not installed here. Run <code>npm ci</code> and start again. Everything else works.';
