// Calls created at once, let out at callsPerSecond, timed by the INVITEs that arrive at a phone: node bench/lane.ts [RATExCALLS ...]
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import twilio from 'twilio';
import { eventually } from '../src/testkit/eventually.ts';
import type { Scope } from '../src/testkit/scope.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';
import { measured } from './bench-scope.ts';

const FROM = '+12025550142';
const DEFAULT_RUNS = ['1x100', '10x200', '30x300'];
/** For the last call, beyond the time that the lane needs. */
const SPARE_MS = 15_000;

interface Run {
  readonly ratePerSecond: number;
  readonly calls: number;
}

function parseRun(text: string): Run {
  const [ratePerSecond = Number.NaN, calls = Number.NaN] = text.split('x').map(Number);
  if (!(ratePerSecond > 0) || !Number.isInteger(calls) || calls < 2)
    throw new Error(`"${text}": want RATExCALLS, as 1x100`);
  return { ratePerSecond, calls };
}

/** A phone that is always busy, and knows when each call first reached it. */
async function openBusyPhone(scope: Scope): Promise<{ readonly port: number; readonly arrivals: Map<string, number> }> {
  const arrivals = new Map<string, number>();
  const socket = createSocket('udp4');
  socket.on('message', (data, { address, port }) => {
    const at = performance.now();
    const text = data.toString('latin1');
    if (!text.startsWith('INVITE ')) return;
    const user = /^INVITE sip:(\w+)@/.exec(text)?.[1] ?? '';
    if (!arrivals.has(user)) arrivals.set(user, at);
    socket.send(busyAnswer(text), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  scope.after(() => new Promise<void>((resolve) => void socket.close(() => resolve())));
  return { port: socket.address().port, arrivals };
}

/** RFC 3261 8.2.6.2: what of the request goes into its answer. */
function busyAnswer(request: string): string {
  const copied = request.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq):/i.test(line));
  const headers = copied.map((line) => (/^To:/i.test(line) ? `${line};tag=busy` : line));
  return ['SIP/2.0 486 Busy Here', ...headers, 'Content-Length: 0', '', ''].join('\r\n');
}

async function measure(scope: Scope, { ratePerSecond, calls }: Run): Promise<string> {
  const phone = await openBusyPhone(scope);
  const tandem = await Tandem.start(scope, {
    config: { callsPerSecond: ratePerSecond, requestsPerSecond: 1000, numbers: [{ phoneNumber: FROM }] },
  });
  const client = twilio(tandem.ready.accountSid, tandem.ready.authToken);
  client.api.baseUrl = tandem.http;
  const createTo = (user: string): Promise<unknown> =>
    client.calls.create({ to: `sip:${user}@127.0.0.1:${phone.port}`, from: FROM, twiml: '<Response/>' });
  // The first call of a process finds its code uncompiled.
  await createTo('first');
  await eventually(() => client.calls.list({ status: 'busy' }), {
    until: ({ length }) => length === 1,
    what: 'its end',
  });
  await setTimeout(1000 / ratePerSecond);
  phone.arrivals.clear();
  const began = performance.now();
  await Promise.all(Array.from({ length: calls }, (_, index) => createTo(`u${index}`)));
  const createdMs = performance.now() - began;
  await eventually(async () => phone.arrivals.size, {
    until: (size) => size === calls,
    what: `${calls} INVITEs`,
    withinMs: (calls / ratePerSecond) * 1000 + SPARE_MS,
  });
  return report({ ratePerSecond, calls }, [...phone.arrivals.values()], createdMs);
}

function report({ ratePerSecond, calls }: Run, at: readonly number[], createdMs: number): string {
  const [first = 0] = at;
  const stepMs = 1000 / ratePerSecond;
  const measuredRate = ((calls - 1) * 1000) / ((at.at(-1) ?? 0) - first);
  const deviations = at
    .slice(1)
    .map((time, index) => Math.abs(time - (at[index] ?? 0) - stepMs))
    .sort((a, b) => a - b);
  const drift = Math.max(...at.map((time, index) => Math.abs(time - first - index * stepMs)));
  const part = (share: number): string => (deviations[Math.floor((deviations.length - 1) * share)] ?? 0).toFixed(2);
  return (
    `${calls} calls at ${ratePerSecond}/s (all created within ${(createdMs / 1000).toFixed(2)} s): ` +
    `${measuredRate.toFixed(4)}/s, ${(100 * (measuredRate / ratePerSecond - 1)).toFixed(3)} % off; ` +
    `interval off by 50 / 99 / 100 %: ${part(0.5)} / ${part(0.99)} / ${part(1)} ms; furthest from the beat: ${drift.toFixed(2)} ms`
  );
}

const words = process.argv.slice(2);
for (const run of (words.length > 0 ? words : DEFAULT_RUNS).map(parseRun)) {
  console.log(await measured((scope) => measure(scope, run)));
}
