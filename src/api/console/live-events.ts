import { PassThrough } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { after, type Cancel, type Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { CallTraces, TraceChange, TraceEntry } from '../../comms/call-traces.ts';
import type { Call } from '../../comms/model.ts';
import { ApiError } from '../api-error.ts';
import { showCall, shownCalls, watchedCall, type SnapshotPorts } from './shown-call.ts';

/** What happens within this is told together: a busy server does not drown the page. */
const GATHER_MS = 100;
/** Calls of one message; of more, the newest. */
const MAX_CALLS_TOLD = 200;
/** The page takes a connection that is silent for longer than three of these for lost. */
const BEAT_MS = 10_000;
/** A page that reads more slowly than the server writes is cut off; it comes back and begins anew. */
const MAX_UNREAD_BYTES = 1_048_576;
/** A browser asks again so soon after a connection was lost. */
const RETRY_MS = 1000;
const MAX_STREAMS = 200;

export interface LiveEventsPorts extends SnapshotPorts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly traces: CallTraces;
}

/**
 * Server-sent events (WHATWG HTML 9.2) of the page: first everything as it is, then what changes. A connection that is
 * opened anew begins anew, so that nothing is missed whatever was lost in between.
 */
export class LiveEvents {
  readonly #ports: LiveEventsPorts;
  readonly #streams = new Set<PassThrough>();

  constructor(ports: LiveEventsPorts) {
    this.#ports = ports;
  }

  /** `watched`: the call whose steps are told too. */
  send(request: FastifyRequest, reply: FastifyReply, watched: string | undefined): FastifyReply {
    if (this.#streams.size >= MAX_STREAMS) {
      throw new ApiError({ status: 503, code: 20503, message: 'Too many pages look on: close some of them' });
    }
    const stream = new PassThrough();
    this.#streams.add(stream);
    // Nothing may happen for hours: the limit on idle connections is not for this one.
    request.raw.socket.setTimeout(0);
    const teller = new Teller(stream, watched, this.#ports);
    stream.once('close', () => {
      this.#streams.delete(stream);
      teller.stop();
    });
    teller.start();
    return reply
      .headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
      .type('text/event-stream; charset=utf-8')
      .send(stream);
  }

  /** Ends every stream: an answer that has no end of its own would keep the door open for ever. */
  close(): void {
    for (const stream of this.#streams) stream.end();
  }
}

class Teller {
  readonly #stream: PassThrough;
  readonly #watched: string | undefined;
  readonly #ports: LiveEventsPorts;
  readonly #calls = new Map<string, Call>();
  #entries: TraceEntry[] = [];
  #ready = false;
  #cancelFlush: Cancel | undefined;
  #cancelBeat: Cancel = () => undefined;
  #stopWatching: () => void = () => undefined;

  constructor(stream: PassThrough, watched: string | undefined, ports: LiveEventsPorts) {
    this.#stream = stream;
    this.#watched = watched;
    this.#ports = ports;
  }

  start(): void {
    // Before the snapshot is read: what changes meanwhile waits and is told after it.
    this.#stopWatching = this.#ports.traces.watch((change) => this.#take(change));
    this.#stream.write(`retry: ${RETRY_MS}\n\n`);
    this.#beat();
    this.#snapshot().then(
      (snapshot) => {
        this.#tell('snapshot', snapshot);
        this.#ready = true;
        this.#flush();
      },
      (error: unknown) => {
        this.#ports.log.warn({ error: errorText(error) }, 'the calls could not be read for the page');
        this.#stream.destroy();
      },
    );
  }

  stop(): void {
    this.#stopWatching();
    this.#cancelBeat();
    this.#cancelFlush?.();
  }

  async #snapshot(): Promise<object> {
    const watched = this.#watched === undefined ? undefined : await watchedCall(this.#watched, this.#ports);
    return { now: this.#ports.clock.now(), calls: await shownCalls(this.#ports), watched: watched ?? null };
  }

  #take(change: TraceChange): void {
    const { call } = change;
    if (call.accountSid !== this.#ports.accountSid) return;
    if (change.kind === 'call') this.#calls.set(call.sid, call);
    else if (call.sid === this.#watched) this.#entries.push(change.entry);
    else return;
    if (this.#ready) this.#cancelFlush ??= after(this.#ports.clock, GATHER_MS, () => this.#flush());
  }

  #flush(): void {
    this.#cancelFlush = undefined;
    const calls = [...this.#calls.values()].slice(-MAX_CALLS_TOLD);
    const entries = this.#entries;
    this.#calls.clear();
    this.#entries = [];
    if (calls.length > 0) this.#tell('calls', calls.map(showCall));
    if (entries.length > 0) this.#tell('entries', { sid: this.#watched, entries });
  }

  #beat(): void {
    this.#tell('beat', {});
    this.#cancelBeat = after(this.#ports.clock, BEAT_MS, () => this.#beat());
  }

  #tell(event: string, data: unknown): void {
    if (!this.#stream.writable) return;
    if (this.#stream.writableLength > MAX_UNREAD_BYTES) this.#stream.destroy();
    else this.#stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }
}
