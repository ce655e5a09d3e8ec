/** The server sends a heartbeat every 5 s; after this silence the socket is dead, whatever the browser says of it. */
export const SILENCE_MS = 15_000;
export const CONNECT_TIMEOUT_MS = 5_000;
/** Waits between tries to connect: doubled each time, each varied by the jitter so that a place's pages do not come together. */
export const FIRST_BACKOFF_MS = 100;
export const LONGEST_BACKOFF_MS = 20_000;
export const BACKOFF_JITTER = 0.4;
/** A server that takes a registration answers within this. */
export const REGISTER_TIMEOUT_MS = 10_000;
/** A call whose path for sound broke is given up after this: the server keeps its side no longer either. */
export const RECONNECT_MS = 30_000;
/** From the answer until sound can pass. */
export const SOUND_TIMEOUT_MS = 20_000;
/** After no packet passed by WebRTC, calls go over the socket for this long, or until a network comes. */
export const WEBRTC_BLOCKED_MS = 600_000;
/** Between two tries of an ICE restart. */
export const RESTART_EVERY_MS = 5_000;
/** How long before its end a token is said to expire, unless the page says otherwise. */
export const TOKEN_REFRESH_MS = 10_000;
/** Ends of calls that wait for the socket to come back. */
export const MAX_OWED_MESSAGES = 10;
/** Keys that wait for the socket to come back. */
export const MAX_WAITING_DIGITS = 256;
/** Of `w` among digits. */
export const DIGIT_PAUSE_MS = 500;
