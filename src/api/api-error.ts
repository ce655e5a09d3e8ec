import { CommsError } from '../comms/comms-error.ts';

/** Codes of this door itself; those of calls and TwiML are in comms/faults.ts. Numbers are the official ones. */
export const DOOR_FAULTS = {
  20001: 'A parameter is not valid',
  20003: 'Authentication failed: an account sid with its auth token, or a key sid with its secret, is wanted',
  20004: 'The method is not allowed for this resource',
  20005: 'The account is not active',
  20007: 'The page size is not valid',
  20403: 'These credentials may not do this',
  20404: 'The requested resource was not found',
  20406: 'The resource is not available in this form',
  20408: 'The request took too long to arrive',
  20409: 'The request conflicts with the state of the resource',
  20413: 'The request is too large',
  20415: 'The content type cannot be used: application/x-www-form-urlencoded is wanted',
  20429: 'Too many requests',
  20500: 'The request failed inside the server',
  20503: 'The server cannot accept this now',
  21206: 'SendDigits is not valid',
  21208: 'Timeout is not valid',
  21209: 'The HTTP method is not valid: GET or POST is wanted',
  21234: 'MachineDetection is not valid',
  21402: 'The URL is not valid: an absolute http or https URL is wanted',
  21403: 'The HTTP method is not valid: GET or POST is wanted',
  21405: 'The fallback URL is not valid, or has no URL beside it',
  21421: 'The phone number is not valid',
  21422: 'The phone number is not available',
  21451: 'The area code is not valid',
  21452: 'No phone number is available in the area code',
  21481: 'The page token is not valid',
  21609: 'StatusCallback is not valid: an absolute http or https URL is wanted',
} as const;

export interface ApiErrorDetails {
  readonly status: number;
  readonly code: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request is answered with an error. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(details: ApiErrorDetails) {
    super(details.message);
    this.name = 'ApiError';
    this.status = details.status;
    this.code = details.code;
    this.headers = details.headers ?? {};
  }
}

/** 400: the value of a parameter. */
export function badParameter(code: number, message: string): ApiError {
  return new ApiError({ status: 400, code, message });
}

export function resourceNotFound(path: string): ApiError {
  return new ApiError({ status: 404, code: 20404, message: `The requested resource ${path} was not found` });
}

const CODES_BY_STATUS: Readonly<Record<number, keyof typeof DOOR_FAULTS>> = {
  400: 20001,
  401: 20003,
  403: 20403,
  404: 20404,
  405: 20004,
  406: 20406,
  408: 20408,
  409: 20409,
  413: 20413,
  414: 20413,
  415: 20415,
  429: 20429,
  431: 20413,
  503: 20503,
};

/** Anything thrown on the way to an answer. What is unknown stays inside: its text never leaves. */
export function asApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  if (thrown instanceof CommsError) {
    return new ApiError({ status: thrown.httpStatus, code: thrown.faultCode, message: thrown.message });
  }
  return errorOfStatus(statusOf(thrown));
}

export function errorOfStatus(status: number): ApiError {
  const code = CODES_BY_STATUS[status];
  if (code === undefined) return new ApiError({ status: 500, code: 20500, message: DOOR_FAULTS[20500] });
  return new ApiError({ status, code, message: DOOR_FAULTS[code] });
}

/** Status of the HTTP framework's own refusals. */
function statusOf(thrown: unknown): number {
  const status: unknown = thrown instanceof Error && 'statusCode' in thrown ? thrown.statusCode : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
}

/** Four keys, and no `type` or `title` beside them: with those the SDK takes it for another error format. */
export function errorBody(error: ApiError, publicUrl: string): Readonly<Record<string, unknown>> {
  return {
    code: error.code,
    message: error.message,
    more_info: `${publicUrl}${errorPagePath(error.code)}`,
    status: error.status,
  };
}

export function errorPagePath(code: number): string {
  return `/docs/errors/${code}`;
}
