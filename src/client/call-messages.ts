import { randomHex, type Random } from '../base/random.ts';
import type { ClientMessage } from '../wire/webphone/client-message.ts';
import type { ServerMessage } from '../wire/webphone/server-message.ts';
import type { CallMessageOptions, ReceivedMessage } from './client-types.ts';

const EVENT_SID_BYTES = 16;

/** What a page wants sent, with a sid of its own. */
export function messageOf(
  { content, contentType, messageType }: CallMessageOptions,
  call: { readonly callsid: string; readonly random: Random },
): Extract<ClientMessage, { type: 'message' }> {
  return {
    type: 'message',
    callsid: call.callsid,
    content: typeof content === 'string' ? content : JSON.stringify(content),
    contentType: contentType ?? 'application/json',
    messageType: messageType ?? 'user-defined-message',
    eventSid: `KX${randomHex(call.random, EVENT_SID_BYTES)}`,
  };
}

/** What a page is told of a message. */
export function received(message: Extract<ServerMessage, { type: 'message' }>): ReceivedMessage {
  const { contentType, messageType, eventSid } = message;
  return { content: contentOf(message), contentType, messageType, voiceEventSid: eventSid };
}

/** JSON as its value, everything else, JSON that is none included, as text. */
function contentOf({ content, contentType }: { readonly content: string; readonly contentType: string }): unknown {
  if (contentType !== 'application/json') return content;
  try {
    return JSON.parse(content) as unknown;
  } catch {
    return content;
  }
}
