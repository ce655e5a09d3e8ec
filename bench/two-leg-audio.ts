// Calls of two legs with G.711 sound, judged by what the far ends hear; rtpengine relays the same number of streams.
// node bench/two-leg-audio.ts [--seconds S] [--runs peer,relayed,half] [--processes N] [calls ...]
import { parseArgs } from 'node:util';
import type { Scope } from '../src/testkit/scope.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';
import { WebApplication } from '../src/testkit/web-application.ts';
import { audioFigures, generatorLateness, shown, type Listener } from './audio-figures.ts';
import { measured } from './bench-scope.ts';
import { cpuSeconds, cpuSecondsByRole, machineCpuSeconds } from './process-cost.ts';
import { RtpLoad } from './rtp-load.ts';
import { RtpenginePeer } from './rtpengine-peer.ts';
import { audioDescription, audioEndpoint, CallFailedError, TwoLegCalls } from './two-leg-calls.ts';

const { values, positionals } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    runs: { type: 'string', default: 'peer,relayed,half' },
    processes: { type: 'string' },
  },
  allowPositionals: true,
});
/** `peer`: rtpengine relays all; `relayed`: Tandem relays all; `half`: Tandem relays one half and records the other. */
const RUNS = {
  peer: rtpengine,
  relayed: (scope: Scope, calls: number) => tandem(scope, calls, false),
  half: (scope: Scope, calls: number) => tandem(scope, calls, true),
} as const;
const WINDOW_MS = Number(values.seconds) * 1000;
const SIZES = positionals.length === 0 ? [10, 50, 100] : positionals.map(Number);
const NUMBER = '+12025550100';
/** Below the blocks that tests claim, and below the kernel's own choice of ports. */
const RTP_PORTS = '10240-12287';
/** The last call has had its first half second, and jitter buffers have found their depth. */
const SETTLE_MS = 1500;
const CALLS_PER_SECOND = 20;
const OVER_WITHIN_MS = 5000;
const MAX_REFUSALS = 5;
/** A generator that is later than this in one packet of a hundred makes the lateness that it measures. */
const GENERATOR_LATE_MS = 5;
/** What everybody else may use of the processors before a measurement says more about them. */
const OTHERS_CORES = 0.2;

interface Row {
  readonly server: string;
  readonly calls: number;
  /** Rows of one measurement: kinds of legs by call number. */
  readonly kinds: Readonly<Record<string, (call: number) => boolean>>;
  readonly load: RtpLoad;
  readonly pid: number;
}

async function measure({ server, calls, kinds, load, pid }: Row): Promise<void> {
  await delay(SETTLE_MS);
  const before = cpuUse(pid);
  const from = performance.now();
  const capture = await load.measure(WINDOW_MS);
  const after = cpuUse(pid);
  const seconds = (performance.now() - from) / 1000;
  const legSeconds = 2 * calls * seconds;
  const cost = (role: 'main' | 'media' | 'other'): number => ((after[role] - before[role]) / legSeconds) * 1000;
  const all = cost('main') + cost('media') + cost('other');
  const split = cost('media') === 0 ? '' : ` (main ${cost('main').toFixed(2)}, media ${cost('media').toFixed(2)})`;
  for (const [kind, isOne] of Object.entries(kinds)) {
    const heard = audioFigures(capture, listeners(calls, isOne));
    const rate = heard.packetsPerSecond.toFixed(0);
    console.log(
      `${server.padEnd(9)} ${`${calls} calls`.padStart(9)}: ${String(heard.legs).padStart(3)} legs ${kind.padEnd(8)} ${rate.padStart(5)} packets/s, ` +
        `${heard.gaps} gaps in ${heard.frames} frames, ${heard.lost} of ${heard.sent} lost, ` +
        `late ${shown(heard.lateMs)} ms, delay ${shown(heard.delayMs)} ms, CPU ${all.toFixed(2)} ms per leg-second${split}`,
    );
    if (heard.strangers > 0) console.log(`WRONG: ${heard.strangers} packets with the sound of another call`);
  }
  const others = (after.machine - after.bench - (before.machine - before.bench)) / seconds;
  if (others > OTHERS_CORES) console.log(`  DOUBTFUL: other programs used ${others.toFixed(1)} cores meanwhile`);
  const own = generatorLateness(capture);
  if (own.p99 > GENERATOR_LATE_MS) console.log(`  DOUBTFUL: the generator itself was late, ${shown(own)} ms`);
}

interface CpuUse {
  readonly main: number;
  readonly media: number;
  readonly other: number;
  /** The server, the generator and this process. */
  readonly bench: number;
  readonly machine: number;
}

function cpuUse(server: number): CpuUse {
  return { ...cpuSecondsByRole(server), bench: cpuSeconds(process.pid), machine: machineCpuSeconds() };
}

