import { formatEndpoint } from '../../base/network.ts';
import type { PlaceCall, PlacedCallHandlers, SipWatcher, UserAgent } from '../../sip/user-agent.ts';
import { TANDEM } from '../../trace/call-trace.ts';
import { describeSip } from '../../trace/describe.ts';
import type { TraceBook } from '../../trace/trace-book.ts';

/** What phones send all day and belongs to no call. */
const METHODS_OF_NO_CALL: readonly string[] = ['REGISTER', 'OPTIONS', 'SUBSCRIBE', 'PUBLISH', 'MESSAGE'];
const NAMED = `(?:${METHODS_OF_NO_CALL.join('|')})`;
const NO_CALL = new RegExp(`^${NAMED} |^CSeq\\s*:\\s*\\d+ ${NAMED}`, 'im');

/** Notes the messages of SIP dialogs. */
export function watchSip(book: TraceBook): SipWatcher {
  return ({ direction, remote, method, text }) => {
    // Registrations come by the thousand: their text is not even written.
    if (method !== undefined && METHODS_OF_NO_CALL.includes(method)) return;
    const whole = text();
    if (NO_CALL.test(whole)) return;
    const read = describeSip(whole);
    if (read === undefined) return;
    const phone = `phone:${formatEndpoint(remote)}`;
    const lanes = direction === 'in' ? { from: phone, to: TANDEM } : { from: TANDEM, to: phone };
    const { callId, text: name, detail, isReply: reply } = read;
    book.addTo(sipDialog(callId), { channel: 'sip', ...lanes, text: name, detail, reply });
  };
}

/** Tells which call an outgoing dialog is, from its first message on. */
export function linkingUserAgent(userAgent: UserAgent, book: TraceBook): UserAgent {
  return {
    ...userAgent,
    placeCall(call: PlaceCall, handlers: PlacedCallHandlers) {
      const placed = userAgent.placeCall(call, handlers);
      if (call.reference !== undefined) book.link(sipDialog(placed.callId), call.reference);
      return placed;
    },
  };
}

/** The name of a conversation. */
export function sipDialog(callId: string): string {
  return `sip:${callId}`;
}
