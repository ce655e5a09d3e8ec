import { setTimeout as sleep } from 'node:timers/promises';
import { after } from 'node:test';
import type { Scope } from '../testkit/scope.ts';
import type { ChildMediaNode } from './child-node.ts';
import { mediaNodeCompliance, type OpenMediaWorld } from './compliance.ts';
import type { MediaLeg, WebRtcLegOptions } from './media-node.ts';
import { openChild } from './test/open-child.ts';

const BROWSER: WebRtcLegOptions = { kind: 'webrtc', localAddress: '127.0.0.1' };
/** A browser has ports of its own for each call. */
const FAR_END: WebRtcLegOptions = { ...BROWSER, ownPort: true };
const TESTS_AT_ONCE = 4;

const wholeFile: (() => void | Promise<void>)[] = [];
const file: Scope = { after: (cleanUp) => void wholeFile.push(cleanUp) };
after(async () => {
  for (const cleanUp of wholeFile.reverse()) await cleanUp();
});
/** The service's process and that of the far ends, for most of the file. */
let shared: Promise<readonly [ChildMediaNode, ChildMediaNode]> | undefined;
function openTwo(scope: Scope, options = {}): Promise<readonly [ChildMediaNode, ChildMediaNode]> {
  return Promise.all([openChild(scope, options), openChild(scope, options)]);
}

function connected(leg: MediaLeg): Promise<void> {
  return new Promise((resolve) => leg.onEvent((event) => event.kind === 'connected' && resolve()));
}

const openWorld: OpenMediaWorld = async (context, options) => {
  shared ??= openTwo(file);
  const [node, far] = Object.keys(options).length > 0 ? await openTwo(context, options) : await shared;
  return {
    node,
    farEnds: { node: far, leg: FAR_END },
    join: async (one, other) => {
      await Promise.all([connected(one), connected(other)]);
    },
    settle: (promise) => promise,
    pass: (ms) => sleep(ms),
    leastShare: 0.6,
  };
};

mediaNodeCompliance({ name: 'legs of browsers', leg: BROWSER, concurrency: TESTS_AT_ONCE }, openWorld);
