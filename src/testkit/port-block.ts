import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { atEnd, type Scope } from './scope.ts';

/** Below the range from which the kernel hands out ports, so that nothing lands here by chance. */
const LOWEST = 12_288;
const HIGHEST = 32_512;
const BLOCK_PORTS = 128;
const ADDRESS = '127.0.0.1';
const MAX_TRIES = 100;

/** `first` is even; `count` ports from there on belong to the test. */
export interface PortBlock {
  readonly first: number;
  readonly count: number;
}

/**
 * Claims ports for a peer that cannot take port 0. The port before the first is held by a socket of this process until
 * the test is over: that is the lock between tests that run at the same time.
 */
export async function claimPorts(scope: Scope): Promise<PortBlock> {
  const blocks = Math.floor((HIGHEST - LOWEST) / BLOCK_PORTS);
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const base = LOWEST + BLOCK_PORTS * Math.floor(Math.random() * blocks);
    const lock = await bindDatagrams(base + 1);
    if (lock === undefined) continue;
    const block = { first: base + 2, count: BLOCK_PORTS - 2 };
    if (await allFree(block)) {
      atEnd(scope, () => closed(lock));
      return block;
    }
    await closed(lock);
  }
  throw new Error(`no ${BLOCK_PORTS} free ports between ${LOWEST} and ${HIGHEST} after ${MAX_TRIES} tries`);
}

async function allFree({ first, count }: PortBlock): Promise<boolean> {
  for (let port = first; port < first + count; port++) {
    const datagrams = await bindDatagrams(port);
    if (datagrams === undefined) return false;
    await closed(datagrams);
  }
  return (await listens(first)) && (await listens(first + 2));
}

async function bindDatagrams(port: number): Promise<Socket | undefined> {
  const socket = createSocket('udp4');
  const { promise, resolve } = Promise.withResolvers<Socket | undefined>();
  socket.once('error', () => resolve(undefined));
  socket.bind({ address: ADDRESS, port, exclusive: true }, () => resolve(socket));
  const bound = await promise;
  bound?.unref();
  return bound;
}

async function closed(socket: Socket): Promise<void> {
  const over = once(socket, 'close');
  socket.close();
  await over;
}

async function listens(port: number): Promise<boolean> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  server.once('error', () => resolve(false));
  server.listen(port, ADDRESS, () => server.close(() => resolve(true)));
  return promise;
}
