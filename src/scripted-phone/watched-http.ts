import { errorText } from '../base/errors.ts';
import type { HttpRequest, HttpResponse, OutgoingHttp } from '../http/outgoing.ts';

/** A request that left, and what came of it. */
export interface WatchedRequest {
  readonly method: HttpRequest['method'];
  readonly url: string;
  readonly parameters: Readonly<Record<string, string>>;
}

export type WatchedOutcome = { readonly status: number; readonly answer: string };

/** The way out over HTTP, each request told when it leaves and again when it is over. */
export function watchedHttp(
  http: OutgoingHttp,
  onRequest: (request: WatchedRequest) => (outcome: WatchedOutcome) => void,
): OutgoingHttp {
  return {
    close: () => http.close(),
    async request(request: HttpRequest): Promise<HttpResponse> {
      const over = onRequest({ method: request.method, url: request.url, parameters: parametersOf(request) });
      try {
        const response = await http.request(request);
        over({ status: response.status, answer: response.headers['content-type'] ?? '' });
        return response;
      } catch (error) {
        over({ status: 0, answer: errorText(error) });
        throw error;
      }
    },
  };
}

function parametersOf({ method, url, body }: HttpRequest): Readonly<Record<string, string>> {
  if (method === 'POST' && typeof body === 'string') return Object.fromEntries(new URLSearchParams(body));
  return Object.fromEntries(new URL(url).searchParams);
}
