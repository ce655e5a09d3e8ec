import assert from 'node:assert/strict';
import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { secondsOfTone } from '../testkit/sound-measure.ts';
import { temporaryFolder } from '../testkit/temporary-folder.ts';
import { readWav, writeToneWav } from '../testkit/wav.ts';
import type { MediaLimits } from './in-process-node.ts';
import { MediaError } from './media-error.ts';
import type {
  LegEvent,
  LegOptions,
  MediaErrorCode,
  MediaLeg,
  MediaNode,
  RtpLegOptions,
  SoundSource,
} from './media-node.ts';

export interface MediaWorldOptions extends MediaLimits {
  /** How many pairs of ports the node has; default plenty. */
  readonly portPairs?: number;
}

/** One test's node and its time, virtual or real. */
export interface MediaWorld {
  readonly node: MediaNode;
  /** Where far ends are and what they are; default more legs of the same node. */
  readonly farEnds?: { readonly node: MediaNode; readonly leg: LegOptions };
  /** Does what offer and answer alone do not: waits for a connection, or carries packets between the two. */
  readonly join?: (far: MediaLeg, near: MediaLeg) => Promise<void>;
  /** Lets time pass until the promise settles. */
  settle<T>(promise: Promise<T>): Promise<T>;
  pass(ms: number): Promise<void>;
  /** Part of a sound that must arrive: less in real time, where a busy machine makes every process late. */
  readonly leastShare: number;
}

export type OpenMediaWorld = (context: TestContext, options: MediaWorldOptions) => Promise<MediaWorld>;

export interface MediaComplianceOptions {
  readonly name: string;
  /** The kind of leg that is opened. */
  readonly leg: LegOptions;
  /** Tests at once. */
  readonly concurrency: number;
}

type World = MediaWorld & { readonly leg: LegOptions };

const ALL_KEYS = '0123456789*#ABCD';

function tone(hertz: number, durationMs: number): SoundSource {
  return { kind: 'tone', hertz: [hertz], durationMs };
}

function heardOf(path: string, channel = 0): Float64Array {
  return readWav(path).channels[channel] ?? new Float64Array();
}

function keysOf(events: readonly LegEvent[]): string {
  return events.map((event) => (event.kind === 'digit' ? event.digit : '')).join('');
}

/** The tone is heard for at least so long; the windows it is measured in lose up to 0.1 s at its ends. */
function assertTone(
  world: MediaWorld,
  { heard, hertz, seconds }: { readonly heard: Float64Array; readonly hertz: number; readonly seconds: number },
): void {
  const found = secondsOfTone(heard, hertz);
  assert.ok(found >= seconds * world.leastShare, `${found} s of ${hertz} Hz: want ${seconds * world.leastShare}`);
}

/** Offers from one leg to the other; `alter` plays the network element that rewrites the offer. */
async function connect(from: MediaLeg, to: MediaLeg, alter = (sdp: string): string => sdp): Promise<void> {
  await from.acceptAnswer(await to.answerOffer(alter(await from.createOffer())));
}

/** `a` is the far end, `b` the leg of the service. */
interface Pair {
  readonly a: MediaLeg;
  readonly b: MediaLeg;
  readonly eventsOfA: LegEvent[];
  readonly eventsOfB: LegEvent[];
}

async function openEnds({ node, leg, farEnds = { node, leg } }: World): Promise<Pick<Pair, 'a' | 'b'>> {
  const [a, b] = await Promise.all([farEnds.node.openLeg(farEnds.leg), node.openLeg(leg)]);
  return { a, b };
}

async function openPair(world: World, alter?: (sdp: string) => string): Promise<Pair> {
  const { a, b } = await openEnds(world);
  const eventsOfA: LegEvent[] = [];
  const eventsOfB: LegEvent[] = [];
  a.onEvent((event) => eventsOfA.push(event));
  b.onEvent((event) => eventsOfB.push(event));
  const joined = world.join?.(a, b);
  await connect(a, b, alter);
  await joined;
  return { a, b, eventsOfA, eventsOfB };
}

