// More calls of two legs than the machine can carry: the sound of those that are up already, and what becomes of the rest.
// node bench/overload.ts [--seconds S] [--live N] [--processes N] [offered calls ...]
import { parseArgs } from 'node:util';
import type { Scope } from '../src/testkit/scope.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';
import { WebApplication } from '../src/testkit/web-application.ts';
import { audioFigures, generatorLateness, shown, type Listener } from './audio-figures.ts';
import { measured } from './bench-scope.ts';
import { cpuSeconds, cpuSecondsByRole, machineCpuSeconds } from './process-cost.ts';
import { RtpLoad } from './rtp-load.ts';
import { CallFailedError, TwoLegCalls } from './two-leg-calls.ts';

const { values, positionals } = parseArgs({
  options: {
    seconds: { type: 'string', default: '40' },
    live: { type: 'string', default: '100' },
    processes: { type: 'string' },
  },
  allowPositionals: true,
});
const WINDOW_MS = Number(values.seconds) * 1000;
/** Calls that are up before more are offered, and judged. */
const LIVE = Number(values.live);
const SIZES = positionals.length === 0 ? [240, 400] : positionals.map(Number);
const NUMBER = '+12025550100';
const RTP_PORTS = '10240-12287';
const SETTLE_MS = 1500;
const CALLS_PER_SECOND = 20;
/** Who was refused and told no time calls again after this. */
const AGAIN_AFTER_MS = 2000;

interface Offered {
  accepted: number;
  /** How often a call was refused, by what it was told. */
  readonly refusals: Map<string, number>;
}

async function measure(scope: Scope, offered: number): Promise<void> {
  const application = await WebApplication.start(scope);
  const load = await RtpLoad.start(scope, 2 * offered);
  const lines = await TwoLegCalls.open(scope, load, (leg, to) => load.send(leg, to));
  const voiceUrl = application.on('/voice', ({ params }) => {
    const call = Number(/load-(\d+)/.exec(params['From'] ?? '')?.[1]);
    const record = call % 2 === 1 ? ' record="record-from-answer"' : '';
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
  const place = (call: number): Promise<void> => lines.call(call, `sip:${NUMBER}@${server.sip}`);
  for (let call = 0; call < LIVE; call += 1) {
    await place(call);
    await delay(1000 / CALLS_PER_SECOND);
  }
  await delay(SETTLE_MS);
  const before = { ...cpuSecondsByRole(server.ready.pid), all: machineCpuSeconds(), bench: cpuSeconds(process.pid) };
  const capturing = load.measure(WINDOW_MS);
  const result = await offer(place, offered);
  const capture = await capturing;
  const after = { ...cpuSecondsByRole(server.ready.pid), all: machineCpuSeconds(), bench: cpuSeconds(process.pid) };
  const heard = audioFigures(capture, listeners());
  const cores = (from: number, to: number): string => ((to - from) / (WINDOW_MS / 1000)).toFixed(2);
  const refused = [...result.refusals].map(([what, times]) => `${times} of ${what}`).join(', ');
  console.log(
    `${offered} calls offered: ${LIVE + result.accepted} carried, refusals: ${refused === '' ? 'none' : refused}\n` +
      `  the first ${LIVE}: ${heard.gaps} gaps in ${heard.frames} frames, ${heard.lost} of ${heard.sent} lost, ` +
      `late ${shown(heard.lateMs)} ms, ${lines.lost} legs ended although nobody hung up\n` +
      `  cores: main ${cores(before.main, after.main)}, media ${cores(before.media, after.media)}, ` +
      `other programs ${cores(before.all - before.bench, after.all - after.bench)}; ` +
      `the generator late ${shown(generatorLateness(capture))} ms`,
  );
  await lines.hangUp();
}

/** Offers the rest at an even pace until the window is nearly over; who is refused calls again when he was told to. */
async function offer(place: (call: number) => Promise<void>, offered: number): Promise<Offered> {
  const result: Offered = { accepted: 0, refusals: new Map() };
  const until = performance.now() + WINDOW_MS - SETTLE_MS;
  const waiting = Array.from({ length: offered - LIVE }, (_, index) => ({ call: LIVE + index, notBefore: 0 }));
  const placed: Promise<void>[] = [];
  while (performance.now() < until) {
    const next = waiting.findIndex(({ notBefore }) => notBefore <= performance.now());
    const [caller] = next < 0 ? [] : waiting.splice(next, 1);
    if (caller !== undefined) placed.push(tryOnce(caller.call));
    await delay(1000 / CALLS_PER_SECOND);
  }
  await Promise.all(placed);
  return result;

  async function tryOnce(call: number): Promise<void> {
    try {
      await place(call);
      result.accepted += 1;
    } catch (error) {
      const failure = error instanceof CallFailedError ? error.failure : undefined;
      const what =
        failure === undefined
          ? 'no answer'
          : `${failure.status}${failure.retryAfterMs === undefined ? '' : ` with Retry-After ${failure.retryAfterMs / 1000} s`}`;
      result.refusals.set(what, (result.refusals.get(what) ?? 0) + 1);
      waiting.push({ call, notBefore: performance.now() + (failure?.retryAfterMs ?? AGAIN_AFTER_MS) });
    }
  }
}

function listeners(): readonly Listener[] {
  return Array.from({ length: 2 * LIVE }, (_, leg) => ({ leg, hears: leg % 2 === 0 ? leg + 1 : leg - 1 }));
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

for (const offered of SIZES) await measured((scope) => measure(scope, offered));
