import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Chromium } from '../../testkit/chromium.ts';
import { eventually } from '../../testkit/eventually.ts';
import { PagePhone } from '../../testkit/page-phone.ts';
import { peer } from '../../testkit/peers.ts';
import type { Scope } from '../../testkit/scope.ts';
import { dominantHertz, secondsOfTone } from '../../testkit/sound-measure.ts';
import { temporaryFolder } from '../../testkit/temporary-folder.ts';
import { mono, readWav } from '../../testkit/wav.ts';
import type { ChildMediaNode } from '../child-node.ts';
import type { LegEvent, MediaLeg, SoundSource } from '../media-node.ts';
import { openChild } from './open-child.ts';

const wholeFile: (() => void | Promise<void>)[] = [];
const file: Scope = { after: (cleanUp) => void wholeFile.push(cleanUp) };
after(async () => {
  for (const cleanUp of wholeFile.reverse()) await cleanUp();
});
let shared: Promise<readonly [ChildMediaNode, Chromium]> | undefined;

interface BrowserCall {
  readonly node: ChildMediaNode;
  readonly leg: MediaLeg;
  readonly phone: PagePhone;
  readonly events: LegEvent[];
}

/** A leg and a page's phone that says 900 Hz, not yet connected. */
async function open(context: TestContext): Promise<BrowserCall> {
  shared ??= Promise.all([openChild(file), Chromium.start(file)]);
  const [node, chromium] = await shared;
  const leg = await node.openLeg({ kind: 'webrtc', localAddress: '127.0.0.1' });
  context.after(async () => {
    await leg.close();
  });
  const events: LegEvent[] = [];
  leg.onEvent((event) => events.push(event));
  const page = await chromium.open();
  context.after(() => page.close());
  return { node, leg, events, phone: await PagePhone.open(page, 900) };
}

/** The browser calls, without a candidate of its own. */
async function browserCalls(context: TestContext): Promise<BrowserCall> {
  const call = await open(context);
  const offer = await call.phone.offer();
  assert.doesNotMatch(offer, /a=candidate/);
  await call.phone.accept(await call.leg.answerOffer(offer));
  await call.phone.connected();
  return call;
}

const tone = (hertz: number, durationMs: number): SoundSource => ({ kind: 'tone', hertz: [hertz], durationMs });
const keysOf = (events: readonly LegEvent[]): string =>
  events.map((event) => (event.kind === 'digit' ? event.digit : '')).join('');
const has = (events: readonly LegEvent[], kind: LegEvent['kind']): boolean => events.some((each) => each.kind === kind);

/** What must become true, told by its own text when it does not. */
async function soon(check: () => boolean | Promise<boolean>, withinMs = 8_000): Promise<void> {
  await eventually(async () => check(), { until: (held) => held, what: String(check), withinMs });
}

