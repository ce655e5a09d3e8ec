import { readFile } from 'node:fs/promises';
import { extname, join, resolve, sep } from 'node:path';
import { holding, type Clock } from '../base/clock.ts';
import type { HttpRequest, HttpResponse, OutgoingHttp } from '../http/outgoing.ts';

/** RFC 6761: a name that no resolver knows. */
export const DOCUMENT_ORIGIN = 'http://document.invalid';

const TYPES: Readonly<Record<string, string>> = {
  '.xml': 'text/xml; charset=utf-8',
  '.wav': 'audio/wav',
  '.mp3': 'audio/mpeg',
};

export interface DocumentSources {
  readonly folder: string | undefined;
  /** Documents given as text, by their path. */
  readonly inline: ReadonlyMap<string, string>;
  readonly clock: Clock;
}

/** Answers requests to the documents' own origin from text and folder; all others go out. */
export function documentsBefore(http: OutgoingHttp, sources: DocumentSources): OutgoingHttp {
  return {
    close: () => http.close(),
    request: (request) =>
      request.url.startsWith(`${DOCUMENT_ORIGIN}/`)
        ? holding(sources.clock, () => answerFrom(sources, request))
        : http.request(request),
  };
}

async function answerFrom({ folder, inline }: DocumentSources, { url }: HttpRequest): Promise<HttpResponse> {
  const { pathname } = new URL(url);
  const text = inline.get(pathname);
  if (text !== undefined) return found(new TextEncoder().encode(text), TYPES['.xml'] ?? '', url);
  const path = folder === undefined ? undefined : join(resolve(folder), decodeURIComponent(pathname));
  const type = path === undefined ? undefined : TYPES[extname(path).toLowerCase()];
  if (path === undefined || type === undefined || !path.startsWith(resolve(folder ?? '') + sep)) return missing(url);
  const body = await readFile(path).catch(() => undefined);
  return body === undefined ? missing(url) : found(body, type, url);
}

function found(body: Uint8Array, type: string, url: string): HttpResponse {
  return { status: 200, headers: { 'content-type': type }, body, url };
}

function missing(url: string): HttpResponse {
  return { status: 404, headers: { 'content-type': 'text/plain' }, body: new Uint8Array(), url };
}