/** Without the news of the connection, which only some kinds have. */
function soundOf(events: readonly LegEvent[]): readonly LegEvent[] {
  return events.filter(({ kind }) => kind !== 'connected' && kind !== 'disconnected');
}

const withoutTelephoneEvents = (sdp: string): string =>
  sdp
    .replace(/^(m=audio .*) 101(.*)$/m, '$1$2')
    .split('\r\n')
    .filter((line) => !line.includes(':101 '))
    .join('\r\n');

const onlyPcma = (sdp: string): string =>
  sdp
    .replace(/^(m=audio \d+ [A-Z/]+) 0 8/m, '$1 8')
    .split('\r\n')
    .filter((line) => !line.startsWith('a=rtpmap:0 '))
    .join('\r\n');

async function refusedWith(code: MediaErrorCode, work: Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error) => error instanceof MediaError && error.code === code);
}

/** The node, its legs closed after the test: others share it. */
function closingLegs(context: TestContext, node: MediaNode): MediaNode {
  return {
    id: node.id,
    async openLeg(options) {
      const leg = await node.openLeg(options);
      context.after(async () => void (await leg.close()));
      return leg;
    },
    bridge: (legs, options) => node.bridge(legs, options),
    load: () => node.load(),
    onLost: (handler) => node.onLost(handler),
    close: () => node.close(),
  };
}

/** What every MediaNode promises, whatever its legs are. */
export function mediaNodeCompliance({ name, leg, concurrency }: MediaComplianceOptions, open: OpenMediaWorld): void {
  describe(name, { concurrency }, () => {
    const promise: Promised = (title, test, options = {}) => {
      it(title, async (context) => {
        const folder = temporaryFolder(context, 'media');
        const world = await open(context, options);
        await test({ ...world, leg, node: closingLegs(context, world.node) }, folder);
      });
    };
    talking(promise);
    digits(promise);
    negotiating(promise);
    playing(promise);
    recording(promise);
    bridging(promise);
    limits(promise);
    if (leg.kind === 'rtp') addressesAndPorts(promise, leg);
  });
}

type Promised = (
  title: string,
  test: (world: World, folder: string) => Promise<void>,
  options?: MediaWorldOptions,
) => void;

function talking(promise: Promised): void {
  promise('carries 600 Hz one way and 900 Hz the other, each leg hearing only the other', async (world, folder) => {
    const { a, b } = await openPair(world);
    const atA = a.record({ path: join(folder, 'a.wav') });
    const atB = b.record({ path: join(folder, 'b.wav') });
    const plays = [a.play([tone(600, 1_000)]), b.play([tone(900, 1_000)])];
    await world.settle(Promise.all(plays.map((play) => play.done)));
    await world.pass(200);
    atA.stop();
    atB.stop();
    await world.settle(Promise.all([atA.done, atB.done]));
    const [heardByA, heardByB] = [heardOf(join(folder, 'a.wav')), heardOf(join(folder, 'b.wav'))];
    assertTone(world, { heard: heardByB, hertz: 600, seconds: 0.9 });
    assertTone(world, { heard: heardByA, hertz: 900, seconds: 0.9 });
    assert.equal(secondsOfTone(heardByA, 600) + secondsOfTone(heardByB, 900), 0);
  });

  promise('sends silence while nothing plays, and tells when the first sound came', async (world) => {
    const { a, b, eventsOfA, eventsOfB } = await openPair(world);
    await world.pass(500);
    assert.deepEqual([eventsOfA, eventsOfB].map(soundOf), [[{ kind: 'audio-started' }], [{ kind: 'audio-started' }]]);
    const { packetsReceived, packetsLost, codec, remote, firstAudioAfterMs } = await world.settle(a.statistics());
    assert.ok(packetsReceived >= 25 * world.leastShare, `${packetsReceived} packets in half a second`);
    assert.equal(packetsLost, 0);
    assert.equal(codec, 'PCMU');
    assert.equal(remote?.address, world.leg.kind === 'frames' ? undefined : '127.0.0.1');
    // A browser's connection begins with the answer.
    assert.ok((firstAudioAfterMs ?? Infinity) < (world.leg.kind === 'webrtc' ? 2_000 : 200));
    await Promise.all([a.close(), b.close()]);
  });

  promise(
    'tells when nothing arrives from a peer that should be sending, and tells it again',
    async (world) => {
      const { a, b, eventsOfA } = await openPair(world);
      await world.pass(200);
      await b.close();
      // In real time on a busy machine the beat that tells it may come late.
      for (let passed = 0; passed < 6_000 && soundOf(eventsOfA).length < 3; passed += 100) await world.pass(100);
      assert.deepEqual(
        soundOf(eventsOfA).map((event) => event.kind),
        ['audio-started', 'audio-missing', 'audio-missing'],
      );
      await a.close();
    },
    { audioMissingMs: 400 },
  );
}

