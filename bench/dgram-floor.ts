// What node:dgram itself costs: an echo of datagrams as large as a REGISTER and its answer. node bench/dgram-floor.ts [rate ...]
import { createSocket, type Socket } from 'node:dgram';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpuSeconds } from './process-cost.ts';

const LOOPBACK = '127.0.0.1';
const REQUEST_BYTES = 500;
const ANSWER_BYTES = 400;
const SECONDS = 5;
const WARM_UP_SECONDS = 1;
const TURN_MS = 1;

if (process.argv[2] === 'echo') await echo();
else for (const rate of process.argv.length > 2 ? process.argv.slice(2).map(Number) : [4000, 8000]) await measure(rate);

/** The server: one datagram in, one out, nothing between. */
async function echo(): Promise<void> {
  const answer = Buffer.alloc(ANSWER_BYTES, 'a');
  const socket = await bound();
  socket.on('message', (_request, from) => socket.send(answer, from.port, from.address));
  process.send?.(socket.address().port);
}

async function measure(rate: number): Promise<void> {
  const server = fork(import.meta.filename, ['echo']);
  try {
    const [port] = (await once(server, 'message')) as [number];
    const client = await bound();
    let answers = 0;
    client.on('message', () => (answers += 1));
    await load(client, port, { rate, seconds: WARM_UP_SECONDS });
    const pid = server.pid ?? 0;
    const before = { cpu: cpuSeconds(pid), answers };
    await load(client, port, { rate, seconds: SECONDS });
    const [cpu, done] = [cpuSeconds(pid) - before.cpu, answers - before.answers];
    console.log(
      `${rate}/s asked, ${(done / SECONDS).toFixed(0)}/s answered, ${((cpu / done) * 1e6).toFixed(0)} us CPU each`,
    );
    client.close();
  } finally {
    server.kill();
  }
}

async function bound(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', lookup: (host, _options, found) => found(null, host, 4) });
  const listening = once(socket, 'listening');
  socket.bind(0, LOOPBACK);
  await listening;
  return socket;
}

async function load(
  client: Socket,
  port: number,
  { rate, seconds }: { readonly rate: number; readonly seconds: number },
): Promise<void> {
  const request = Buffer.alloc(REQUEST_BYTES, 'r');
  const started = performance.now();
  let sent = 0;
  while (sent < rate * seconds) {
    const due = Math.min(rate * seconds, ((performance.now() - started) / 1000) * rate);
    for (; sent < due; sent += 1) client.send(request, port, LOOPBACK);
    await new Promise((resolve) => setTimeout(resolve, TURN_MS));
  }
}
