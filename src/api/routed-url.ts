import { API_VERSION } from './resource.ts';

const RECORDING = new RegExp(`^(/${API_VERSION}/Accounts/[^/]+/Recordings/[^/.]+)(\\.[a-z0-9]+)?$`);
const PREFIX = `/${API_VERSION}/`;

/**
 * The address as the router sees it: resources have no suffix (`.json` or none, the answer is JSON), and the sound of a
 * recording, which shares its path with the resource, gets one of its own.
 */
export function routedUrl(method: string, url: string): string {
  if (!url.startsWith(PREFIX)) return url;
  const queryAt = url.indexOf('?');
  const path = queryAt < 0 ? url : url.slice(0, queryAt);
  const query = queryAt < 0 ? '' : url.slice(queryAt);
  const [, recording, suffix = ''] = RECORDING.exec(path) ?? [];
  const reading = method === 'GET' || method === 'HEAD';
  if (recording !== undefined && reading && suffix !== '.json') return `${recording}/Sound${suffix}${query}`;
  return `${path.replace(/\.json$/, '')}${query}`;
}