function digits(promise: Promised): void {
  promise('carries every key both ways as telephone events, once each and in order', async (world) => {
    const { a, b, eventsOfA, eventsOfB } = await openPair(world);
    const sent = [a.sendDigits(ALL_KEYS), b.sendDigits([...ALL_KEYS].reverse().join(''))];
    const outcomes = await world.settle(Promise.all(sent.map((playback) => playback.done)));
    await world.pass(100);
    assert.deepEqual(
      outcomes.map(({ outcome }) => outcome),
      ['completed', 'completed'],
    );
    assert.equal(keysOf(eventsOfB), ALL_KEYS);
    assert.equal(keysOf(eventsOfA), [...ALL_KEYS].reverse().join(''));
    assert.ok(eventsOfB.every((event) => event.kind !== 'digit' || (event.via === 'rtp' && event.durationMs >= 80)));
  });

  promise('carries keys as tones where telephone-event was not negotiated', async (world) => {
    const { a, b, eventsOfA, eventsOfB } = await openPair(world, withoutTelephoneEvents);
    await world.pass(200);
    const sent = [a.sendDigits(ALL_KEYS), b.sendDigits('#w1')];
    await world.settle(Promise.all(sent.map((playback) => playback.done)));
    await world.pass(300);
    assert.equal(keysOf(eventsOfB), ALL_KEYS);
    assert.equal(keysOf(eventsOfA), '#1');
    assert.ok(eventsOfB.every((event) => event.kind !== 'digit' || event.via === 'in-band'));
  });

  promise('does not take tones in the sound for keys where telephone-event was negotiated', async (world) => {
    const { a, eventsOfB } = await openPair(world);
    await world.settle(a.play([{ kind: 'tone', hertz: [770, 1336], durationMs: 300 }]).done);
    await world.pass(200);
    assert.equal(keysOf(eventsOfB), '');
  });

  promise('pauses at w and W, and refuses what is no key', async (world) => {
    const { a, eventsOfB } = await openPair(world);
    assert.ok((await world.settle(a.sendDigits('1wW2').done)).playedMs >= 1_700);
    const refused = await world.settle(a.sendDigits('12x').done);
    assert.equal(refused.outcome, 'failed');
    await world.pass(100);
    assert.equal(keysOf(eventsOfB), '12');
  });

  promise('a leg that rests sends nothing, and goes on afterwards', async (world) => {
    const { a } = await openPair(world);
    await world.pass(200);
    a.rest(true);
    await world.pass(200);
    const resting = (await a.statistics()).packetsSent;
    await world.pass(400);
    assert.equal((await a.statistics()).packetsSent, resting);
    a.rest(false);
    await world.pass(400);
    assert.ok((await a.statistics()).packetsSent > resting + 5);
  });

  promise('reports a digit that came by signalling', async (world) => {
    const { a, eventsOfA } = await openPair(world);
    a.injectDigit('7');
    a.injectDigit('nonsense');
    await world.settle(a.statistics());
    assert.deepEqual(
      eventsOfA.filter((event) => event.kind === 'digit'),
      [{ kind: 'digit', digit: '7', durationMs: 0, via: 'info' }],
    );
  });
}

