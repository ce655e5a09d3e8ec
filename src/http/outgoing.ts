/** Why an outgoing request gave no complete response. */
export type HttpFailureKind =
  | 'bad-url' // not http(s), credentials malformed, too long
  | 'forbidden-target' // the operator does not allow this address (checked after DNS and on each redirect)
  | 'bad-host' // the name does not resolve
  | 'refused' // connection refused, reset before a response
  | 'connect-timeout'
  | 'read-timeout'
  | 'total-timeout'
  | 'tls'
  | 'protocol' // not HTTP, broken encoding, truncated body
  | 'too-large'
  | 'too-many-redirects';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'HEAD' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  readonly connectTimeoutMs?: number;
  readonly readTimeoutMs?: number;
  readonly totalTimeoutMs?: number;
  readonly maxBytes?: number;
  readonly maxRedirects?: number;
  /** Called before each hop (first URL too), so that signatures can be made for the URL that is really requested. */
  readonly headersFor?: (url: string, method: string) => Readonly<Record<string, string>>;
}

export interface HttpResponse {
  readonly status: number;
  /** Lower-case names; repeated headers joined with ", ". */
  readonly headers: Readonly<Record<string, string>>;
  /** Decoded (gzip, deflate, br), at most `maxBytes`. */
  readonly body: Uint8Array;
  /** After redirects. */
  readonly url: string;
}

/** The only way out over HTTP. Rejects with an HttpFailure (a TandemError whose code is an HttpFailureKind). */
export interface OutgoingHttp {
  request(request: HttpRequest): Promise<HttpResponse>;
  close(): Promise<void>;
}
