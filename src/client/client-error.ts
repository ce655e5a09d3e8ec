/** What went wrong, by the vendor's number; the names are the vendor's too, so that a page may branch on either. */
const NAMES: Readonly<Record<number, string>> = {
  20101: 'AccessTokenInvalid',
  20104: 'AccessTokenExpired',
  20151: 'AuthorizationError',
  31000: 'UnknownError',
  31003: 'ConnectionTimeout',
  31005: 'ConnectionError',
  31009: 'TransportError',
  31100: 'MalformedRequestError',
  31202: 'JWTSignatureValidationFailed',
  31206: 'RateExceededError',
  31209: 'CallReconnectFailed',
  31210: 'CallMessageNotAllowed',
  31401: 'PermissionDeniedError',
  31402: 'AcquisitionFailedError',
  31404: 'NotFound',
  31480: 'TemporarilyUnavailable',
  31486: 'BusyHere',
  31603: 'Decline',
  53001: 'SignalingConnectionDisconnected',
  53405: 'MediaConnectionError',
};

/** The vendor's client shows these refusals of a token under the numbers of the REST API. */
const SHOWN_AS: Readonly<Record<number, number>> = { 31201: 20151, 31204: 20101, 31205: 20104 };

/** What a page can do about a refused token. */
const ADVICE: Readonly<Record<number, string>> = {
  20101: 'make an access token with a VoiceGrant on your server and give it to the Device',
  20104: 'fetch a new token and give it to updateToken(); the event tokenWillExpire says when',
  20151:
    'make the token with a key of the account that it names, and give its VoiceGrant what the page wants to do: incomingAllow, outgoingApplicationSid',
  31202: 'sign the token with the secret of the API key that it names',
};

/** An error of a Device or a Call: `code` is the vendor's number, the message says what to do. */
export class ClientError extends Error {
  readonly code: number;

  constructor(code: number, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.name = NAMES[code] ?? 'GeneralError';
  }

  /** What the server said. */
  static fromServer({ code, message }: { readonly code: number; readonly message: string }): ClientError {
    const shown = SHOWN_AS[code] ?? code;
    const advice = ADVICE[shown];
    return new ClientError(shown, advice === undefined ? message : `${message}: ${advice}`);
  }
}
