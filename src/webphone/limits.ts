/** Bounds of what browsers may hold here; each may be overridden. */
export interface WebphoneLimits {
  /** A socket that does not say who it is. */
  readonly listenMs: number;
  readonly heartbeatMs: number;
  /** A socket on which nothing came. */
  readonly silenceMs: number;
  /** A call outlives its socket by this. */
  readonly reconnectMs: number;
  readonly registrationMs: number;
  readonly registrationRefreshMs: number;
  readonly maxDevices: number;
  readonly maxDevicesPerIdentity: number;
  readonly maxCallsPerDevice: number;
  /** Texts of one socket, a second and at once. */
  readonly messagesPerSecond: number;
  readonly messageBurst: number;
  /** Messages that wait while the token is checked. */
  readonly maxWaiting: number;
  /** Tokens of one socket that are none; with the last it is closed. */
  readonly maxForgedTokens: number;
  /** A browser that does not read. */
  readonly maxBufferedBytes: number;
}

export const DEFAULT_WEBPHONE_LIMITS: WebphoneLimits = {
  listenMs: 10_000,
  heartbeatMs: 5_000,
  silenceMs: 20_000,
  reconnectMs: 30_000,
  registrationMs: 90_000,
  registrationRefreshMs: 30_000,
  maxDevices: 5_000,
  maxDevicesPerIdentity: 10,
  maxCallsPerDevice: 10,
  messagesPerSecond: 20,
  messageBurst: 100,
  maxWaiting: 32,
  maxForgedTokens: 3,
  maxBufferedBytes: 1_048_576,
};

/** WebSocket close codes (RFC 6455 7.4.1). */
export const CLOSE_GOING_AWAY = 1001;
export const CLOSE_POLICY = 1008;
export const CLOSE_TOO_BUSY = 1013;
