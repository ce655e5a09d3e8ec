import type { CallSid } from '../../base/sid.ts';
import type { Party } from '../../comms/party.ts';
import type { LegEvent } from '../../media/media-node.ts';
import { PARTY, TANDEM } from '../../trace/call-trace.ts';
import type { TraceBook } from '../../trace/trace-book.ts';
import { sipDialog } from './watch-sip.ts';

/** Notes whose dialog the call is, and what becomes of its sound. */
export function watchParty(book: TraceBook, callSid: CallSid, party: Party): void {
  if (party.callId !== undefined) book.link(sipDialog(party.callId), callSid);
  party.media.onEvent((event) => {
    const [text, detail] = wordsOf(event);
    book.add(callSid, { channel: 'media', from: PARTY, to: TANDEM, text, detail });
  });
}

function wordsOf(event: LegEvent): readonly [text: string, detail: string] {
  switch (event.kind) {
    case 'connected':
      return ['ICE and DTLS are up', 'SRTP passes'];
    case 'disconnected':
      return ['the connection is gone', event.reason];
    case 'audio-started':
      return ['sound', 'the first packet of RTP'];
    case 'audio-missing':
      return ['no sound', `for ${Math.round(event.forMs / 1000)} s`];
    case 'digit':
      return [`key ${event.digit}`, event.via === 'rtp' ? 'telephone event' : event.via];
  }
}
