import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { bundleModule } from './bundle-module.ts';

/** Where pages import the browser client from. */
export const CLIENT_MODULE_PATH = '/client.js';

/** Where its types are. */
export const CLIENT_TYPES_PATH = '/client.d.ts';

/** In a build this is the whole client already (scripts/build.mjs). */
const ENTRY = new URL('../client/browser/client.ts', import.meta.url);
const RUNS_FROM_SOURCE = ENTRY.pathname.endsWith('.ts');
/** Declarations alone, which a build keeps as such beside the client. */
const TYPES = new URL(`../client-types${RUNS_FROM_SOURCE ? '.ts' : '.d.ts'}`, ENTRY);

interface Served {
  readonly etag: string;
  readonly plain: Buffer;
  readonly brotli: Buffer;
  readonly gzip: Buffer;
}

/** Serves the browser client as one ES module, to pages of every origin, and its types. Each is made when it is first asked for. */
export function addClientModule(app: FastifyInstance): void {
  add(app, CLIENT_MODULE_PATH, 'text/javascript', () =>
    RUNS_FROM_SOURCE ? bundleModule(ENTRY) : readFileSync(ENTRY, 'utf8'),
  );
  add(app, CLIENT_TYPES_PATH, 'text/plain', () => readFileSync(TYPES, 'utf8'));
}

function add(app: FastifyInstance, path: string, type: string, text: () => string): void {
  let made: Promise<Served> | undefined;
  app.get(path, async (request, reply) => {
    made ??= make(text);
    made.catch(() => {
      made = undefined;
    });
    void reply.type(`${type}; charset=utf-8`);
    return answer(await made, request, reply);
  });
}

async function make(text: () => string): Promise<Served> {
  const plain = Buffer.from(text());
  const etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, ETAG_CHARS)}"`;
  const [brotli, gzipped] = await Promise.all([promisify(brotliCompress)(plain), promisify(gzip)(plain)]);
  return { etag, plain, brotli, gzip: gzipped };
}

function answer(served: Served, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { etag } = served;
  void reply.headers({
    // A page's script element asks for modules of other origins with CORS (HTML, "fetch a module script").
    'access-control-allow-origin': '*',
    'cross-origin-resource-policy': 'cross-origin',
    // Asked for again each time, and answered in a few bytes while it is the same.
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    vary: 'accept-encoding',
    etag,
  });
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send();
  const accepted = request.headers['accept-encoding'] ?? '';
  if (/\bbr\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/.test(accepted))
    return reply.header('content-encoding', 'br').send(served.brotli);
  if (/\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/.test(accepted))
    return reply.header('content-encoding', 'gzip').send(served.gzip);
  return reply.send(served.plain);
}

const ETAG_CHARS = 22;

/** RFC 9110 13.1.2: a list, weak tags included. */
function matches(header: string | undefined, etag: string): boolean {
  return (header ?? '').split(',').some((each) => each.trim().replace(/^W\//, '') === etag || each.trim() === '*');
}
