import { timestampDistance } from './packet.ts';

/**
 * Key presses as named events (RFC 4733 2.3).
 *
 *     0                   1                   2                   3
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |     event     |E|R| volume    |          duration             |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export interface TelephoneEvent {
  /** 0-255; 0-15 are the keys 0-9 * # A-D, 16 is a hook flash. */
  readonly event: number;
  readonly end: boolean;
  /** Power below 0 dBm0, 0-63 (dropped sign). */
  readonly volume: number;
  /** So far, in timestamp units, 16 bits. */
  readonly duration: number;
}

export const TELEPHONE_EVENT_BYTES = 4;
const KEYS = '0123456789*#ABCD';
const END_BIT = 0x80;
const DEFAULT_CLOCK_RATE = 8000;
const MAX_DURATION_UNITS = 0xffff;

/** The key of an event; undefined for events that are no key (flash, modem tones). */
export function keyOfEvent(event: number): string | undefined {
  return KEYS[event];
}

/** The event of a key `0-9*#A-D`; undefined for anything else. */
export function eventOfKey(key: string): number | undefined {
  const event = key.length === 1 ? KEYS.indexOf(key.toUpperCase()) : -1;
  return event < 0 ? undefined : event;
}

/** Reads the first event of a payload; undefined when it is shorter than four bytes. */
export function parseTelephoneEvent(payload: Uint8Array): TelephoneEvent | undefined {
  if (payload.length < TELEPHONE_EVENT_BYTES) return undefined;
  const flags = payload[1] as number;
  return {
    event: payload[0] as number,
    end: (flags & END_BIT) !== 0,
    volume: flags & 0x3f,
    duration: ((payload[2] as number) << 8) | (payload[3] as number),
  };
}

export function buildTelephoneEvent(event: TelephoneEvent): Uint8Array {
  const flags = (event.end ? END_BIT : 0) | (event.volume & 0x3f);
  return Uint8Array.of(event.event, flags, event.duration >>> 8, event.duration & 0xff);
}

/** One packet of an outgoing key press. */
export interface TelephoneEventPacket {
  /** When it leaves, counted from the start of the press. */
  readonly atMs: number;
  readonly marker: boolean;
  readonly payload: Uint8Array;
}

export interface TelephoneEventSchedule {
  readonly event: number;
  /** How long the key is held; at least one packet, at most what 16 bits of duration hold. */
  readonly durationMs?: number;
  readonly packetMs?: number;
  readonly clockRate?: number;
  readonly volume?: number;
}

const DEFAULT_PRESS_MS = 100;
const DEFAULT_PACKET_MS = 20;
const DEFAULT_VOLUME = 10;
/** RFC 4733 2.5.1.4: the last report is sent three times, so that losing one or two packets loses no end. */
const END_REPEATS = 3;

/**
 * The packets of one key press. All carry the timestamp of its start; the sequence number advances with each; the
 * sender's audio timestamp goes on as if it had not stopped.
 */
export function telephoneEventPackets(schedule: TelephoneEventSchedule): readonly TelephoneEventPacket[] {
  const { event, packetMs = DEFAULT_PACKET_MS, clockRate = DEFAULT_CLOCK_RATE, volume = DEFAULT_VOLUME } = schedule;
  const unitsPerPacket = Math.round((packetMs * clockRate) / 1000);
  const wanted = Math.max(1, Math.round((schedule.durationMs ?? DEFAULT_PRESS_MS) / packetMs));
  const steps = Math.min(wanted, Math.floor(MAX_DURATION_UNITS / unitsPerPacket));
  const packets: TelephoneEventPacket[] = [];
  const add = (atMs: number, step: number, end: boolean): void => {
    const payload = buildTelephoneEvent({ event, end, volume, duration: step * unitsPerPacket });
    packets.push({ atMs, marker: packets.length === 0, payload });
  };
  for (let step = 1; step < steps; step++) add((step - 1) * packetMs, step, false);
  for (let repeat = 0; repeat < END_REPEATS; repeat++) add((steps - 1 + repeat) * packetMs, steps, true);
  return packets;
}

/** What the receiver needs of one packet. */
export interface ArrivedTelephoneEvent {
  readonly ssrc: number;
  readonly timestamp: number;
  readonly payload: Uint8Array;
  readonly arrivalMs: number;
}

export interface ReceivedKey {
  readonly key: string;
  readonly durationMs: number;
}

