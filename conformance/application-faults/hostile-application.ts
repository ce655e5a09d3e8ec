import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { atEnd, type Scope } from '../../src/testkit/scope.ts';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface ReceivedRequest {
  readonly path: string;
  readonly form: Readonly<Record<string, string>>;
}

/** An application that answers whatever a test wants, down to its socket. */
export class HostileApplication {
  readonly origin: string;
  readonly requests: ReceivedRequest[] = [];
  readonly #answers = new Map<string, Answer>();

  private constructor(origin: string) {
    this.origin = origin;
  }

  static async start(scope: Scope): Promise<HostileApplication> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const application = new HostileApplication(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('request', (request, response) => {
      application.#serve(request, response).catch(() => response.destroy());
    });
    atEnd(scope, () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    });
    return application;
  }

  /** Answers a path; returns its whole address. */
  on(path: string, answer: Answer): string {
    this.#answers.set(path, answer);
    return this.origin + path;
  }

  /** Forms that were posted to a path. */
  posted(path: string): readonly Readonly<Record<string, string>>[] {
    return this.requests.filter((request) => request.path === path).map(({ form }) => form);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const form = Object.fromEntries(new URLSearchParams(await text(request)));
    this.requests.push({ path, form });
    const answer = this.#answers.get(path);
    if (answer === undefined) response.writeHead(404).end();
    else answer(request, response);
  }
}

export function xml(body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Answer {
  return (_, response) => void response.writeHead(200, { 'content-type': 'text/xml', ...headers }).end(body);
}
