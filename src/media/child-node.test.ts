import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { claimPorts } from '../testkit/port-block.ts';
import { temporaryFolder } from '../testkit/temporary-folder.ts';
import { mediaNodeCompliance } from './compliance.ts';
import type { OpenMediaWorld } from './test/compliance-world.ts';
import { openMediaNode, type ChildMediaNode } from './child-node.ts';
import { MediaError } from './media-error.ts';
import { openMediaPool } from './media-pool.ts';
import { joinFrames } from './test/join-frames.ts';
import { openChild, PATIENT } from './test/open-child.ts';

const LOOPBACK = { kind: 'rtp', localAddress: '127.0.0.1' } as const;
const TESTS_AT_ONCE = 8;

// One process serves most of the suite: that is how it is used, and starting one for each test would only heat the room.
let shared: Promise<ChildMediaNode> | undefined;
const wholeFile: (() => void | Promise<void>)[] = [];
after(async () => {
  for (const cleanUp of wholeFile.reverse()) await cleanUp();
});

const openWorld: OpenMediaWorld = async (context, options) => {
  shared ??= openChild({ after: (cleanUp) => wholeFile.push(cleanUp) });
  const node = Object.keys(options).length > 0 ? await openChild(context, options) : await shared;
  return { node, settle: (promise) => promise, pass: (ms) => sleep(ms), leastShare: 0.6, join: joinFrames };
};

mediaNodeCompliance({ name: 'media node in a child process', leg: LOOPBACK, concurrency: TESTS_AT_ONCE }, openWorld);
mediaNodeCompliance(
  { name: 'legs whose packets are messages, in a child process', leg: { kind: 'frames' }, concurrency: TESTS_AT_ONCE },
  openWorld,
);

it('settles everything with lost when the process dies, and tells so once', async (context) => {
  const node = await openChild(context);
  const leg = await node.openLeg(LOOPBACK);
  const folder = temporaryFolder(context, 'media');
  const reasons: string[] = [];
  const lost = new Promise<void>((resolve) => {
    node.onLost((reason) => {
      reasons.push(reason);
      resolve();
    });
  });
  const playback = leg.play([{ kind: 'silence', durationMs: 60_000 }]);
  const recording = leg.record({ path: join(folder, 'lost.wav') });
  process.kill(node.pid, 'SIGKILL');
  const late = leg.createOffer();
  await assert.rejects(late, (error) => error instanceof MediaError && error.code === 'lost');
  assert.equal((await playback.done).error, 'lost');
  assert.equal((await recording.done).error, 'lost');
  await lost;
  await assert.rejects(node.openLeg(LOOPBACK), (error) => error instanceof MediaError && error.code === 'lost');
  assert.equal((await leg.play([]).done).error, 'lost');
  assert.equal((await leg.close()).packetsSent, 0);
  assert.equal(node.load().accepting, false);
  assert.deepEqual(reasons, ['it was ended by SIGKILL']);
});

it('is not told as lost when it is closed', async (context) => {
  const node = await openChild(context);
  node.onLost(() => assert.fail('told as lost'));
  await node.close();
  await assert.rejects(node.openLeg(LOOPBACK), (error) => error instanceof MediaError);
});

it('outlives the signals of a terminal, and dies with its owner', async (context) => {
  const { first, count } = await claimPorts(context);
  const main = fileURLToPath(new URL('./media-process.ts', import.meta.url));
  const child = fork(main, [], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const options = { id: 'media-1', portRange: { low: first, high: first + count - 1 } };
  child.send({ kind: 'start', request: 1, options });
  await once(child, 'message');
  child.kill('SIGINT');
  child.kill('SIGTERM');
  child.send({ kind: 'open-leg', request: 2, leg: 3, options: LOOPBACK });
  const [opened] = (await once(child, 'message')) as [{ kind: string }];
  assert.ok(opened.kind === 'reply' || opened.kind === 'load');
  const exited = once(child, 'exit');
  child.disconnect();
  assert.deepEqual(await exited, [0, null]);
});

it('a pool opens legs where there are fewest, or near another, and replaces a dead process', async (context) => {
  const { first, count } = await claimPorts(context);
  const children: ChildMediaNode[] = [];
  const opened: (() => void)[] = [];
  const pool = await openMediaPool({
    ...PATIENT,
    portRange: { low: first, high: first + count - 1 },
    processes: 2,
    open: async (options) => {
      const child = await openMediaNode(options);
      children.push(child);
      opened.shift()?.();
      return child;
    },
  });
  context.after(() => pool.close());
  const one = await pool.openLeg(LOOPBACK);
  const two = await pool.openLeg(LOOPBACK);
  const three = await pool.openLeg(LOOPBACK, one);
  assert.notEqual(one.node, two.node);
  assert.equal(three.node, one.node);
  await (await pool.bridge([one, three])).close();
  await assert.rejects(pool.bridge([one, two]), (error) => error instanceof MediaError);
  assert.equal(pool.load().legs, 3);

  const lost = Promise.withResolvers<string>();
  pool.onLost(lost.resolve);
  const replaced = new Promise<void>((resolve) => opened.push(resolve));
  process.kill(children.find((child) => child === one.node)?.pid ?? 0, 'SIGKILL');
  await lost.promise;
  assert.equal(pool.load().legs, 1);
  await replaced;
  await new Promise(setImmediate);
  while (pool.load().legs < 2) await pool.openLeg(LOOPBACK);
  assert.equal(children.length, 3);
  assert.deepEqual(
    children.filter((child) => child !== one.node).map((child) => child.load().legs),
    [1, 1],
  );
});
