import type { SipMessage } from './message.ts';
import { findHeadEnd, MAX_BODY_BYTES, parseHead, withBody, withDefect, type SipHead } from './parse.ts';

/** Start line and headers of one message on a stream. */
export const MAX_HEAD_BYTES = 65_536;

export interface StreamLimits {
  readonly maxHeadBytes?: number;
  readonly maxBodyBytes?: number;
}

export type StreamEvent =
  | { readonly kind: 'message'; readonly message: SipMessage }
  /** CRLFCRLF between messages: answer CRLF (RFC 5626 3.5.1). */
  | { readonly kind: 'ping' }
  /** One CRLF between messages: the answer to our ping. */
  | { readonly kind: 'pong' }
  /**
   * Nobody knows where the next message begins: answer `message` with 400 when it is there and a request, then close.
   * Bytes pushed after this are ignored.
   */
  | { readonly kind: 'bad'; readonly reason: string; readonly message?: SipMessage };

const CARRIAGE_RETURN = 13;
const LINE_FEED = 10;
const FIRST_CAPACITY = 4096;

/**
 * Cuts a byte stream into messages (RFC 3261 18.3, 7.5). Holds at most one head and one body, and reads each byte a
 * bounded number of times however the stream is cut into chunks.
 */
export class StreamFramer {
  readonly #maxHeadBytes: number;
  readonly #maxBodyBytes: number;
  #buffer = new Uint8Array(FIRST_CAPACITY);
  #start = 0;
  #end = 0;
  /** Up to here no empty line was found. */
  #scanned = 0;
  #head: SipHead | undefined;
  #broken = false;

  constructor(limits: StreamLimits = {}) {
    this.#maxHeadBytes = limits.maxHeadBytes ?? MAX_HEAD_BYTES;
    this.#maxBodyBytes = limits.maxBodyBytes ?? MAX_BODY_BYTES;
  }

  /** True while a message has begun and is not complete: the owner limits how long this may last. */
  get midMessage(): boolean {
    return !this.#broken && (this.#head !== undefined || this.#end > this.#start);
  }

  /** What `bytes` completed, in order. After `bad` the framer takes nothing more. */
  push(bytes: Uint8Array): readonly StreamEvent[] {
    const events: StreamEvent[] = [];
    // A chunk larger than the limits is taken in pieces, so that the buffer never holds more than one message.
    const step = this.#maxHeadBytes + this.#maxBodyBytes;
    for (let from = 0; from < bytes.length && !this.#broken; from += step) {
      this.#append(bytes.subarray(from, from + step));
      while (!this.#broken && this.#takeOne(events));
    }
    return events;
  }

  #append(bytes: Uint8Array): void {
    const held = this.#end - this.#start;
    if (this.#end + bytes.length > this.#buffer.length) {
      const capacity = Math.max(FIRST_CAPACITY, 2 ** Math.ceil(Math.log2(held + bytes.length)));
      const target = capacity > this.#buffer.length ? new Uint8Array(capacity) : this.#buffer;
      target.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = target;
      this.#scanned -= this.#start;
      this.#start = 0;
      this.#end = held;
    }
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Takes one message or run of empty lines from the buffer; false when more bytes are wanted. */
  #takeOne(events: StreamEvent[]): boolean {
    if (this.#head === undefined) {
      this.#takeEmptyLines(events);
      if (!this.#takeHead(events)) return false;
    }
    return this.#takeBody(events);
  }

  /** However many empty lines come together, one ping answers them: a flood gets no flood back. */
  #takeEmptyLines(events: StreamEvent[]): void {
    let lines = 0;
    while (this.#end - this.#start >= 2 && this.#at(0) === CARRIAGE_RETURN && this.#at(1) === LINE_FEED) {
      this.#start += 2;
      lines += 1;
    }
    this.#scanned = Math.max(this.#scanned, this.#start);
    if (lines > 0) events.push({ kind: lines === 1 ? 'pong' : 'ping' });
  }

  #at(offset: number): number | undefined {
    return this.#buffer[this.#start + offset];
  }

  #takeHead(events: StreamEvent[]): boolean {
    const end = findHeadEnd(this.#buffer, this.#scanned, this.#end);
    const headBytes = (end?.headEnd ?? this.#end) - this.#start;
    if (headBytes > this.#maxHeadBytes)
      return this.#break(events, `no end of the headers within ${this.#maxHeadBytes} bytes`);
    if (end === undefined) {
      // An empty line may have begun in the last two bytes.
      this.#scanned = Math.max(this.#start, this.#end - 2);
      return false;
    }
    const head = parseHead(this.#buffer.subarray(this.#start, end.headEnd));
    this.#start = end.bodyStart;
    this.#scanned = end.bodyStart;
    if (head.kind !== 'ok') return this.#break(events, head.kind === 'bad' ? head.reason : 'an empty head');
    return this.#acceptHead(head.value, events);
  }

  #acceptHead(head: SipHead, events: StreamEvent[]): boolean {
    const { message, bodyLength } = head;
    // 18.3: on a stream Content-Length is required; without one that can be believed the rest cannot be framed.
    if (message.defect !== undefined) return this.#break(events, message.defect, message);
    if (bodyLength === undefined) return this.#break(events, 'no Content-Length on a stream', message);
    if (bodyLength > this.#maxBodyBytes)
      return this.#break(events, `Content-Length ${bodyLength}: want at most ${this.#maxBodyBytes}`, message);
    this.#head = head;
    return true;
  }

  #takeBody(events: StreamEvent[]): boolean {
    const length = this.#head?.bodyLength ?? 0;
    if (this.#head === undefined || this.#end - this.#start < length) return false;
    const body = this.#buffer.subarray(this.#start, this.#start + length);
    events.push({ kind: 'message', message: withBody(this.#head.message, body) });
    this.#start += length;
    this.#scanned = this.#start;
    this.#head = undefined;
    if (this.#start === this.#end) this.#rest();
    return true;
  }

  /** An idle connection keeps no large buffer. */
  #rest(): void {
    this.#start = this.#end = this.#scanned = 0;
    if (this.#buffer.length > FIRST_CAPACITY) this.#buffer = new Uint8Array(FIRST_CAPACITY);
  }

  #break(events: StreamEvent[], reason: string, message?: SipMessage): false {
    this.#broken = true;
    this.#buffer = new Uint8Array(0);
    events.push(
      message === undefined ? { kind: 'bad', reason } : { kind: 'bad', reason, message: withDefect(message, reason) },
    );
    return false;
  }
}
