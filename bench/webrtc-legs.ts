// N legs of browsers in one media process, sound both ways: node bench/webrtc-legs.ts [--seconds 10] [legs ...]
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openMediaNode, type ChildMediaNode } from '../src/media/child-node.ts';
import type { MediaLeg } from '../src/media/media-node.ts';
import { claimPorts } from '../src/testkit/port-block.ts';
import { cpuSeconds, machineCpuSeconds } from './process-cost.ts';
import type { PeerCommand, PeerFigures, PeerReport } from './webrtc-peer.ts';

const SETTLING_MS = 1_500;
const OPEN_LIMIT_MS = 10_000;
/** Set-ups begin so far apart: a call each, not a crowd. */
const BETWEEN_CALLS_MS = 50;
const MAX_TRIES = 3;

class Peer {
  readonly #child: ChildProcess = fork(new URL('./webrtc-peer.ts', import.meta.url), [], { execArgv: [] });
  readonly #reports: PeerReport[] = [];
  #wake = (): void => undefined;

  constructor() {
    this.#child.on('message', (report) => {
      this.#reports.push(report as PeerReport);
      this.#wake();
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  send(command: PeerCommand): void {
    this.#child.send(command);
  }

  async take<K extends PeerReport['kind']>(kind: K, leg?: number): Promise<Extract<PeerReport, { kind: K }>> {
    const limit = performance.now() + OPEN_LIMIT_MS + (kind === 'measured' ? SECONDS * 1_000 : 0);
    for (;;) {
      const at = this.#reports.findIndex(
        (each) => each.kind === kind && (leg === undefined || ('leg' in each && each.leg === leg)),
      );
      if (at >= 0) return this.#reports.splice(at, 1)[0] as Extract<PeerReport, { kind: K }>;
      if (performance.now() > limit) throw new Error(`the peer did not report "${kind}" of leg ${leg ?? '-'}`);
      await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), sleep(100)]);
    }
  }

  async end(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.send({ kind: 'end' });
    await gone;
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '10' } },
});
const SECONDS = Number(values.seconds);
const SIZES = positionals.length === 0 ? [60] : positionals.map(Number);

/** From the offer to packets passing at the far end, in milliseconds. */
async function call(
  node: ChildMediaNode,
  peer: Peer,
  number: number,
): Promise<{ leg: MediaLeg; setUpMs: number } | undefined> {
  peer.send({ kind: 'offer', leg: number });
  const { sdp } = await peer.take('offered', number);
  const began = performance.now();
  const leg = await node.openLeg({ kind: 'webrtc', localAddress: '127.0.0.1' });
  peer.send({ kind: 'accept', leg: number, sdp: await leg.answerOffer(sdp) });
  if (!(await peer.take('opened', number)).open) {
    await leg.close();
    return undefined;
  }
  // A tone has each frame made and encoded; what comes in is decoded for a second leg's sake in a bridge, here for none.
  leg.play([{ kind: 'tone', hertz: [600], durationMs: 1_000 }], { loop: 0 });
  return { leg, setUpMs: performance.now() - began };
}

function percentile(values: readonly number[], share: number): string {
  const sorted = Float64Array.from(values).sort();
  return (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN).toFixed(1);
}

const spread = (values: readonly number[]): string =>
  [0.5, 0.99, 0.999, 1].map((at) => percentile(values, at)).join(' / ');

async function measure(size: number): Promise<void> {
  const cleanUps: (() => Promise<void>)[] = [];
  const { first, count } = await claimPorts({ after: (cleanUp) => void cleanUps.push(cleanUp) });
  const node = await openMediaNode({ portRange: { low: first, high: first + count - 1 } });
  const peer = new Peer();
  try {
    const setUps: number[] = [];
    const legs: MediaLeg[] = [];
    let number = 0;
    for (; legs.length < size; number += 1) {
      const made = await call(node, peer, number);
      if (made !== undefined) {
        legs.push(made.leg);
        setUps.push(made.setUpMs);
      } else if (number > MAX_TRIES * size) throw new Error(`${legs.length} of ${number} calls came to be`);
      await sleep(BETWEEN_CALLS_MS);
    }
    await sleep(SETTLING_MS);
    const before = { node: cpuSeconds(node.pid), peer: cpuSeconds(peer.pid), machine: machineCpuSeconds() };
    const receivedBefore = await received(legs);
    peer.send({ kind: 'measure', ms: SECONDS * 1_000 });
    const { legs: figures, beatLateMs } = await peer.take('measured');
    const used = { node: cpuSeconds(node.pid) - before.node, peer: cpuSeconds(peer.pid) - before.peer };
    const others = machineCpuSeconds() - before.machine - used.node - used.peer;
    const came = ((await received(legs)) - receivedBefore) / SECONDS / size;
    const lost = (await Promise.all(legs.map((leg) => leg.statistics()))).reduce(
      (sum, each) => sum + each.packetsLost,
      0,
    );
    report(size, figures);
    console.log(
      [
        `set-up ms ${spread(setUps)}, ${number - size} made again for the peer's sake`,
        `came in ${came.toFixed(1)}/s a leg, ${lost} lost`,
        `CPU ${((used.node * 1_000) / SECONDS / size).toFixed(2)} ms a leg-second (${((used.node * 100) / SECONDS).toFixed(0)} % of a core)`,
        `the peer's beat late ms ${spread(beatLateMs)}`,
        `others used ${((others * 100) / SECONDS).toFixed(0)} % of a core`,
      ].join('; '),
    );
  } finally {
    await node.close();
    await peer.end();
    for (const cleanUp of cleanUps) await cleanUp();
  }
}

async function received(legs: readonly MediaLeg[]): Promise<number> {
  const all = await Promise.all(legs.map((leg) => leg.statistics()));
  return all.reduce((sum, { packetsReceived }) => sum + packetsReceived, 0);
}

function report(size: number, figures: readonly PeerFigures[]): void {
  const sum = (of: (each: PeerFigures) => number): number => figures.reduce((total, each) => total + of(each), 0);
  const late = figures.flatMap(({ lateMs }) => lateMs);
  const rate = (sum(({ packets }) => packets) / SECONDS / size).toFixed(1);
  console.log(
    `${size} legs: ${rate}/s a leg went out, ${sum(({ lost }) => lost)} lost; late ms 50/99/99.9/100 %: ${spread(late)}`,
  );
}

for (const size of SIZES) await measure(size);
