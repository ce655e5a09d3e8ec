import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { secondsOfTone } from '../../testkit/sound-measure.ts';
import { readWav } from '../../testkit/wav.ts';
import type { MediaLimits } from '../in-process-node.ts';
import { MediaError } from '../media-error.ts';
import type { LegEvent, LegOptions, MediaErrorCode, MediaLeg, MediaNode, SoundSource } from '../media-node.ts';

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

export type World = MediaWorld & { readonly leg: LegOptions };

export const ALL_KEYS = '0123456789*#ABCD';

export function tone(hertz: number, durationMs: number): SoundSource {
  return { kind: 'tone', hertz: [hertz], durationMs };
}

export function heardOf(path: string, channel = 0): Float64Array {
  return readWav(path).channels[channel] ?? new Float64Array();
}

export function keysOf(events: readonly LegEvent[]): string {
  return events.map((event) => (event.kind === 'digit' ? event.digit : '')).join('');
}

/** The tone is heard for at least so long; the windows it is measured in lose up to 0.1 s at its ends. */
export function assertTone(
  world: MediaWorld,
  { heard, hertz, seconds }: { readonly heard: Float64Array; readonly hertz: number; readonly seconds: number },
): void {
  const found = secondsOfTone(heard, hertz);
  assert.ok(found >= seconds * world.leastShare, `${found} s of ${hertz} Hz: want ${seconds * world.leastShare}`);
}

/** Offers from one leg to the other; `alter` plays the network element that rewrites the offer. */
export async function connect(from: MediaLeg, to: MediaLeg, alter = (sdp: string): string => sdp): Promise<void> {
  await from.acceptAnswer(await to.answerOffer(alter(await from.createOffer())));
}

/** `a` is the far end, `b` the leg of the service. */
export interface Pair {
  readonly a: MediaLeg;
  readonly b: MediaLeg;
  readonly eventsOfA: LegEvent[];
  readonly eventsOfB: LegEvent[];
}

export async function openEnds({ node, leg, farEnds = { node, leg } }: World): Promise<Pick<Pair, 'a' | 'b'>> {
  const [a, b] = await Promise.all([farEnds.node.openLeg(farEnds.leg), node.openLeg(leg)]);
  return { a, b };
}

export async function openPair(world: World, alter?: (sdp: string) => string): Promise<Pair> {
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

/** In real time on a busy machine what is due may come late. */
export async function passUntil(world: World, condition: () => boolean): Promise<void> {
  for (let passed = 0; passed < LATEST_MS && !condition(); passed += 100) await world.pass(100);
}

const LATEST_MS = 10_000;

/** Without the news of the connection, which only some kinds have. */
export function soundOf(events: readonly LegEvent[]): readonly LegEvent[] {
  return events.filter(({ kind }) => kind !== 'connected' && kind !== 'disconnected');
}

export const withoutTelephoneEvents = (sdp: string): string =>
  sdp
    .replace(/^(m=audio .*) 101(.*)$/m, '$1$2')
    .split('\r\n')
    .filter((line) => !line.includes(':101 '))
    .join('\r\n');

export const onlyPcma = (sdp: string): string =>
  sdp
    .replace(/^(m=audio \d+ [A-Z/]+) 0 8/m, '$1 8')
    .split('\r\n')
    .filter((line) => !line.startsWith('a=rtpmap:0 '))
    .join('\r\n');

export async function refusedWith(code: MediaErrorCode, work: Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error) => error instanceof MediaError && error.code === code);
}

/** States what a node promises, and how it is tried. */
export type Promised = (
  title: string,
  test: (world: World, folder: string) => Promise<void>,
  options?: MediaWorldOptions,
) => void;