function negotiating(promise: Promised): void {
  promise('refuses what is no SDP, and what has no codec in common', async (world) => {
    const leg = await world.node.openLeg(world.leg);
    await refusedWith('bad-sdp', leg.answerOffer('hello'));
    const opus =
      'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n';
    await refusedWith('not-acceptable', leg.answerOffer(opus));
    await refusedWith('not-acceptable', leg.acceptAnswer(opus));
  });

  promise('is held and taken back by repeated offers', async (world) => {
    const { a, b } = await openPair(world);
    await world.pass(200);
    const hold = await a.createOffer({ direction: 'sendonly' });
    const held = await b.answerOffer(hold);
    assert.match(held, /^a=recvonly\r$/m);
    await a.acceptAnswer(held);
    const before = await world.settle(b.statistics());
    await world.pass(400);
    const during = await world.settle(b.statistics());
    assert.equal(during.packetsSent, before.packetsSent);
    assert.ok(during.packetsReceived >= before.packetsReceived + 15);
    await connect(a, b);
    await world.pass(400);
    assert.ok((await world.settle(b.statistics())).packetsSent >= during.packetsSent + 15);
  });

  promise('changes the codec at a repeated offer, the sound going on', async (world, folder) => {
    const { a, b } = await openPair(world);
    const path = join(folder, 'b.wav');
    const recording = b.record({ path });
    const playback = a.play([tone(600, 1_000)]);
    await world.pass(500);
    await connect(a, b, onlyPcma);
    await world.settle(playback.done);
    await world.pass(150);
    recording.stop();
    await world.settle(recording.done);
    assertTone(world, { heard: heardOf(path), hertz: 600, seconds: 0.9 });
    const both = await world.settle(Promise.all([a.statistics(), b.statistics()]));
    assert.deepEqual(
      both.map(({ codec }) => codec),
      ['PCMA', 'PCMA'],
    );
  });

  promise('refuses a closed leg', async (world) => {
    const leg = await world.node.openLeg(world.leg);
    await leg.close();
    await refusedWith('closed', leg.createOffer());
    assert.equal((await world.settle(leg.play([tone(600, 100)]).done)).outcome, 'stopped');
  });
}