function listeners(calls: number, isOne: (call: number) => boolean): readonly Listener[] {
  return Array.from({ length: calls }, (_, call) => call)
    .filter(isOne)
    .flatMap((call) => [
      { leg: 2 * call, hears: 2 * call + 1 },
      { leg: 2 * call + 1, hears: 2 * call },
    ]);
}

async function rtpengine(scope: Scope, calls: number): Promise<void> {
  const peer = await RtpenginePeer.start(scope, RTP_PORTS);
  const load = await RtpLoad.start(scope, 2 * calls);
  for (let call = 0; call < calls; call += 1) {
    const [caller = 0, callee = 0] = load.ports.slice(2 * call);
    const told = await peer.join(`call-${call}`, audioDescription(caller), audioDescription(callee));
    load.send(2 * call, audioEndpoint(told.answer));
    load.send(2 * call + 1, audioEndpoint(told.offer));
  }
  await measure({ server: 'rtpengine', calls, kinds: { relayed: () => true }, load, pid: peer.pid });
}

/** With `recordHalf`, every second call is recorded: its sound is decoded, mixed and encoded instead of passed on. */
async function tandem(scope: Scope, calls: number, recordHalf: boolean): Promise<void> {
  const isRecorded = (call: number): boolean => recordHalf && call % 2 === 1;
  const application = await WebApplication.start(scope);
  const load = await RtpLoad.start(scope, 2 * calls);
  const lines = await TwoLegCalls.open(scope, load, (leg, to) => load.send(leg, to));
  const voiceUrl = application.on('/voice', ({ params }) => {
    const call = Number(/load-(\d+)/.exec(params['From'] ?? '')?.[1]);
    const record = isRecorded(call) ? ' record="record-from-answer"' : '';
    return `<Dial${record}><Sip>sip:callee-${call}@${lines.address}</Sip></Dial>`;
  });
  const server = await Tandem.start(scope, {
    config: {
      numbers: [{ phoneNumber: NUMBER, voiceUrl }],
      trunks: [{ name: 'load', uri: `sip:${lines.address}`, maxCalls: 10_000 }],
      ...(values.processes === undefined ? {} : { mediaProcesses: Number(values.processes) }),
    },
    flags: ['--rtp', RTP_PORTS],
  });
  application.authToken = server.ready.authToken;
  let refusals = 0;
  for (let call = 0; call < calls; call += 1) {
    refusals += await placed(() => lines.call(call, `sip:${NUMBER}@${server.sip}`));
    await delay(1000 / CALLS_PER_SECOND);
  }
  if (refusals > 0) console.log(`  calls were refused ${refusals} times, and came again`);
  const kinds = recordHalf
    ? { relayed: (call: number) => !isRecorded(call), recorded: isRecorded }
    : { relayed: () => true };
  await measure({ server: 'Tandem', calls, kinds, load, pid: server.ready.pid });
  if (lines.lost > 0) console.log(`WRONG: ${lines.lost} legs ended although nobody hung up`);
  await lines.hangUp();
  await accounted(server, calls, recordHalf ? Math.floor(calls / 2) : 0);
}

/** A phone that is refused for now calls again when it was told to. Resolves with how often it was refused. */
async function placed(place: () => Promise<void>): Promise<number> {
  for (let refused = 0; ; refused += 1) {
    try {
      await place();
      return refused;
    } catch (error) {
      const again = error instanceof CallFailedError ? error.failure.retryAfterMs : undefined;
      if (again === undefined || refused === MAX_REFUSALS) throw error;
      await delay(again);
    }
  }
}

/** Every call is over and every recording written: what is left behind is said. */
async function accounted(server: Tandem, calls: number, recordings: number): Promise<void> {
  const account = `/2010-04-01/Accounts/${server.ready.accountSid}`;
  const until = performance.now() + OVER_WITHIN_MS;
  for (;;) {
    const ended = await count(server, `${account}/Calls.json?Status=completed&PageSize=1000`, 'calls');
    const written = await count(server, `${account}/Recordings.json?PageSize=1000`, 'recordings');
    if (ended === 2 * calls && written === recordings) return;
    if (performance.now() > until) {
      console.log(`WRONG: ${ended} of ${2 * calls} calls completed, ${written} of ${recordings} recordings written`);
      return;
    }
    await delay(100);
  }
}

async function count(server: Tandem, path: string, list: 'calls' | 'recordings'): Promise<number> {
  const page = (await (await server.fetch(path)).json()) as Record<string, readonly { status: string }[] | undefined>;
  return (page[list] ?? []).filter(({ status }) => status === 'completed').length;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

console.log('late and delay: 50 %, 99 %, 99.9 %, worst');
for (const calls of SIZES) {
  for (const name of values.runs.split(',')) {
    const run = RUNS[name as keyof typeof RUNS] as (typeof RUNS)[keyof typeof RUNS] | undefined;
    if (run === undefined) throw new Error(`--runs ${name}: want some of ${Object.keys(RUNS).join(', ')}`);
    await measured((scope) => run(scope, calls));
  }
}
