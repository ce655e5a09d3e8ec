import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { atEnd, type Scope } from './scope.ts';

export interface ServedPage {
  readonly html: string;
  readonly script?: { readonly path: string; readonly bytes: Uint8Array };
}

/** One page on a free port of this machine, as an application would have it; gives its address. */
export async function servePage(scope: Scope, { html, script }: ServedPage): Promise<string> {
  const server = createServer((request, response) => {
    if (request.url === script?.path) response.setHeader('content-type', 'text/javascript').end(script?.bytes);
    else response.setHeader('content-type', 'text/html').end(html);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(scope, () => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
