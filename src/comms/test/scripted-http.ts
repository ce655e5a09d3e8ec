import { TandemError } from '../../base/errors.ts';
import type { HttpFailureKind, HttpRequest, HttpResponse, OutgoingHttp } from '../../http/outgoing.ts';

type Answer = Partial<HttpResponse> | HttpFailureKind | Error;

/** Answers by URL without a network; each URL's answers are used up in order, the last one stays. */
export class ScriptedHttp implements OutgoingHttp {
  readonly requests: (HttpRequest & { readonly signature: string | undefined })[] = [];
  readonly #answers = new Map<string, Answer[]>();

  answer(url: string, ...answers: readonly Answer[]): this {
    this.#answers.set(url, [...answers]);
    return this;
  }

  request(request: HttpRequest): Promise<HttpResponse> {
    const signature = request.headersFor?.(request.url, request.method)['x-twilio-signature'];
    this.requests.push({ ...request, signature });
    const path = request.url.split('?')[0] ?? '';
    const answers = this.#answers.get(request.url) ?? this.#answers.get(path) ?? [];
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer === undefined) return Promise.resolve(response(request.url, { status: 404 }));
    if (typeof answer === 'string') return Promise.reject(new TandemError(answer, `scripted ${answer}`));
    if (answer instanceof Error) return Promise.reject(answer);
    return Promise.resolve(response(request.url, answer));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function response(url: string, given: Partial<HttpResponse>): HttpResponse {
  return { status: 200, headers: {}, body: new Uint8Array(), url, ...given };
}

export function xml(text: string): Partial<HttpResponse> {
  return { headers: { 'content-type': 'text/xml' }, body: new TextEncoder().encode(text) };
}

/** The smallest thing that passes for a WAV file. */
export const WAV = new TextEncoder().encode('RIFF\0\0\0\0WAVEfmt ');
