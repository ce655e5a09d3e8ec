import type { Dispatcher } from 'undici';
import { after, systemClock, type Cancel } from '../base/clock.ts';
import { httpError } from './failure.ts';
import { HttpError } from './http-error.ts';
import type { HttpFailureKind } from './outgoing.ts';
import type { RequestUrl } from './request-url.ts';

export interface ExchangeRequest {
  readonly url: RequestUrl;
  readonly method: Dispatcher.HttpMethod;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string | undefined;
  readonly connectTimeoutMs: number;
  readonly readTimeoutMs: number;
  /** What is left of the whole request's time. */
  readonly totalTimeoutMs: number;
  readonly maxBytes: number;
}

/** A complete answer to one hop, its body not decoded. */
export interface ExchangeResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** One request and its answer, within its limits; rejects with an HttpError. */
export function exchange(dispatcher: Dispatcher, request: ExchangeRequest): Promise<ExchangeResponse> {
  return new Promise((resolve, reject) => new Exchange(request, resolve, reject).start(dispatcher));
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * The limits are kept in real time, whatever clock the program lives on: the other side is outside, and virtual time stands
 * still while it answers.
 */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: ExchangeRequest;
  readonly #resolve: (response: ExchangeResponse) => void;
  readonly #reject: (error: HttpError) => void;
  readonly #total: Cancel;
  #phase: Cancel;
  #controller: Dispatcher.DispatchController | undefined;
  #failure: HttpError | undefined;
  #status = 0;
  #headers: Readonly<Record<string, string>> = {};
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(
    request: ExchangeRequest,
    resolve: (response: ExchangeResponse) => void,
    reject: (error: HttpError) => void,
  ) {
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#total = this.#limit('total-timeout', request.totalTimeoutMs, 'no complete response');
    this.#phase = this.#limit('connect-timeout', request.connectTimeoutMs, 'no connection');
  }

  start(dispatcher: Dispatcher): void {
    const { url, method, headers, body } = this.#request;
    const options: Dispatcher.DispatchOptions = {
      origin: url.origin,
      path: url.path,
      method,
      headers,
      headersTimeout: 0,
      bodyTimeout: 0,
      ...(body === undefined ? {} : { body }),
    };
    try {
      dispatcher.dispatch(options, this);
    } catch (error) {
      this.#fail(httpError(error, false));
    }
  }

  /** The connection stands and the request goes out. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#failure !== undefined) controller.abort(this.#failure);
    else this.#expectBytes();
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    if (this.#failure !== undefined) return;
    this.#expectBytes();
    // Informational answers come before the final one (RFC 9110 15.2).
    if (status < 200) return;
    this.#status = status;
    this.#headers = joined(headers);
    const announced = Number(this.#headers['content-length'] ?? 0);
    if (announced > this.#request.maxBytes && this.#request.method !== 'HEAD') this.#tooLarge();
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#failure !== undefined) return;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#request.maxBytes) return this.#tooLarge();
    this.#chunks.push(chunk);
    this.#expectBytes();
  }

  onResponseEnd(): void {
    if (this.#failure !== undefined) return;
    this.#stopTimers();
    this.#resolve({ status: this.#status, headers: this.#headers, body: Buffer.concat(this.#chunks) });
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#fail(httpError(error, this.#status > 0));
  }

  #expectBytes(): void {
    this.#phase();
    this.#phase = this.#limit('read-timeout', this.#request.readTimeoutMs, 'nothing came');
  }

  #limit(kind: HttpFailureKind, limitMs: number, what: string): Cancel {
    return after(systemClock, limitMs, () => this.#fail(new HttpError(kind, `${what} within ${limitMs} ms`)));
  }

  #tooLarge(): void {
    this.#fail(new HttpError('too-large', `the response exceeds ${this.#request.maxBytes} bytes`));
  }

  #fail(error: HttpError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#chunks = [];
    this.#stopTimers();
    this.#reject(error);
    // Without a controller the request still waits for its connection; it is aborted when it gets one.
    this.#controller?.abort(error);
  }

  #stopTimers(): void {
    this.#phase();
    this.#total();
  }
}

function joined(headers: Headers): Readonly<Record<string, string>> {
  const entries = Object.entries(headers).flatMap(([name, value]): [string, string][] => {
    if (value === undefined) return [];
    return [[name.toLowerCase(), typeof value === 'string' ? value : value.join(', ')]];
  });
  return Object.fromEntries(entries);
}
