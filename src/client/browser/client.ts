import { DeviceEngine } from '../device.ts';
import { browserPorts } from './browser-ports.ts';
import type { SoundOptions } from './browser-sounds.ts';

export { Call } from '../call.ts';
export { ClientError } from '../client-error.ts';

export interface DeviceOptions extends SoundOptions {
  /** Address of the server, `https://host:port`; default: where this module came from. */
  readonly url?: string;
  /** Lets the sound of a call go straight to another browser that allows it too, past the server. Default false. */
  readonly direct?: boolean;
  /** How long before the token's end `tokenWillExpire` is told; default 10 000. */
  readonly tokenRefreshMs?: number;
}

/** A phone in this page, by a token of your server. */
export class Device extends DeviceEngine {
  constructor(token: string, options: DeviceOptions = {}) {
    const { url, direct, tokenRefreshMs, ...sound } = options;
    const engine = {
      url: signallingUrl(url ?? home()),
      ...(direct === undefined ? {} : { direct }),
      ...(tokenRefreshMs === undefined ? {} : { tokenRefreshMs }),
    };
    super(token, engine, browserPorts(sound));
  }
}

function home(): string {
  // A bundler may have put this module into a page's own script, which has the page's origin, or into none.
  return import.meta.url.startsWith('http') ? import.meta.url : location.href;
}

/** http becomes ws, https wss. */
function signallingUrl(base: string): string {
  const url = new URL('/signal', new URL(base, location.href));
  url.protocol = url.protocol.replace('http', 'ws');
  return url.href;
}