function playing(promise: Promised): void {
  promise('plays sources one after another, files too, as long as they last', async (world, folder) => {
    const path = join(folder, 'tone.wav');
    writeToneWav(path, { hertz: 900, seconds: 0.5, sampleRate: 44_100 });
    const { a, b } = await openPair(world);
    const heard = join(folder, 'heard.wav');
    const recording = b.record({ path: heard });
    const played = await world.settle(
      a.play([tone(600, 400), { kind: 'silence', durationMs: 200 }, { kind: 'file', path }]).done,
    );
    await world.pass(150);
    recording.stop();
    await world.settle(recording.done);
    assert.equal(played.outcome, 'completed');
    assert.ok(Math.abs(played.playedMs - 1_100) <= 20, `${played.playedMs} ms`);
    assertTone(world, { heard: heardOf(heard), hertz: 600, seconds: 0.3 });
    assertTone(world, { heard: heardOf(heard), hertz: 900, seconds: 0.4 });
  });

  promise('sends digits in their place between two sources', async (world) => {
    const { a, eventsOfB } = await openPair(world);
    const played = await world.settle(a.play([tone(600, 100), { kind: 'digits', digits: '12' }, tone(600, 100)]).done);
    await world.pass(100);
    assert.equal(played.outcome, 'completed');
    assert.equal(played.playedMs, 600);
    assert.equal(keysOf(eventsOfB), '12');
  });

  promise('repeats as often as asked, and for ever until stopped', async (world) => {
    const { a } = await openPair(world);
    const thrice = await world.settle(a.play([tone(600, 100)], { loop: 3 }).done);
    assert.deepEqual(thrice, { outcome: 'completed', playedMs: 300 });
    const forever = a.play([tone(600, 100)], { loop: 0 });
    await world.pass(450);
    forever.stop();
    const { outcome, playedMs } = await world.settle(forever.done);
    assert.equal(outcome, 'stopped');
    assert.ok(playedMs >= 200 && playedMs <= 600, `${playedMs} ms`);
  });

  promise('replaces what is played by what is played next', async (world) => {
    const { a } = await openPair(world);
    const first = a.play([tone(600, 5_000)]);
    await world.pass(200);
    const second = a.play([tone(900, 100)]);
    assert.equal((await world.settle(first.done)).outcome, 'stopped');
    assert.equal((await world.settle(second.done)).outcome, 'completed');
  });

  promise('says what is wrong with a file that is no sound, and goes on', async (world, folder) => {
    const path = join(folder, 'text.txt');
    writeFileSync(path, 'not a sound');
    const { a } = await openPair(world);
    const failed = await world.settle(a.play([{ kind: 'file', path }]).done);
    assert.equal(failed.outcome, 'failed');
    assert.equal(failed.error, 'bad-audio');
    assert.match(failed.message ?? '', /text\.txt/);
    assert.equal((await world.settle(a.play([tone(600, 100)]).done)).outcome, 'completed');
  });

  promise('ends with nothing to play, even for ever', async (world) => {
    const { a } = await openPair(world);
    assert.deepEqual(await world.settle(a.play([]).done), { outcome: 'completed', playedMs: 0 });
    const empty = a.play([{ kind: 'silence', durationMs: 0 }], { loop: 0 });
    assert.deepEqual(await world.settle(empty.done), { outcome: 'completed', playedMs: 0 });
  });

  promise('waits with playing until it is known where to send', async (world) => {
    const { a, b } = await openEnds(world);
    const playback = a.play([tone(600, 200)]);
    await world.pass(300);
    void world.join?.(a, b);
    await connect(a, b);
    assert.deepEqual(await world.settle(playback.done), { outcome: 'completed', playedMs: 200 });
    await world.pass(50);
    assert.ok((await world.settle(b.statistics())).packetsReceived >= 10);
  });

  promise('stops with the leg', async (world) => {
    const { a } = await openPair(world);
    const playback = a.play([tone(600, 5_000)]);
    const more = a.sendDigits('1234567890');
    await world.pass(100);
    await world.settle(a.close());
    assert.equal((await world.settle(playback.done)).outcome, 'stopped');
    assert.equal((await world.settle(more.done)).outcome, 'stopped');
  });
}

