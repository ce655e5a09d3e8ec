import { errorText } from '../base/errors.ts';
import type { HttpFailureKind, HttpResponse } from '../http/outgoing.ts';
import { fault, type Fault, type FaultCode, type FaultContext } from './faults.ts';
import type { RetryCause } from './webhook-url.ts';

/** Each kind of failure has one number. */
const FAILURES: Readonly<Record<HttpFailureKind, { readonly code: FaultCode; readonly cause?: RetryCause }>> = {
  'bad-url': { code: 11100 },
  'forbidden-target': { code: 11200 },
  'bad-host': { code: 11210, cause: 'ct' },
  refused: { code: 11205, cause: 'ct' },
  'connect-timeout': { code: 11205, cause: 'ct' },
  'read-timeout': { code: 11200, cause: 'rt' },
  'total-timeout': { code: 11200, cause: 'rt' },
  tls: { code: 11220 },
  protocol: { code: 11206 },
  'too-large': { code: 11750 },
  'too-many-redirects': { code: 11215 },
};

/** What OpenSSL says about a certificate, by the number it is told under. */
const CERTIFICATE_FAULTS: Readonly<Record<string, FaultCode>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 11235,
  CERT_HAS_EXPIRED: 11236,
  CERT_NOT_YET_VALID: 11236,
  DEPTH_ZERO_SELF_SIGNED_CERT: 11237,
  SELF_SIGNED_CERT_IN_CHAIN: 11237,
  UNABLE_TO_GET_ISSUER_CERT: 11237,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 11237,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 11237,
  CERT_UNTRUSTED: 11237,
};

export interface WebhookFailure {
  readonly fault: Fault;
  /** Under which retry rule another attempt may be made; undefined: another one cannot help. */
  readonly cause: RetryCause | undefined;
  /** Of the answer, when one came. */
  readonly status?: number;
}

/** The failure of a request that gave no complete response. */
export function failureOfThrown(thrown: unknown, context: FaultContext): WebhookFailure {
  const kind = codeOf(thrown);
  const row = kind !== undefined && Object.hasOwn(FAILURES, kind) ? FAILURES[kind as HttpFailureKind] : undefined;
  const code = (kind === 'tls' ? certificateFault(thrown) : undefined) ?? row?.code ?? 11200;
  return { fault: fault(code, errorText(thrown), context), cause: row?.cause };
}

/** The failure that a status says; undefined for 2xx. */
export function failureOfStatus(response: HttpResponse, context: FaultContext): WebhookFailure | undefined {
  const { status } = response;
  if (status >= 200 && status <= 299) return undefined;
  const cause = status >= 500 ? '5xx' : status >= 400 ? '4xx' : undefined;
  const made = fault(11200, `got status ${status}, want 200`, { ...context, ...responseContext(response) });
  return { fault: made, cause, status };
}

/** An answer as it is kept in a Notification. */
export function responseContext(response: HttpResponse): FaultContext {
  return {
    responseBody: new TextDecoder().decode(response.body.subarray(0, MAX_KEPT_BODY_BYTES)),
    responseHeaders: new URLSearchParams(response.headers).toString(),
  };
}

const MAX_KEPT_BODY_BYTES = 16_384;
const MAX_CAUSES = 5;

function certificateFault(thrown: unknown): FaultCode | undefined {
  let error: unknown = thrown;
  for (let depth = 0; depth < MAX_CAUSES && error instanceof Error; depth += 1) {
    const code = codeOf(error);
    if (code !== undefined && Object.hasOwn(CERTIFICATE_FAULTS, code)) return CERTIFICATE_FAULTS[code];
    error = error.cause;
  }
  return undefined;
}

function codeOf(thrown: unknown): string | undefined {
  const code: unknown = (thrown as { readonly code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
