import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { atEnd, type Scope } from '../../src/testkit/scope.ts';

/** One status event, as it came. */
export interface ToldEvent {
  readonly callSid: string;
  readonly status: string;
  readonly sequence: number;
  /** Which life of the server told it. */
  readonly life: number;
}

/** Hears the status events of every call, over all lives of the server. */
export class Listener {
  readonly url: string;
  readonly #told = new Map<string, ToldEvent[]>();
  /** The life of the server that runs now. */
  life = 0;

  private constructor(url: string) {
    this.url = url;
  }

  static async start(scope: Scope): Promise<Listener> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const listener = new Listener(`http://127.0.0.1:${(server.address() as AddressInfo).port}/status`);
    server.on('request', (request, response) => {
      let body = '';
      request.setEncoding('utf8');
      request.on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        listener.#note(new URLSearchParams(body));
        response.writeHead(204).end();
      });
    });
    atEnd(scope, () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    });
    return listener;
  }

  of(callSid: string): readonly ToldEvent[] {
    return this.#told.get(callSid) ?? [];
  }

  #note(form: URLSearchParams): void {
    const event = {
      callSid: form.get('CallSid') ?? '',
      status: form.get('CallStatus') ?? '',
      sequence: Number(form.get('SequenceNumber')),
      life: this.life,
    };
    const told = this.#told.get(event.callSid) ?? [];
    told.push(event);
    this.#told.set(event.callSid, told);
  }
}
