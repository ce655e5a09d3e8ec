import { join } from 'node:path';
import { rm } from 'node:fs/promises';
import { holding, type Clock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import type { Network } from '../base/network.ts';
import { seededRandom } from '../base/random.ts';
import { parseSid, type AccountSid } from '../base/sid.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { VirtualNetwork } from '../base/virtual-network.ts';
import { openGuardedHttp } from '../http/guarded.ts';
import type { OutgoingHttp } from '../http/outgoing.ts';
import { TargetPolicy } from '../http/target-policy.ts';
import { openInProcessMediaNode } from '../media/in-process-node.ts';
import type { MediaNode } from '../media/media-node.ts';
import { openSpeech } from '../media/speech-engine.ts';
import type { SpeechEngine } from '../media/speech.ts';
import type { UserAgent } from '../sip/user-agent.ts';
import { CallBook } from './call-book.ts';
import { documentsBefore } from './document-folder.ts';
import { DrivenTime } from './driven-time.ts';
import { Ears } from './ears.ts';
import { FolderBlobs } from './folder-blobs.ts';
import { openMurmur } from './murmur.ts';
import { NamedSounds, NamingWebhooks } from './named-sounds.ts';
import { ObservedNode } from './observed-media.ts';
import { OrderedOutside } from './ordered-outside.ts';
import { PhoneError } from './phone-error.ts';
import type { PhoneOptions } from './phone-options.ts';
import { PlaceInMemory } from './place-in-memory.ts';
import { openSipSide, SIP_PORT } from './sip-side.ts';
import { Transcript } from './transcript.ts';
import { watchedHttp } from './watched-http.ts';

// RFC 5737: addresses that nobody has.
export const SERVICE_ADDRESS = '192.0.2.1';
export const PHONE_ADDRESS = '192.0.2.2';
/** A Thursday at noon, so that runs do not differ by their date. */
const START_MS = Date.UTC(2026, 0, 1, 12);
const DEFAULT_ACCOUNT = `AC${'0'.repeat(32)}`;
const DEFAULT_TOKEN = '0'.repeat(32);
/** As that of the running program. */
const DEFAULT_CALLS_PER_SECOND = 1;
const RTP_PORTS = { low: 20_000, high: 29_999 };

/** A call service and the phones before it, on a network and a clock of their own. */
export interface PhoneWorld {
  readonly time: DrivenTime;
  readonly transcript: Transcript;
  readonly calls: CallBook;
  readonly ears: Ears;
  readonly names: NamedSounds;
  readonly place: PlaceInMemory;
  /** The phones' own signalling and media. */
  readonly sip: UserAgent;
  readonly media: MediaNode;
  /** Makes what the people at the phones say. */
  readonly voice: SpeechEngine;
  /** Documents given as text, by their path. */
  readonly documents: Map<string, string>;
  close(): Promise<void>;
}

interface Common {
  readonly options: PhoneOptions;
  readonly folder: string;
  readonly clock: VirtualClock;
  readonly network: VirtualNetwork;
  readonly outside: OrderedOutside;
  /** A stream of randomness for each part, so that none disturbs another's. */
  readonly seeds: () => number;
}

/** Opens both sides; `folder` goes when the world is closed. */
export async function openWorld(options: PhoneOptions, folder: string): Promise<PhoneWorld> {
  const clock = new VirtualClock(START_MS);
  const { seed = 1, delayMs = 0, lossRate = 0 } = options;
  let nextSeed = seed;
  const seeds = (): number => nextSeed++;
  const network = new VirtualNetwork({ clock, random: seededRandom(seeds()), delayMs, lossRate });
  const common: Common = { options, folder, clock, network, seeds, outside: new OrderedOutside(clock) };
  const transcript = new Transcript(() => clock.now(), options.onEvent);
  const calls = new CallBook(transcript);
  const names = new NamedSounds();
  const ears = new Ears();
  const documents = new Map<string, string>();
  const phones = await openSide(common, PHONE_ADDRESS, (leg, frame) => ears.push(leg, frame));
  const service = await openSide(common, SERVICE_ADDRESS);
  const http = openHttp(common, calls, documents);
  const voice = await engineOf(common);
  const place = await openPlace(common, {
    calls,
    names,
    http,
    voice,
    sip: service.sip,
    media: new ObservedNode(service.media, (announcement) => ears.announce(announcement)),
  });
  return {
    time: new DrivenTime(clock),
    ...{ transcript, calls, ears, names, place, voice, documents, ...phones },
    async close() {
      await place.close();
      for (const { sip, media } of [phones, service]) {
        await sip.close();
        await media.close();
      }
      await http.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type OnHeard = Parameters<typeof openInProcessMediaNode>[0]['onHeard'];

/** SIP and media at one address of the virtual network. */
async function openSide(
  { options, clock, network, seeds }: Common,
  address: string,
  onHeard?: OnHeard,
): Promise<{ readonly sip: UserAgent; readonly media: MediaNode }> {
  const host: Network = network.host(address);
  const media = openInProcessMediaNode({
    id: address,
    clock,
    portRange: RTP_PORTS,
    random: seededRandom(seeds()),
    network: host,
    ...(onHeard === undefined ? {} : { onHeard }),
  });
  const { log = silentLogger } = options;
  const sip = await openSipSide({ clock, log, network: host, address, random: seededRandom(seeds()) });
  return { sip, media };
}

/** The way out to the application, in the operator's own hands: whatever it names may be reached. */
function openHttp(
  { options, clock, outside }: Common,
  calls: CallBook,
  documents: ReadonlyMap<string, string>,
): OutgoingHttp {
  const { log = silentLogger, documents: folder } = options;
  // The webhooks hold the clock for as long as a request is open: from inside it is held no second time.
  const unheld: Clock = {
    now: () => clock.now(),
    at: (timeMs, fn) => clock.at(timeMs, fn),
    hold: () => () => undefined,
  };
  const guarded = openGuardedHttp({ policy: new TargetPolicy(['any']), clock: unheld, logger: log });
  const documented = documentsBefore(guarded, { folder, inline: documents, clock: unheld });
  const ordered: OutgoingHttp = {
    request: (request) => outside.run(() => documented.request(request)),
    close: () => documented.close(),
  };
  return watchedHttp(ordered, (request) => {
    const tell = calls.reserve();
    return (outcome) => tell({ kind: 'request', ...request, ...outcome });
  });
}

async function openPlace(
  { options, folder, clock, seeds }: Common,
  parts: {
    readonly calls: CallBook;
    readonly names: NamedSounds;
    readonly http: OutgoingHttp;
    readonly voice: SpeechEngine;
    readonly sip: UserAgent;
    readonly media: MediaNode;
  },
): Promise<PlaceInMemory> {
  const { calls, names, http, voice } = parts;
  const { log = silentLogger, recordings, callsPerSecond = DEFAULT_CALLS_PER_SECOND } = options;
  const random = seededRandom(seeds());
  return PlaceInMemory.open({
    clock,
    log,
    account: accountOf(options),
    random: seededRandom(seeds()),
    userAgent: parts.sip,
    media: parts.media,
    webhooks: new NamingWebhooks({ http, clock, random, soundDirectory: join(folder, 'sounds') }, names),
    speech: names.speech(voice),
    blobs: await FolderBlobs.open(recordings ?? join(folder, 'recordings'), { clock, random: seededRandom(seeds()) }),
    callsPerSecond,
    phones: { address: PHONE_ADDRESS, port: SIP_PORT },
    onFault: (_call, { code, level, message }) => calls.tell({ kind: 'fault', code, level, message }),
    onRecording: ({ sid, duration, blobId }) =>
      calls.tell({
        kind: 'recorded',
        sid,
        seconds: duration ?? 0,
        ...(blobId === null || recordings === undefined ? {} : { path: join(recordings, `${blobId}.wav`) }),
      }),
  });
}

async function engineOf(common: Common): Promise<SpeechEngine> {
  const engine = await chosenEngine(common);
  const { clock, outside } = common;
  return {
    name: engine.name,
    speak: (request) => holding(clock, () => outside.run(() => engine.speak(request))),
  };
}

async function chosenEngine({ options, folder, clock }: Common): Promise<SpeechEngine> {
  const { speech = 'murmur', environmentPath = '' } = options;
  if (speech === 'murmur') return openMurmur(folder, clock);
  if (speech !== 'engine') return speech;
  return openSpeech({ cacheFolder: join(folder, 'speech'), clock, environmentPath });
}

function accountOf({ accountSid = DEFAULT_ACCOUNT, authToken = DEFAULT_TOKEN }: PhoneOptions): {
  readonly sid: AccountSid;
  readonly authToken: string;
} {
  const sid = parseSid('AC', accountSid);
  if (sid === undefined) {
    throw new PhoneError('bad-option', `account sid "${accountSid}": want AC and 32 lower-case hexadecimal digits`);
  }
  return { sid, authToken };
}
