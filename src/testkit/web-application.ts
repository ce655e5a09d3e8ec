import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import twilio from 'twilio';
import { EventLog, type WaitOptions } from './event-log.ts';
import { atEnd, type Scope } from './scope.ts';

const DRIP_INTERVAL_MS = 200;

/** One request as it came, and what the SDK's own validator says of its signature. */
export interface WebRequest {
  readonly method: string;
  /** Exactly as sent: path and query. */
  readonly rawUrl: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Form fields of a POST, the query of a GET. */
  readonly params: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signed: boolean;
  /** Milliseconds of performance.now(). */
  readonly at: number;
}

export type WebAnswer =
  /** A TwiML document (`<Response>` is put around it when it is not there). */
  | string
  | {
      readonly status?: number;
      readonly type?: string;
      readonly body: string | Uint8Array;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Never answers; resets the connection; sends a byte now and then without end. */
  | { readonly misbehave: 'hang' | 'reset' | 'drip' };

export type WebHandler = WebAnswer | ((request: WebRequest) => WebAnswer | Promise<WebAnswer>);

/** The developer's application: answers webhooks with TwiML, and remembers and checks each of them. */
export class WebApplication {
  readonly requests = new EventLog<WebRequest>(
    ({ method, rawUrl, params }) => `${method} ${rawUrl} ${JSON.stringify(params)}`,
  );
  readonly url: string;
  /** The account's token, with which requests must be signed; set when the server is known. */
  authToken = '';
  readonly #handlers = new Map<string, WebHandler>();

  private constructor(url: string) {
    this.url = url;
  }

  static async start(scope: Scope, address = '127.0.0.1'): Promise<WebApplication> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    const application = new WebApplication(`http://${address}:${(server.address() as AddressInfo).port}`);
    server.on('request', (request, response) => {
      application.#serve(request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    });
    atEnd(scope, () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    });
    return application;
  }

  /** Answers a path; returns its whole address. */
  on(path: string, handler: WebHandler): string {
    this.#handlers.set(path, handler);
    return this.url + path;
  }

  /** The first request to a path (from a mark on) that matches. */
  request(
    path: string,
    options: Partial<WaitOptions> & { readonly where?: (request: WebRequest) => boolean } = {},
  ): Promise<WebRequest> {
    const { where = () => true, ...wait } = options;
    return this.requests.waitFor((request) => request.path === path && where(request), {
      what: `a request to ${path}`,
      ...wait,
    });
  }

  /** Requests that the SDK's validator refused. */
  get unsigned(): readonly WebRequest[] {
    return this.requests.all.filter((request) => !request.signed);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const received = this.#read(request, Buffer.concat(chunks).toString('utf8'));
    this.requests.push(received);
    const handler = this.#handlers.get(received.path) ?? { status: 404, type: 'text/plain', body: 'no such page' };
    respond(response, typeof handler === 'function' ? await handler(received) : handler);
  }

  #read(request: IncomingMessage, body: string): WebRequest {
    const rawUrl = request.url ?? '';
    const { pathname, searchParams } = new URL(rawUrl, this.url);
    const form = Object.fromEntries(new URLSearchParams(body));
    const isPost = request.method === 'POST';
    const signature = String(request.headers['x-twilio-signature'] ?? '');
    return {
      method: request.method ?? '',
      rawUrl,
      path: pathname,
      headers: request.headers,
      params: isPost ? form : Object.fromEntries(searchParams),
      body,
      signed: twilio.validateRequest(this.authToken, signature, this.url + rawUrl, isPost ? form : {}),
      at: performance.now(),
    };
  }
}

function respond(response: ServerResponse, answer: WebAnswer): void {
  if (typeof answer === 'string') {
    const document = answer.includes('<Response') ? answer : `<Response>${answer}</Response>`;
    response.writeHead(200, { 'content-type': 'text/xml; charset=utf-8' }).end(document);
    return;
  }
  if ('misbehave' in answer) {
    if (answer.misbehave === 'reset') response.destroy();
    if (answer.misbehave === 'drip') drip(response);
    return;
  }
  const { status = 200, type = 'text/plain', body, headers = {} } = answer;
  response.writeHead(status, { 'content-type': type, ...headers }).end(body);
}

function drip(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/xml' });
  const timer = setInterval(() => response.write(' '), DRIP_INTERVAL_MS);
  response.once('close', () => clearInterval(timer));
}
