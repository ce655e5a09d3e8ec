import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, describe, it } from 'node:test';
import type { Scope } from '../testkit/scope.ts';
import { secondsOfTone } from '../testkit/sound-measure.ts';
import { temporaryFolder } from '../testkit/temporary-folder.ts';
import type { ChildMediaNode } from './child-node.ts';
import { mediaNodeCompliance } from './compliance.ts';
import { connect, heardOf, type OpenMediaWorld } from './test/compliance-world.ts';
import { MediaError } from './media-error.ts';
import type { LegEvent, MediaErrorCode, MediaLeg, WebRtcLegOptions } from './media-node.ts';
import { joinFrames } from './test/join-frames.ts';
import { openChild } from './test/open-child.ts';

const BROWSER: WebRtcLegOptions = { kind: 'webrtc', localAddress: '127.0.0.1' };
/** A browser has ports of its own for each call. */
const FAR_END: WebRtcLegOptions = { ...BROWSER, ownPort: true };
const TESTS_AT_ONCE = 4;
/** Sound that goes nowhere would be waited for without end. */
const HUNG_MS = 30_000;

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

async function refusedWith(code: MediaErrorCode, work: Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error) => error instanceof MediaError && error.code === code);
}

const withoutLine = (sdp: string, name: string): string => sdp.replace(new RegExp(`^a=${name}.*\r\n`, 'gm'), '');

describe('descriptions of a browser', () => {
  it('are refused by name when they are none, or have no codec, no keys or no common port for RTCP', async (context) => {
    const [node, far] = await (shared ??= openTwo(file));
    const [leg, browser] = await Promise.all([node.openLeg(BROWSER), far.openLeg(FAR_END)]);
    context.after(async () => {
      await Promise.all([leg.close(), browser.close()]);
    });
    const offer = await browser.createOffer();
    await refusedWith('bad-sdp', leg.answerOffer('v=0 and nonsense'));
    const opus = offer.replace(/ 0 8 101\r/, ' 111\r').replace(/^a=rtpmap:0 .*\r$/m, 'a=rtpmap:111 opus/48000/2\r');
    await refusedWith('not-acceptable', leg.answerOffer(opus));
    for (const name of ['fingerprint', 'ice-ufrag', 'ice-pwd', 'setup', 'rtcp-mux']) {
      await refusedWith('not-acceptable', leg.answerOffer(withoutLine(offer, name)));
    }
    await refusedWith('not-acceptable', leg.answerOffer(offer.replace('sha-256', 'sha-1')));
    await refusedWith('not-acceptable', leg.answerOffer(offer.replace('UDP/TLS/RTP/SAVPF', 'RTP/AVP')));
    assert.match(await leg.answerOffer(offer), /^a=setup:active\r$/m);
  });

  it('are answered by one browser alone', async (context) => {
    const [node, far] = await (shared ??= openTwo(file));
    const legs = await Promise.all([node.openLeg(BROWSER), far.openLeg(FAR_END), far.openLeg(FAR_END)]);
    context.after(async () => {
      await Promise.all(legs.map((leg) => leg.close()));
    });
    const [caller, one, other] = legs;
    const offer = await caller.createOffer();
    const [first, second] = await Promise.all([one.answerOffer(offer), other.answerOffer(offer)]);
    await caller.acceptAnswer(first);
    await caller.acceptAnswer(first);
    await refusedWith('not-acceptable', caller.acceptAnswer(second));
  });

  it('name the advertised addresses, and the loopback where it is wished', async (context) => {
    const [node] = await (shared ??= openTwo(file));
    const leg = await node.openLeg({
      ...BROWSER,
      localAddress: '0.0.0.0',
      advertisedAddresses: ['192.0.2.7', '192.0.2.8'],
      loopback: true,
    });
    context.after(async () => {
      await leg.close();
    });
    const offer = await leg.createOffer();
    const addresses = [...offer.matchAll(/^a=candidate:\S+ 1 udp \d+ (\S+) \d+ typ host/gm)].map(
      ([, address]) => address,
    );
    assert.deepEqual(addresses, ['192.0.2.7', '192.0.2.8', '127.0.0.1']);
  });

  it('cannot be made when every port is taken', async (context) => {
    const [, far] = await openTwo(context, { portPairs: 1 });
    const [first, second] = await Promise.all([far.openLeg(FAR_END), far.openLeg(FAR_END)]);
    await first.createOffer();
    await refusedWith('no-ports', second.createOffer());
    await first.close();
    assert.match(await second.createOffer(), /^a=candidate/m);
  });
});

