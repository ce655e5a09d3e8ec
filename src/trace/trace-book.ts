import type { Clock } from '../base/clock.ts';
import { MAX_DETAIL_CHARS, MAX_TEXT_CHARS, oneLine, type TraceMessage } from './call-trace.ts';

/** Calls whose messages are kept; the oldest are forgotten first. */
export const MAX_TRACED_CALLS = 200;
/** Of one call, counted as characters of its messages and what each costs besides. */
export const MAX_CALL_BYTES = 65_536;
const MESSAGE_OVERHEAD_BYTES = 200;
/** Conversations that no call is known for (yet): an INVITE before its call has a sid, a browser that registered. */
const MAX_LOOSE = 500;
const MAX_LOOSE_BYTES = 8192;
/** Conversations of one call: its forks, its devices. */
const MAX_LINKS = 64;

export type NewTraceMessage = Omit<TraceMessage, 'at'>;

export interface TraceBookOptions {
  readonly clock: Clock;
  /** 0: nothing is kept. */
  readonly maxCalls?: number;
  readonly maxCallBytes?: number;
}

interface Kept {
  readonly messages: TraceMessage[];
  bytes: number;
  dropped: number;
  readonly links: string[];
}

/**
 * What passed between the parties of the latest calls, in memory: to look at, not to account by. A message belongs to a
 * conversation (a SIP dialog, a socket, a call); a conversation belongs to a call once it is linked to it.
 */
export class TraceBook {
  readonly #clock: Clock;
  readonly #maxCalls: number;
  readonly #maxCallBytes: number;
  /** Both keep the order of insertion. */
  readonly #calls = new Map<string, Kept>();
  readonly #loose = new Map<string, Kept>();
  readonly #linked = new Map<string, string>();

  constructor({ clock, maxCalls = MAX_TRACED_CALLS, maxCallBytes = MAX_CALL_BYTES }: TraceBookOptions) {
    this.#clock = clock;
    this.#maxCalls = maxCalls;
    this.#maxCallBytes = maxCallBytes;
  }

  /** False when nothing is kept: then nobody needs to watch. */
  get isOn(): boolean {
    return this.#maxCalls > 0;
  }

  /** A message of a call. */
  add(callSid: string, message: NewTraceMessage): void {
    if (this.isOn) this.#put(this.#call(callSid), message, this.#maxCallBytes);
  }

  /** A message of a conversation. */
  addTo(conversation: string, message: NewTraceMessage): void {
    if (!this.isOn) return;
    const callSid = this.#linked.get(conversation);
    if (callSid === undefined) this.#put(this.#conversation(conversation), message, MAX_LOOSE_BYTES);
    else this.add(callSid, message);
  }

  /** The conversation is this call's from now on, with what it has said so far. */
  link(conversation: string, callSid: string): void {
    if (!this.isOn || this.#linked.get(conversation) === callSid) return;
    const call = this.#call(callSid);
    if (call.links.length >= MAX_LINKS) return;
    this.include(conversation, callSid);
    this.#loose.delete(conversation);
    // A call that goes out of one door and comes in by the other is two calls with one dialog: the first keeps it.
    if (this.#linked.has(conversation)) return;
    call.links.push(conversation);
    this.#linked.set(conversation, callSid);
  }

  /** What the conversation has said so far is this call's too; it stays what it is. */
  include(conversation: string, callSid: string): void {
    if (!this.isOn) return;
    const call = this.#call(callSid);
    for (const message of this.#loose.get(conversation)?.messages ?? []) this.#keep(call, message, this.#maxCallBytes);
  }

  /** Forgets a conversation that begins anew. */
  clear(conversation: string): void {
    this.#loose.delete(conversation);
  }

  /** Undefined when nothing is kept of the call: it is older than what is kept, or than this process. */
  of(callSid: string): { readonly messages: readonly TraceMessage[]; readonly dropped: number } | undefined {
    const kept = this.#calls.get(callSid);
    return kept === undefined
      ? undefined
      : { messages: kept.messages.map((message) => ({ ...message, callSid })), dropped: kept.dropped };
  }

  #put(kept: Kept, message: NewTraceMessage, maxBytes: number): void {
    const text = oneLine(message.text, MAX_TEXT_CHARS);
    const detail = oneLine(message.detail, MAX_DETAIL_CHARS);
    this.#keep(kept, { ...message, text, detail, at: this.#clock.now() }, maxBytes);
  }

  #keep(kept: Kept, message: TraceMessage, maxBytes: number): void {
    const bytes = message.text.length + message.detail.length + MESSAGE_OVERHEAD_BYTES;
    if (kept.bytes + bytes > maxBytes) {
      kept.dropped += 1;
      return;
    }
    kept.bytes += bytes;
    kept.messages.push(message);
  }

  #call(sid: string): Kept {
    const known = this.#calls.get(sid);
    if (known !== undefined) return known;
    const made: Kept = { messages: [], bytes: 0, dropped: 0, links: [] };
    this.#calls.set(sid, made);
    if (this.#calls.size > this.#maxCalls) this.#forgetOldest();
    return made;
  }

  #forgetOldest(): void {
    const [oldest] = this.#calls;
    if (oldest === undefined) return;
    const [sid, { links }] = oldest;
    this.#calls.delete(sid);
    for (const link of links) this.#linked.delete(link);
  }

  #conversation(name: string): Kept {
    const known = this.#loose.get(name);
    if (known !== undefined) return known;
    const made: Kept = { messages: [], bytes: 0, dropped: 0, links: [] };
    this.#loose.set(name, made);
    if (this.#loose.size > MAX_LOOSE) {
      const [oldest] = this.#loose.keys();
      if (oldest !== undefined) this.#loose.delete(oldest);
    }
    return made;
  }
}
