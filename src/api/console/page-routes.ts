import type { FastifyInstance } from 'fastify';
import type { Random } from '../../base/random.ts';
import { NO_PAGE, PageFiles } from './page-files.ts';

const YEAR_SECONDS = 31_536_000;
const HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'microphone=(self), camera=(), geolocation=()',
};

/** The page and its files. They hold nothing of this place, so everybody may read them. */
export function addPage(app: FastifyInstance, { pageFolder, random }: { pageFolder: string; random: Random }): void {
  const files = PageFiles.read(pageFolder);
  app.get('/', async (_request, reply) => {
    void reply.headers({ ...HEADERS, 'cache-control': 'no-store' }).type('text/html; charset=utf-8');
    if (files === undefined) return reply.header('content-security-policy', "default-src 'none'").send(NO_PAGE);
    const { html, policy } = files.document(random);
    return reply.header('content-security-policy', policy).send(html);
  });
  app.get<{ Params: { name: string } }>('/console/assets/:name', async (request, reply) => {
    const file = files?.asset(request.params.name);
    if (file === undefined) return reply.callNotFound();
    const compressed = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '') ? file.gzip : undefined;
    return (
      reply
        .headers({ ...HEADERS, vary: 'accept-encoding' })
        // The name changes with the content.
        .header('cache-control', `public, max-age=${YEAR_SECONDS}, immutable`)
        .headers(compressed === undefined ? {} : { 'content-encoding': 'gzip' })
        .type(file.type)
        .send(compressed ?? file.bytes)
    );
  });
  app.get('/favicon.ico', async (_request, reply) => reply.code(204).send());
}
