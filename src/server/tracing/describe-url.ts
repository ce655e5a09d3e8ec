import { describeParameters } from '../../trace/describe.ts';

/** A URL's path and query without what is secret in them; the whole URL's origin besides. */
export function describeUrl(text: string): { readonly origin: string; readonly path: string } {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return { origin: 'unknown', path: text.replace(/[?#].*$/s, '') };
  }
  const query = describeParameters(Object.fromEntries(url.searchParams)).replaceAll(' ', '&');
  return { origin: url.origin, path: query === '' ? url.pathname : `${url.pathname}?${query}` };
}