describe('a leg and Chromium', peer('chromium').options, () => {
  it('hear each other when the browser calls; its keys arrive, its statistics are whole', async (context) => {
    const { leg, phone, events } = await browserCalls(context);
    const path = join(temporaryFolder(context, 'media'), 'page.wav');
    await soon(() => has(events, 'audio-started'));
    const recording = leg.record({ path });
    await phone.listen();
    assert.deepEqual(await leg.play([tone(600, 2_000)]).done, { outcome: 'completed', playedMs: 2_000 });
    await phone.press('159#');
    await leg.sendDigits('42').done;
    recording.stop();
    await recording.done;
    const heard = await phone.heard();
    assert.ok(secondsOfTone(heard, 600) >= 1.5, `${secondsOfTone(heard, 600)} s of 600 Hz`);
    assert.ok(Math.abs(dominantHertz(mono(readWav(path))) - 900) < 10);
    await soon(() => keysOf(events) === '159#');
    assert.ok(events.every((event) => event.kind !== 'digit' || event.via === 'rtp'));
    // Chromium reports a round trip from the echo of its sender reports in ours.
    await soon(async () => (await phone.statistics()).roundTripTime !== undefined, 15_000);
    const [here, there] = [await leg.statistics(), await phone.statistics()];
    assert.equal(here.codec, 'PCMU');
    assert.equal(there.packetsLost, 0);
    assert.ok(
      here.packetsReceived > there.packetsSent * 0.9,
      `${here.packetsReceived} of ${there.packetsSent} packets`,
    );
    assert.ok((there.roundTripTime ?? 1) < 0.5 && (there.remoteJitter ?? 1) < 0.5);
  });

  it('hear each other when the browser is called', async (context) => {
    const { leg, phone, events } = await open(context);
    await leg.acceptAnswer(await phone.answer(await leg.createOffer()));
    await phone.connected();
    await soon(() => has(events, 'audio-started'));
    await phone.listen();
    const path = join(temporaryFolder(context, 'media'), 'page.wav');
    const recording = leg.record({ path });
    await leg.play([tone(600, 1_000)]).done;
    recording.stop();
    await recording.done;
    assert.ok(secondsOfTone(await phone.heard(), 600) >= 0.6);
    assert.ok(secondsOfTone(mono(readWav(path)), 900) >= 0.6);
    await phone.press('7*');
    await soon(() => keysOf(events) === '7*');
  });

  it('hold and take back from either side, without another connection', async (context) => {
    const { leg, phone, events } = await browserCalls(context);
    await soon(() => has(events, 'audio-started'));
    const held = await phone.answer(await leg.createOffer({ direction: 'sendonly' }));
    assert.match(held, /^a=recvonly\r$/m);
    await leg.acceptAnswer(held);
    const before = await phone.statistics();
    await sleep(500);
    const during = await phone.statistics();
    assert.ok(during.packetsSent - before.packetsSent < 20, 'a held browser sends no sound');
    assert.ok(during.packetsReceived - before.packetsReceived >= 15, 'it hears what holds it');
    await leg.acceptAnswer(await phone.answer(await leg.createOffer()));
    await phone.setDirection('inactive');
    const parked = await leg.answerOffer(await phone.offer());
    assert.match(parked, /^a=inactive\r$/m);
    await phone.accept(parked);
    const sent = (await leg.statistics()).packetsSent;
    await sleep(300);
    assert.equal((await leg.statistics()).packetsSent, sent);
    await phone.setDirection('sendrecv');
    await phone.accept(await leg.answerOffer(await phone.offer()));
    await phone.listen();
    await leg.play([tone(600, 2_000)]).done;
    const heard = secondsOfTone(await phone.heard(), 600);
    assert.ok(heard >= 0.8, `${heard} s of 600 Hz`);
    assert.equal(events.filter(({ kind }) => kind === 'connected').length, 1);
  });

  it('go on talking over a restart of ICE', async (context) => {
    const { leg, phone, events } = await browserCalls(context);
    await soon(() => has(events, 'audio-started'));
    await phone.listen();
    const playback = leg.play([tone(600, 4_000)]);
    await sleep(1_000);
    const restart = await phone.offer({ iceRestart: true });
    const answer = await leg.answerOffer(restart);
    await phone.accept(answer);
    await soon(() => events.filter(({ kind }) => kind === 'connected').length === 2);
    await playback.done;
    await phone.connected();
    const heard = await phone.heard();
    // DTLS begins anew with the new ICE session, which the browser conceals for as long as the handshake takes.
    assert.ok(secondsOfTone(heard, 600) >= 2.5, `${secondsOfTone(heard, 600)} s of 600 Hz`);
    assert.equal(has(events, 'disconnected'), false);
    const { packetsReceived } = await leg.statistics();
    await soon(async () => (await leg.statistics()).packetsReceived > packetsReceived + 25);
    await phone.press('5');
    await soon(() => keysOf(events) === '5');
  });

  it('tell that the browser closed the connection', async (context) => {
    const { phone, events } = await browserCalls(context);
    await phone.close();
    await soon(() => has(events, 'disconnected'));
    assert.deepEqual(events.at(-1), { kind: 'disconnected', reason: 'closed' });
  });

  it('do not talk when the certificate is not the one of the description', async (context) => {
    const { leg, phone, events } = await open(context);
    const offer = await phone.offer();
    const forged = offer.replace(/(a=fingerprint:sha-256 )(..)/, (_, name: string, byte: string) => {
      return name + (byte === '00' ? '01' : '00');
    });
    await phone.accept(await leg.answerOffer(forged));
    await soon(() => has(events, 'disconnected'), 15_000);
    assert.deepEqual(events, [{ kind: 'disconnected', reason: 'refused' }]);
  });

  it('are joined with a SIP phone of the same codec: sound and keys pass', async (context) => {
    const { node, leg, phone, events } = await browserCalls(context);
    const rtp = { kind: 'rtp', localAddress: '127.0.0.1' } as const;
    const [near, far] = await Promise.all([node.openLeg(rtp), node.openLeg(rtp)]);
    context.after(async () => {
      await Promise.all([near.close(), far.close()]);
    });
    const keys: LegEvent[] = [];
    far.onEvent((event) => keys.push(event));
    await far.acceptAnswer(await near.answerOffer(await far.createOffer()));
    await soon(() => has(events, 'audio-started'));
    await node.bridge([leg, near], { passDigits: true });
    const path = join(temporaryFolder(context, 'media'), 'far.wav');
    const recording = far.record({ path });
    await phone.listen();
    await far.play([tone(600, 1_500)]).done;
    await phone.press('90');
    await soon(() => keysOf(keys) === '90');
    recording.stop();
    await recording.done;
    const heard = await phone.heard();
    assert.ok(secondsOfTone(heard, 600) >= 1, `${secondsOfTone(heard, 600)} s of 600 Hz`);
    assert.ok(secondsOfTone(mono(readWav(path)), 900) >= 1);
    assert.equal((await phone.statistics()).packetsLost, 0);
  });

  it('asked no other machine for anything', async () => {
    const [, chromium] = (await shared) ?? [];
    const others = chromium?.requests.filter((url) => !url.startsWith('http://127.0.0.1:') && !url.startsWith('blob:'));
    assert.deepEqual(others, []);
    assert.ok((chromium?.requests.length ?? 0) > 0);
    assert.deepEqual(await chromium?.hostsLookedUp(), []);
  });
});
