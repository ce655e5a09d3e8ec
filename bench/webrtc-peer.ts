/**
 * The far ends of bench/webrtc-legs.ts, a process of their own: bare node-datachannel, an offerer with a port of its own for
 * each leg, as a browser is. Each plays marked-up silence on a 20 ms beat and notes when packets came.
 */
import { Audio, cleanup, PeerConnection, type Track } from 'node-datachannel';

export type PeerCommand =
  | { readonly kind: 'offer'; readonly leg: number }
  | { readonly kind: 'accept'; readonly leg: number; readonly sdp: string }
  | { readonly kind: 'measure'; readonly ms: number }
  | { readonly kind: 'end' };

export type PeerReport =
  | { readonly kind: 'offered'; readonly leg: number; readonly sdp: string }
  | { readonly kind: 'opened'; readonly leg: number; readonly open: boolean }
  | { readonly kind: 'measured'; readonly legs: readonly PeerFigures[]; readonly beatLateMs: readonly number[] };

/** `late`: of each packet behind the beat that the stream's earliest packet sets. */
export interface PeerFigures {
  readonly packets: number;
  readonly lost: number;
  readonly lateMs: readonly number[];
}

interface Leg {
  readonly connection: PeerConnection;
  readonly track: Track;
  readonly arrivals: { readonly sequence: number; readonly timestamp: number; readonly atMs: number }[];
}

const FRAME_MS = 20;
const FRAME_SAMPLES = 160;
const SAMPLES_PER_MS = 8;
const HEADER_BYTES = 12;
const legs = new Map<number, Leg>();
let measuring = false;
let beatLateMs: number[] = [];

function tell(report: PeerReport): void {
  process.send?.(report);
}

function offer(number: number): void {
  const connection = new PeerConnection(`peer-${number}`, {
    iceServers: [],
    bindAddress: '127.0.0.1',
    disableAutoNegotiation: true,
  });
  const audio = new Audio('0', 'SendRecv');
  audio.addAudioCodec(0, 'PCMU/8000');
  audio.addSSRC(number + 1, 'peer', 'peer', 'audio');
  const track = connection.addTrack(audio);
  const leg: Leg = { connection, track, arrivals: [] };
  legs.set(number, leg);
  track.onOpen(() => tell({ kind: 'opened', leg: number, open: true }));
  connection.onStateChange((state) => {
    if (state === 'failed') fail(number);
  });
  track.onMessage((packet) => {
    const second = packet[1] ?? 0;
    if (!measuring || (second >= 192 && second <= 223)) return;
    leg.arrivals.push({
      sequence: packet.readUInt16BE(2),
      timestamp: packet.readUInt32BE(4),
      atMs: performance.now(),
    });
  });
  connection.onGatheringStateChange((state) => {
    if (state === 'complete') tell({ kind: 'offered', leg: number, sdp: connection.localDescription()?.sdp ?? '' });
  });
  connection.setLocalDescription('offer');
}

/** The library as offerer may be overtaken by the other side's handshake (docs/decisions/0009): then the call is made again. */
function fail(number: number): void {
  if (legs.delete(number)) tell({ kind: 'opened', leg: number, open: false });
}

function accept(number: number, sdp: string): void {
  try {
    legs.get(number)?.connection.setRemoteDescription(sdp, 'answer');
  } catch {
    fail(number);
  }
}

let beat = 0;
const began = performance.now();
function play(): void {
  if (measuring) beatLateMs.push(performance.now() - began - beat * FRAME_MS);
  for (const [number, { track }] of legs) {
    if (!track.isOpen()) continue;
    const packet = Buffer.alloc(HEADER_BYTES + FRAME_SAMPLES, 0xff);
    packet.writeUInt16BE(0x8000, 0);
    packet.writeUInt16BE(beat & 0xffff, 2);
    packet.writeUInt32BE((beat * FRAME_SAMPLES) >>> 0, 4);
    packet.writeUInt32BE(number + 1, 8);
    track.sendMessageBinary(packet);
  }
  beat += 1;
  setTimeout(play, Math.max(0, began + beat * FRAME_MS - performance.now()));
}

function figuresOf({ arrivals }: Leg): PeerFigures {
  const [first] = arrivals;
  if (first === undefined) return { packets: 0, lost: 0, lateMs: [] };
  const sequences = arrivals.map(({ sequence }) => ((sequence - first.sequence) << 16) >> 16);
  const offsets = arrivals.map(({ timestamp, atMs }) => atMs - ((timestamp - first.timestamp) | 0) / SAMPLES_PER_MS);
  const beginsMs = Math.min(...offsets);
  const expected = Math.max(...sequences) - Math.min(...sequences) + 1;
  return { packets: arrivals.length, lost: expected - arrivals.length, lateMs: offsets.map((at) => at - beginsMs) };
}

function measure(ms: number): void {
  for (const { arrivals } of legs.values()) arrivals.length = 0;
  beatLateMs = [];
  measuring = true;
  setTimeout(() => {
    measuring = false;
    tell({ kind: 'measured', legs: [...legs.values()].map(figuresOf), beatLateMs });
  }, ms);
}

function obey(command: PeerCommand): void {
  switch (command.kind) {
    case 'offer':
      return offer(command.leg);
    case 'accept':
      return accept(command.leg, command.sdp);
    case 'measure':
      return measure(command.ms);
    case 'end':
      for (const { connection } of legs.values()) connection.close();
      cleanup();
      return process.exit(0);
    default:
      return command satisfies never;
  }
}

process.on('message', (command) => obey(command as PeerCommand));
process.on('disconnect', () => process.exit(0));
play();
