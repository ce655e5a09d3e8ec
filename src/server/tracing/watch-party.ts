import type { CallSid } from '../../base/sid.ts';
import type { Party } from '../../comms/party.ts';
import type { LegEvent, SoundSource } from '../../media/media-node.ts';
import { PARTY, TANDEM } from '../../trace/call-trace.ts';
import type { TraceBook } from '../../trace/trace-book.ts';
import { sipDialog } from './watch-sip.ts';

/** Notes whose dialog the call is, and what becomes of its sound. */
export function watchParty(book: TraceBook, callSid: CallSid, party: Party): void {
  if (party.callId !== undefined) book.link(sipDialog(party.callId), callSid);
  book.link(soundOf(party.media.id), callSid);
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

/** Notes what a leg is made to play. */
export function watchPlayed(book: TraceBook, legId: string, sources: readonly SoundSource[]): void {
  const kinds = [...new Set(sources.map(({ kind }) => kind))].filter((kind) => kind !== 'silence');
  if (kinds.length === 0) return;
  const detail = `plays ${kinds.map((kind) => PLAYED[kind]).join(', ')}`;
  book.addTo(soundOf(legId), { channel: 'media', from: TANDEM, to: PARTY, text: 'sound', detail });
}

const PLAYED: Readonly<Record<SoundSource['kind'], string>> = {
  file: 'speech or a file',
  silence: 'silence',
  tone: 'a tone',
  digits: 'keys',
};

function soundOf(legId: string): string {
  return `leg:${legId}`;
}
