/** Bounds of one signalling message between a browser phone and its server. */
export const MAX_MESSAGE_CHARS = 131_072;
export const MAX_TOKEN_CHARS = 8_192;
export const MAX_SDP_CHARS = 65_536;
export const MAX_PARAMETERS_CHARS = 16_384;
export const MAX_CALL_ID_CHARS = 80;
export const MAX_RECONNECT_CHARS = 512;
export const MAX_CONTENT_CHARS = 16_384;
export const MAX_NAME_CHARS = 256;
export const MAX_DIGITS = 256;
/** A frame of its own, from the server and back: the other side lives. */
export const HEARTBEAT = '\n';
export const PROTOCOL_VERSION = '1.6';
