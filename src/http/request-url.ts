import { quoted } from '../base/parsed.ts';
import { HttpError } from './http-error.ts';

export const MAX_URL_CHARS = 8_192;

/** What a URL means for one hop. */
export interface RequestUrl {
  /** Without fragment. */
  readonly href: string;
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  /** Name or address, without brackets. */
  readonly host: string;
  /** `Basic ...` when the URL carries a user or a password. */
  readonly authorization: string | undefined;
}

/** Reads an absolute http or https URL, or one relative to `base`; HttpError `bad-url` otherwise. */
export function parseRequestUrl(text: string, base?: string): RequestUrl {
  if (text.length > MAX_URL_CHARS) {
    throw new HttpError('bad-url', `URL of ${text.length} characters: want at most ${MAX_URL_CHARS}`);
  }
  const url = URL.parse(text, base);
  if (url === null) throw new HttpError('bad-url', `${quoted(text)} is no URL: want http://host/path or https://...`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new HttpError('bad-url', `${quoted(text)} has the scheme ${quoted(url.protocol)}: want http or https`);
  }
  url.hash = '';
  return {
    href: url.href,
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    authorization: basicAuthorization(url),
  };
}

function basicAuthorization(url: URL): string | undefined {
  if (url.username === '' && url.password === '') return undefined;
  try {
    const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    return `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`;
  } catch (error) {
    throw new HttpError('bad-url', 'the URL has a user or password with broken percent-encoding', { cause: error });
  }
}