it('a leg that a peer restarts goes on with the new connection, and its ports are free after the call', async (context) => {
  const [node, far] = await openTwo(context);
  const leg = await node.openLeg(BROWSER);
  const events: LegEvent[] = [];
  leg.onEvent((event) => events.push(event));
  for (let restart = 0; restart < 3; restart += 1) {
    // Each far end has credentials and a certificate of its own, as a browser has after a restart.
    const end = await far.openLeg(FAR_END);
    const up = Promise.all([connected(leg), connected(end)]);
    await end.acceptAnswer(await leg.answerOffer(await end.createOffer()));
    await up;
    const { packetsReceived } = await end.statistics();
    await sleep(400);
    assert.ok((await end.statistics()).packetsReceived >= packetsReceived + 10);
  }
  assert.equal(events.filter(({ kind }) => kind === 'disconnected').length, 0);
  const statistics = await leg.close();
  assert.ok(statistics.packetsReceived >= 30);
});

it(
  'a leg whose browser WebRTC does not reach goes on by messages: what it plays begins then, and keys come',
  { timeout: HUNG_MS },
  async (context) => {
    const [node, far] = await openTwo(context);
    const [leg, unreached] = await Promise.all([node.openLeg(BROWSER), far.openLeg(FAR_END)]);
    await leg.answerOffer(await unreached.createOffer());
    const key = new Promise<string>((resolve) => {
      leg.onEvent((event) => event.kind === 'digit' && resolve(event.digit));
    });
    const playing = leg.play([{ kind: 'tone', hertz: [600], durationMs: 400 }]);
    const [end, offerer] = await Promise.all([far.openLeg({ kind: 'frames' }), far.openLeg({ kind: 'frames' })]);
    const offer = await offerer.createOffer();
    await end.answerOffer(offer);
    await joinFrames(leg, end);
    await leg.useFrames(offer);
    assert.deepEqual(await playing.done, { outcome: 'completed', playedMs: 400 });
    await end.sendDigits('7').done;
    assert.equal(await key, '7');
    assert.ok((await end.statistics()).packetsReceived >= 20);
  },
);

it('a leg that goes on by messages is bridged and recorded as before', async (context) => {
  const [node, far] = await openTwo(context);
  const framesLeg = { kind: 'frames' } as const;
  const [leg, other] = await Promise.all([node.openLeg(BROWSER), node.openLeg(framesLeg)]);
  const framesEnd = (): Promise<MediaLeg> => far.openLeg(framesLeg);
  const [offerer, end, phone] = await Promise.all([framesEnd(), framesEnd(), framesEnd()]);
  const unreached = await far.openLeg(FAR_END);
  await leg.answerOffer(await unreached.createOffer());
  await connect(phone, other);
  await joinFrames(phone, other);
  await node.bridge([leg, other]);
  const path = join(temporaryFolder(context, 'frames'), 'leg.wav');
  const recording = leg.record({ path });
  const offer = await offerer.createOffer();
  await end.answerOffer(offer);
  await joinFrames(leg, end);
  await leg.useFrames(offer);
  const heardByPhone = join(temporaryFolder(context, 'frames'), 'phone.wav');
  const phoneRecording = phone.record({ path: heardByPhone });
  await end.play([{ kind: 'tone', hertz: [600], durationMs: 1_000 }]).done;
  await sleep(300);
  recording.stop();
  phoneRecording.stop();
  await Promise.all([recording.done, phoneRecording.done]);
  for (const heard of [heardOf(path), heardOf(heardByPhone)]) assert.ok(secondsOfTone(heard, 600) > 0.5);
});

it('a leg of a SIP phone refuses to go by messages', async (context) => {
  const [node, far] = await (shared ??= openTwo(file));
  const [leg, end] = await Promise.all([
    node.openLeg({ kind: 'rtp', localAddress: '127.0.0.1' }),
    far.openLeg({ kind: 'frames' }),
  ]);
  context.after(async () => {
    await Promise.all([leg.close(), end.close()]);
  });
  await refusedWith('not-acceptable', leg.useFrames(await end.createOffer()));
});