function recording(promise: Promised): void {
  promise('records after a beep that the party hears and the recording does not hold', async (world, folder) => {
    const { a, b } = await openPair(world);
    const atPhone = a.record({ path: join(folder, 'phone.wav') });
    const recorded = b.record({ path: join(folder, 'b.wav'), beep: true, maxLengthMs: 500 });
    void a.play([tone(600, 2_000)]);
    const result = await world.settle(recorded.done);
    atPhone.stop();
    await world.settle(atPhone.done);
    assert.deepEqual(result, { endedBy: 'max-length', durationMs: 500, channels: 1 });
    assertTone(world, { heard: heardOf(join(folder, 'phone.wav')), hertz: 1_000, seconds: 0.15 });
    assert.equal(secondsOfTone(heardOf(join(folder, 'b.wav')), 1_000), 0);
  });

  promise('ends after silence', async (world, folder) => {
    const { a, b } = await openPair(world);
    const path = join(folder, 'b.wav');
    const recorded = b.record({ path, silenceMs: 600 });
    void a.play([tone(600, 400)]);
    const result = await world.settle(recorded.done);
    assert.equal(result.endedBy, 'silence');
    assert.ok(result.durationMs >= 950 && result.durationMs <= 1_250, `${result.durationMs} ms`);
  });

  promise('keeps nothing of nothing but silence', async (world, folder) => {
    const { b } = await openPair(world);
    const path = join(folder, 'b.wav');
    const result = await world.settle(b.record({ path, silenceMs: 400 }).done);
    assert.deepEqual(result, { endedBy: 'silence', durationMs: 0, channels: 1 });
    assert.equal(existsSync(path), false);
  });

  promise('cuts silence at both ends when asked', async (world, folder) => {
    const { a, b } = await openPair(world);
    const path = join(folder, 'b.wav');
    const recorded = b.record({ path, trim: true, silenceMs: 1_000 });
    void a.play([{ kind: 'silence', durationMs: 600 }, tone(600, 500)]);
    const { durationMs } = await world.settle(recorded.done);
    assert.ok(durationMs >= 500 && durationMs <= 1_150, `${durationMs} ms`);
    assertTone(world, { heard: heardOf(path), hertz: 600, seconds: 0.4 });
  });

  promise('ends at a key and keeps nothing of its sound', async (world, folder) => {
    const { a, b } = await openPair(world, withoutTelephoneEvents);
    const path = join(folder, 'b.wav');
    const recorded = b.record({ path, finishOnKey: '#' });
    await world.settle(a.play([tone(600, 600)]).done);
    void a.sendDigits('5w#');
    const result = await world.settle(recorded.done);
    assert.deepEqual([result.endedBy, result.digit], ['key', '#']);
    const heard = heardOf(path);
    assertTone(world, { heard: heard, hertz: 600, seconds: 0.5 });
    const tail = heard.subarray(heard.length - 400);
    assert.ok(
      tail.every((sample) => Math.abs(sample) < 0.01),
      'the key is heard at the end',
    );
  });

  promise('leaves out what is said while it is paused', async (world, folder) => {
    const { a, b } = await openPair(world);
    const path = join(folder, 'b.wav');
    const recorded = b.record({ path });
    void a.play([tone(600, 3_000)]);
    await world.pass(300);
    recorded.pause();
    await world.pass(400);
    recorded.resume();
    await world.pass(300);
    recorded.stop();
    const { durationMs, endedBy } = await world.settle(recorded.done);
    assert.equal(endedBy, 'stop');
    assert.ok(durationMs >= 450 && durationMs <= 800, `${durationMs} ms`);
  });

  promise('records both directions left and right, beside another recording', async (world, folder) => {
    const { a, b } = await openPair(world);
    const path = join(folder, 'call.wav');
    const call = b.record({ path, track: 'both', channels: 2 });
    const spoken = b.record({ path: join(folder, 'spoken.wav'), track: 'outbound', maxLengthMs: 400 });
    const plays = [a.play([tone(600, 500)]), b.play([tone(900, 500)])];
    await world.settle(Promise.all(plays.map((play) => play.done)));
    await world.pass(100);
    await world.settle(b.close());
    const result = await world.settle(call.done);
    assert.deepEqual([result.endedBy, result.channels], ['hangup', 2]);
    assertTone(world, { heard: heardOf(path, 0), hertz: 600, seconds: 0.4 });
    assertTone(world, { heard: heardOf(path, 1), hertz: 900, seconds: 0.4 });
    assert.equal(secondsOfTone(heardOf(path, 1), 600), 0);
    assert.equal((await world.settle(spoken.done)).durationMs, 400);
    assertTone(world, { heard: heardOf(join(folder, 'spoken.wav')), hertz: 900, seconds: 0.3 });
  });

  promise('fails on a full disk, and the call goes on', async (world, folder) => {
    const { a, b } = await openPair(world);
    const full = join(folder, 'full.wav');
    symlinkSync('/dev/full', full);
    const recorded = b.record({ path: full });
    const playback = a.play([tone(600, 500)]);
    await world.settle(playback.done);
    recorded.stop();
    const result = await world.settle(recorded.done);
    assert.deepEqual([result.endedBy, result.error, result.durationMs], ['failed', 'no-disk', 0]);
    const missing = await world.settle(b.record({ path: join(folder, 'no', 'folder.wav') }).done);
    assert.deepEqual([missing.endedBy, missing.error], ['failed', 'no-disk']);
    assert.equal((await world.settle(a.play([tone(600, 100)]).done)).outcome, 'completed');
  });
}

