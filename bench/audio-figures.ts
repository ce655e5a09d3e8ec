/** A packet that a leg played. Times are milliseconds since the measurement began. */
export interface SentPacket {
  readonly leg: number;
  readonly index: number;
  readonly atMs: number;
  /** When a generator that is never late would have sent it. */
  readonly dueMs: number;
}

/** A packet that a leg received. */
export interface HeardPacket {
  readonly leg: number;
  readonly atMs: number;
  readonly payloadType: number;
  readonly timestamp: number;
  /** The mark found in its sound: who played it, as which packet; NO_MARK when there is none. */
  readonly source: number;
  readonly index: number;
}

/** What the generator wrote down during a window of time, and shortly after it. */
export interface Capture {
  readonly windowMs: number;
  readonly sent: readonly SentPacket[];
  readonly heard: readonly HeardPacket[];
}

/** A leg, and the one that it ought to hear. */
export interface Listener {
  readonly leg: number;
  readonly hears: number;
}

/** In milliseconds; NaN when there was nothing to measure. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface AudioFigures {
  readonly legs: number;
  /** Sound received by all legs together. */
  readonly packetsPerSecond: number;
  /** Frames of 20 ms that the listeners needed in the window. */
  readonly frames: number;
  /** Of these, the ones that a listener had to leave silent: never there, or later than its play-out buffer is long. */
  readonly gaps: number;
  /** Packets played in the window, and how many of them were never heard by the other side. */
  readonly sent: number;
  readonly lost: number;
  /** Packets with the sound of somebody else's call. */
  readonly strangers: number;
  /** Of each packet, behind the stream's own beat (its earliest packet sets it). */
  readonly lateMs: Percentiles;
  /** From playing to hearing, of packets whose mark came through. */
  readonly delayMs: Percentiles;
}

/** 50, 99, 99.9 percent, and the worst. */
export function shown({ p50, p99, p999, max }: Percentiles): string {
  return [p50, p99, p999, max].map((value) => value.toFixed(1)).join('/');
}

export const FRAME_MS = 20;
/** The play-out buffer of the listener. */
export const PLAY_OUT_MS = 60;
export const NO_MARK = 0xffff_ffff;
const SAMPLES_PER_MS = 8;
const PCMU = 0;

/** What these listeners heard. Every stream is judged by itself and against the whole window, so that silence counts. */
export function audioFigures(capture: Capture, listeners: readonly Listener[]): AudioFigures {
  const heard = Map.groupBy(capture.heard, (packet) => packet.leg);
  const sent = Map.groupBy(capture.sent, (packet) => packet.leg);
  const beats: number[] = [];
  const delays: number[] = [];
  const sum = { packets: 0, frames: 0, gaps: 0, sent: 0, lost: 0, strangers: 0 };
  for (const { leg, hears } of listeners) {
    const stream = (heard.get(leg) ?? []).filter((packet) => packet.payloadType === PCMU);
    const beat = onTheBeat(stream, capture.windowMs);
    const inWindow = (sent.get(hears) ?? []).filter(({ atMs }) => atMs < capture.windowMs);
    const marks = new Map(stream.filter(({ source }) => source === hears).map(({ index, atMs }) => [index, atMs]));
    const found = inWindow.flatMap(({ index, atMs }) => (marks.get(index) ?? Number.NaN) - atMs);
    beats.push(...beat.lateMs);
    delays.push(...found.filter((delay) => !Number.isNaN(delay)));
    sum.packets += stream.filter(({ atMs }) => atMs < capture.windowMs).length;
    sum.frames += beat.frames;
    sum.gaps += beat.gaps;
    sum.sent += inWindow.length;
    sum.lost += found.filter(Number.isNaN).length;
    sum.strangers += stream.filter(({ source }) => source !== hears && source !== NO_MARK).length;
  }
  const { packets, ...rest } = sum;
  const packetsPerSecond = packets / (capture.windowMs / 1000);
  return {
    legs: listeners.length,
    packetsPerSecond,
    ...rest,
    lateMs: percentiles(beats),
    delayMs: percentiles(delays),
  };
}

/** How late the generator itself was: what it cannot keep, no server can be blamed for. */
export function generatorLateness(capture: Capture): Percentiles {
  return percentiles(capture.sent.map(({ atMs, dueMs }) => atMs - dueMs));
}

interface Beat {
  readonly lateMs: readonly number[];
  readonly frames: number;
  readonly gaps: number;
}

/** Places the packets of one stream on the 20 ms beat that its timestamps and its earliest packet tell. */
function onTheBeat(stream: readonly HeardPacket[], windowMs: number): Beat {
  const [first] = stream;
  if (first === undefined)
    return { lateMs: [], frames: Math.floor(windowMs / FRAME_MS), gaps: Math.floor(windowMs / FRAME_MS) };
  // Timestamps are 32 bits and wrap.
  const placed = stream.map(({ timestamp, atMs }) => {
    return { atMs, mediaMs: ((timestamp - first.timestamp) | 0) / SAMPLES_PER_MS };
  });
  const beginsMs = placed.reduce((least, { atMs, mediaMs }) => Math.min(least, atMs - mediaMs), Infinity);
  const firstFrame = Math.ceil(-beginsMs / FRAME_MS);
  const frames = Math.ceil((windowMs - beginsMs) / FRAME_MS) - firstFrame;
  const onTime = new Set<number>();
  const lateMs: number[] = [];
  for (const { atMs, mediaMs } of placed) {
    const frame = Math.round(mediaMs / FRAME_MS);
    if (frame < firstFrame || frame >= firstFrame + frames) continue;
    const late = atMs - (beginsMs + mediaMs);
    lateMs.push(late);
    if (late <= PLAY_OUT_MS) onTime.add(frame);
  }
  return { lateMs, frames, gaps: frames - onTime.size };
}

function percentiles(values: readonly number[]): Percentiles {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) };
}