interface RunningEvent {
  readonly ssrc: number;
  /** Of the newest segment; long presses move it on (RFC 4733 2.5.1.3). */
  timestamp: number;
  readonly event: number;
  /** Units in the segments before this one. */
  earlierUnits: number;
  units: number;
  lastArrivalMs: number;
}

const NO_KEYS: readonly ReceivedKey[] = [];
/** A press whose packets stop without an end counts as ended after this long. */
const DEFAULT_SILENCE_MS = 200;
/** Finished presses that are remembered, so that late repeats of one do not press again. */
const REMEMBERED_PRESSES = 8;

/**
 * Turns packets into key presses, once each, told apart by SSRC and timestamp alone: some senders give the three end
 * packets one sequence number, use another SSRC than their audio, or count the duration twice as fast as time passes.
 */
export class TelephoneEventReceiver {
  readonly #clockRate: number;
  readonly #silenceMs: number;
  #running: RunningEvent | undefined;
  readonly #finished: { readonly ssrc: number; readonly timestamp: number }[] = [];

  constructor(options: { readonly clockRate?: number; readonly silenceMs?: number } = {}) {
    this.#clockRate = options.clockRate ?? DEFAULT_CLOCK_RATE;
    this.#silenceMs = options.silenceMs ?? DEFAULT_SILENCE_MS;
  }

  /** Presses that this packet completes: none, one, or two (an unfinished press, and a new one that is already over). */
  push(packet: ArrivedTelephoneEvent): readonly ReceivedKey[] {
    const report = parseTelephoneEvent(packet.payload);
    if (report === undefined || keyOfEvent(report.event) === undefined) return NO_KEYS;
    if (this.#isFinished(packet)) return NO_KEYS;
    const running = this.#running;
    if (running !== undefined && this.#continues(running, packet, report)) {
      this.#advance(running, packet, report);
      return report.end ? [this.#finish(running)] : NO_KEYS;
    }
    if (running !== undefined && isOlder(running, packet)) return NO_KEYS;
    const keys: ReceivedKey[] = [];
    if (running !== undefined) keys.push(this.#finish(running));
    const fresh: RunningEvent = {
      ssrc: packet.ssrc,
      timestamp: packet.timestamp,
      event: report.event,
      earlierUnits: 0,
      units: report.duration,
      lastArrivalMs: packet.arrivalMs,
    };
    this.#running = fresh;
    if (report.end) keys.push(this.#finish(fresh));
    return keys;
  }

  /** Call about every 20 ms: ends a press whose packets have stopped. */
  tick(nowMs: number): ReceivedKey | undefined {
    const running = this.#running;
    if (running === undefined || nowMs - running.lastArrivalMs < this.#silenceMs) return undefined;
    return this.#finish(running);
  }

  #continues(running: RunningEvent, packet: ArrivedTelephoneEvent, report: TelephoneEvent): boolean {
    if (running.ssrc !== packet.ssrc || running.event !== report.event) return false;
    if (running.timestamp === packet.timestamp) return true;
    // RFC 4733 2.5.1.3: the next segment starts where the full one ended.
    const distance = timestampDistance(running.timestamp, packet.timestamp);
    return distance === MAX_DURATION_UNITS || (distance > 0 && distance === running.units);
  }

  #advance(running: RunningEvent, packet: ArrivedTelephoneEvent, report: TelephoneEvent): void {
    if (running.timestamp !== packet.timestamp) {
      running.earlierUnits += timestampDistance(running.timestamp, packet.timestamp);
      running.timestamp = packet.timestamp;
      running.units = 0;
    }
    running.units = Math.max(running.units, report.duration);
    running.lastArrivalMs = packet.arrivalMs;
  }

  #finish(running: RunningEvent): ReceivedKey {
    this.#running = undefined;
    this.#finished.push({ ssrc: running.ssrc, timestamp: running.timestamp });
    if (this.#finished.length > REMEMBERED_PRESSES) this.#finished.shift();
    const units = running.earlierUnits + running.units;
    return { key: keyOfEvent(running.event) ?? '', durationMs: Math.round((units * 1000) / this.#clockRate) };
  }

  #isFinished(packet: ArrivedTelephoneEvent): boolean {
    return this.#finished.some((press) => press.ssrc === packet.ssrc && press.timestamp === packet.timestamp);
  }
}

/** A stray packet of a press before the running one, too old to be remembered, must not end the running one. */
function isOlder(running: RunningEvent, packet: ArrivedTelephoneEvent): boolean {
  return running.ssrc === packet.ssrc && timestampDistance(running.timestamp, packet.timestamp) < 0;
}