/** Two phones, each connected to a leg of the service, and the two legs to be bridged. */
async function openTwoPhones(world: World, alter?: (sdp: string) => string): Promise<{ left: Pair; right: Pair }> {
  const [left, right] = await Promise.all([openPair(world), openPair(world, alter)]);
  return { left, right };
}

function bridging(promise: Promised): void {
  const bothHear = async (world: World, folder: string, alter?: (sdp: string) => string): Promise<void> => {
    const { left, right } = await openTwoPhones(world, alter);
    const bridge = await world.node.bridge([left.b, right.b]);
    const paths = [join(folder, 'left.wav'), join(folder, 'right.wav')] as const;
    await world.pass(100);
    const recordings = [left.a.record({ path: paths[0] }), right.a.record({ path: paths[1] })];
    const plays = [left.a.play([tone(600, 1_000)]), right.a.play([tone(900, 1_000)])];
    await world.settle(Promise.all(plays.map((play) => play.done)));
    await world.pass(200);
    for (const recording of recordings) recording.stop();
    await world.settle(Promise.all(recordings.map((recording) => recording.done)));
    assertTone(world, { heard: heardOf(paths[0]), hertz: 900, seconds: 0.9 });
    assertTone(world, { heard: heardOf(paths[1]), hertz: 600, seconds: 0.9 });
    assert.equal(secondsOfTone(heardOf(paths[0]), 600) + secondsOfTone(heardOf(paths[1]), 900), 0);
    const [statistics] = await world.settle(Promise.all([right.a.statistics(), left.a.statistics()]));
    assert.equal(statistics.packetsLost, 0);
    await bridge.close();
  };

  promise('passes sound between two phones of one codec', (world, folder) => bothHear(world, folder));
  promise('passes sound between phones of different codecs', (world, folder) => bothHear(world, folder, onlyPcma));
  promise('passes sound to a phone whose keys must be found in the sound', (world, folder) =>
    bothHear(world, folder, withoutTelephoneEvents),
  );

  promise('hands keys on when asked, and reports them too', async (world) => {
    const { left, right } = await openTwoPhones(world);
    await world.node.bridge([left.b, right.b], { passDigits: true });
    await world.settle(left.a.sendDigits('19#').done);
    await world.pass(300);
    assert.equal(keysOf(left.eventsOfB), '19#');
    assert.equal(keysOf(right.eventsOfA), '19#');
  });

  promise('keeps keys to itself when not asked', async (world) => {
    const { left, right } = await openTwoPhones(world);
    await world.node.bridge([left.b, right.b]);
    await world.settle(left.a.sendDigits('19#').done);
    await world.pass(300);
    assert.equal(keysOf(left.eventsOfB), '19#');
    assert.equal(keysOf(right.eventsOfA), '');
  });

  promise('lets a caller listen to early media without being heard', async (world, folder) => {
    const { left, right } = await openTwoPhones(world);
    await world.node.bridge([left.b, right.b], { listeners: [left.b] });
    const paths = [join(folder, 'left.wav'), join(folder, 'right.wav')] as const;
    const recordings = [left.a.record({ path: paths[0] }), right.a.record({ path: paths[1] })];
    const plays = [left.a.play([tone(600, 500)]), right.a.play([tone(900, 500)])];
    await world.settle(Promise.all(plays.map((play) => play.done)));
    await world.pass(200);
    for (const recording of recordings) recording.stop();
    const [, unheard] = await world.settle(Promise.all(recordings.map((recording) => recording.done)));
    assertTone(world, { heard: heardOf(paths[0]), hertz: 900, seconds: 0.4 });
    assert.equal(unheard?.durationMs, 0);
  });

  promise('records both sides of a bridge, mixed or apart', async (world, folder) => {
    const { left, right } = await openTwoPhones(world);
    const bridge = await world.node.bridge([left.b, right.b]);
    await world.pass(100);
    const dual = join(folder, 'dual.wav');
    const recorded = bridge.record({ path: dual, channels: 2 });
    await world.settle(Promise.all([left.a.play([tone(600, 600)]).done, right.a.play([tone(900, 600)]).done]));
    await world.pass(150);
    recorded.stop();
    const result = await world.settle(recorded.done);
    assert.deepEqual([result.endedBy, result.channels], ['stop', 2]);
    assertTone(world, { heard: heardOf(dual, 0), hertz: 600, seconds: 0.5 });
    assertTone(world, { heard: heardOf(dual, 1), hertz: 900, seconds: 0.5 });
    const mono = bridge.record({ path: join(folder, 'mono.wav'), channels: 1 });
    await world.settle(Promise.all([left.a.play([tone(600, 600)]).done]));
    await world.settle(Promise.all([right.a.play([tone(900, 600)]).done]));
    await world.settle(left.b.close());
    assert.equal((await world.settle(mono.done)).endedBy, 'hangup');
    const mixed = heardOf(join(folder, 'mono.wav'));
    assertTone(world, { heard: mixed, hertz: 600, seconds: 0.5 });
    assertTone(world, { heard: mixed, hertz: 900, seconds: 0.4 });
  });

  promise('lets each leg go on alone after a bridge, and plays into one', async (world, folder) => {
    const { left, right } = await openTwoPhones(world);
    const bridge = await world.node.bridge([left.b, right.b]);
    const path = join(folder, 'left.wav');
    const recorded = left.a.record({ path });
    await world.pass(200);
    assert.equal((await world.settle(left.b.play([tone(600, 600)]).done)).outcome, 'completed');
    await bridge.close();
    assert.equal((await world.settle(left.b.play([tone(900, 600)]).done)).outcome, 'completed');
    void right.a.play([tone(1_000, 300)]);
    await world.pass(400);
    recorded.stop();
    await world.settle(recorded.done);
    const heard = heardOf(path);
    assertTone(world, { heard: heard, hertz: 600, seconds: 0.5 });
    assertTone(world, { heard: heard, hertz: 900, seconds: 0.5 });
    assert.equal(secondsOfTone(heard, 1_000), 0);
  });

  promise('carries a conference of three, each hearing the other two', async (world, folder) => {
    const phones = await Promise.all([openPair(world), openPair(world), openPair(world)]);
    await world.node.bridge(phones.map(({ b }) => b));
    const path = join(folder, 'third.wav');
    const recorded = phones[2]?.a.record({ path });
    await world.settle(Promise.all([phones[0]?.a.play([tone(600, 900)]).done]));
    await world.settle(Promise.all([phones[1]?.a.play([tone(900, 900)]).done]));
    await world.pass(300);
    recorded?.stop();
    await world.settle(Promise.all([recorded?.done]));
    assertTone(world, { heard: heardOf(path), hertz: 600, seconds: 0.5 });
    assertTone(world, { heard: heardOf(path), hertz: 900, seconds: 0.5 });
  });
}

function limits(promise: Promised): void {
  promise(
    'refuses a leg beyond the limit and says how loaded it is',
    async (world) => {
      const legs = [await world.node.openLeg(world.leg), await world.node.openLeg(world.leg)];
      await refusedWith('overloaded', world.node.openLeg(world.leg));
      assert.equal(world.node.load().legs, 2);
      await Promise.all(legs.map((leg) => leg.close()));
      assert.equal(world.node.load().legs, 0);
    },
    { maxLegs: 2 },
  );
}

function addressesAndPorts(promise: Promised, options: RtpLegOptions): void {
  promise('writes the advertised address into SDP', async (world) => {
    const leg = await world.node.openLeg({ ...options, advertisedAddress: '192.0.2.7' });
    assert.match(await leg.createOffer(), /^c=IN IP4 192\.0\.2\.7\r$/m);
  });

  promise(
    'refuses a leg when every pair of ports is taken, and takes one again after a close',
    async (world) => {
      const first = await world.node.openLeg(world.leg);
      await world.node.openLeg(world.leg);
      await refusedWith('no-ports', world.node.openLeg(world.leg));
      await first.close();
      await world.node.openLeg(world.leg);
    },
    { portPairs: 2 },
  );
}
