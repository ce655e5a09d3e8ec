import { errorText } from '../base/errors.ts';
import { HttpError } from './http-error.ts';
import type { HttpFailureKind } from './outgoing.ts';

const KINDS: ReadonlyMap<string, HttpFailureKind> = new Map([
  ['ENOTFOUND', 'bad-host'],
  ['EAI_AGAIN', 'bad-host'],
  ['EAI_NODATA', 'bad-host'],
  ['EAI_FAIL', 'bad-host'],
  ['ETIMEDOUT', 'connect-timeout'],
  ['UND_ERR_CONNECT_TIMEOUT', 'connect-timeout'],
  ['EPROTO', 'tls'],
  ['UND_ERR_HEADERS_OVERFLOW', 'protocol'],
  ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'protocol'],
  ['UND_ERR_REQ_CONTENT_LENGTH_MISMATCH', 'protocol'],
  ['UND_ERR_INVALID_ARG', 'protocol'],
  ['UND_ERR_NOT_SUPPORTED', 'protocol'],
]);

// What OpenSSL's certificate check and the TLS layer call their errors.
const TLS_CODE = /^(?:ERR_TLS_|ERR_SSL_|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|HOSTNAME_MISMATCH)/;

/** What undici or the system said, as an HttpError. `answered`: the response had begun. */
export function httpError(thrown: unknown, answered: boolean): HttpError {
  if (thrown instanceof HttpError) return thrown;
  // The guard's own refusal arrives inside whatever the connector made of it.
  for (let cause = thrown; cause instanceof Error; cause = cause.cause) if (cause instanceof HttpError) return cause;
  return new HttpError(kindOf(thrown, answered), textOf(thrown, answered), { cause: thrown });
}

function kindOf(thrown: unknown, answered: boolean): HttpFailureKind {
  const code = codeOf(thrown);
  const known = KINDS.get(code);
  if (known !== undefined) return known;
  if (TLS_CODE.test(code)) return 'tls';
  // undici's parser errors do not all carry a code.
  if (code.startsWith('HPE_') || (thrown instanceof Error && thrown.name === 'HTTPParserError')) return 'protocol';
  return answered ? 'protocol' : 'refused';
}

function textOf(thrown: unknown, answered: boolean): string {
  const when = answered ? 'the response broke off' : 'no response';
  // Node's error for several tried addresses has no message of its own.
  return `${when}: ${errorText(thrown) || codeOf(thrown)}`;
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
}
