import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import { TaskGroup } from '../base/lifecycle.ts';
import { silentLogger, type Logger } from '../base/logger.ts';
import { seededRandom } from '../base/random.ts';
import { parseSid, type AccountSid } from '../base/sid.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { VirtualNetwork } from '../base/virtual-network.ts';
import { parseAddress } from '../comms/address.ts';
import type { HttpMethod } from '../comms/model.ts';
import { openGuardedHttp } from '../http/guarded.ts';
import { TargetPolicy } from '../http/target-policy.ts';
import { openInProcessMediaNode } from '../media/in-process-node.ts';
import type { MediaLeg, MediaNode } from '../media/media-node.ts';
import { openSpeech } from '../media/speech-engine.ts';
import type { SpeechEngine } from '../media/speech.ts';
import type { IncomingCall, SipCall, UserAgent } from '../sip/user-agent.ts';
import { parseAddress as parseNameAddress } from '../wire/sip/address.ts';
import { header } from '../wire/sip/message.ts';
import { parseSipUri } from '../wire/sip/uri.ts';
import { DOCUMENT_ORIGIN, documentsBefore } from './document-folder.ts';
import { DrivenTime } from './driven-time.ts';
import { Ear } from './ear.ts';
import { FolderBlobs } from './memory-records.ts';
import { openMurmur } from './murmur.ts';
import { NamedSounds, NamingWebhooks } from './named-sounds.ts';
import { ObservedNode, rtpEndpoint, type Announcement } from './observed-media.ts';
import { DEFAULT_PATIENCE_MS, PhoneCall } from './phone-call.ts';
import { PhoneError } from './phone-error.ts';
import { PlaceInMemory } from './place-in-memory.ts';
import { openSipSide, SIP_PORT } from './sip-side.ts';
import { Transcript, type PhoneEvent } from './transcript.ts';
import { watchedHttp } from './watched-http.ts';

export type { Hearing } from './ear.ts';
export type { ExpectOptions, PhoneCall } from './phone-call.ts';
export { PhoneError, type PhoneErrorCode } from './phone-error.ts';
export type { PhoneEvent } from './transcript.ts';

/** What a phone does that is called. */
export type Answering = 'yes' | 'no' | 'busy';

export interface PhoneOptions {
  /** Signs the requests to the application. Default: 32 times `0`. */
  readonly authToken?: string;
  readonly accountSid?: string;
  /** Decides everything that is random: call sids, SIP tags. Default 1. */
  readonly seed?: number;
  /** `murmur`: speech without words, the same on every machine. `engine`: the best speech engine of this machine. */
  readonly speech?: 'murmur' | 'engine' | SpeechEngine;
  /** The value of PATH, where speech engines are looked for; wanted with `engine`. */
  readonly environmentPath?: string;
  /** What the phones that the flow dials do. Default `yes`. */
  readonly answer?: Answering;
  /** Folder of the documents at `http://document.invalid/`. */
  readonly documents?: string;
  /** Where recordings of the flow are kept; default: they go with the phone. */
  readonly recordings?: string;
  /** Virtual milliseconds that an expectation waits. Default 60,000. */
  readonly patienceMs?: number;
  /** Network between phone and service. */
  readonly delayMs?: number;
  readonly lossRate?: number;
  readonly log?: Logger;
  /** Told of each event as it happens. */
  readonly onEvent?: (event: PhoneEvent) => void;
}

export interface PhoneCallOptions {
  /** The number of the phone. Default +15550199. */
  readonly from?: string;
  /** The number of the application. Default +15550100. */
  readonly to?: string;
  readonly method?: HttpMethod;
  readonly fallbackUrl?: string;
  readonly statusCallback?: string;
  /** A WAV file of the call: left what the phone hears, right what it sends. */
  readonly wav?: string;
  /** The phone hangs up so many virtual milliseconds after the answer. */
  readonly hangUpAfterMs?: number;
}

// RFC 5737: addresses that nobody has.
const SERVICE = '192.0.2.1';
const PHONES = '192.0.2.2';
/** A Thursday at noon, so that runs do not differ by their date. */
const START_MS = Date.UTC(2026, 0, 1, 12);
const DEFAULT_ACCOUNT = `AC${'0'.repeat(32)}`;
const DEFAULT_TOKEN = '0'.repeat(32);
export const DEFAULT_NUMBER = '+15550100';
export const DEFAULT_CALLER = '+15550199';
const RTP_PORTS = { low: 20_000, high: 29_999 };
/** A person lets it ring a little. */
const ANSWER_AFTER_MS = 2000;
const RING_MS = 300_000;

/** Opens a phone with a whole call service behind it, in virtual time. Close it when it is no longer needed. */
export async function openPhone(options: PhoneOptions = {}): Promise<Phone> {
  const folder = await mkdtemp(join(tmpdir(), 'tandem-phone-'));
  try {
    return await Phone.open(options, folder);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

type OwnOptions = Pick<PhoneCallOptions, 'wav' | 'hangUpAfterMs'>;

interface PhoneParts {
  readonly options: PhoneOptions;
  readonly folder: string;
  readonly time: DrivenTime;
  readonly transcript: Transcript;
  readonly place: PlaceInMemory;
  readonly sip: UserAgent;
  readonly media: MediaNode;
  readonly names: NamedSounds;
  readonly voice: SpeechEngine;
  readonly inline: Map<string, string>;
  readonly close: () => Promise<void>;
}

/** Phones on a network of their own, before a call service in memory that runs the application's flow. */
export class Phone {
  readonly #parts: PhoneParts;
  readonly #calls: PhoneCall[] = [];
  readonly #ears: Ears;
  readonly #tasks: TaskGroup;
  readonly #dialled: PhoneCall[] = [];
  #answer: Answering;
  #onDialled: (() => void) | undefined;
  /** For the phone that rings next, when the application calls it. */
  #calledWith: OwnOptions = {};
  #closing: Promise<void> | undefined;

  private constructor(parts: PhoneParts, ears: Ears) {
    this.#parts = parts;
    this.#ears = ears;
    this.#answer = parts.options.answer ?? 'yes';
    const log = parts.options.log ?? silentLogger;
    this.#tasks = new TaskGroup((error) => log.error({ error: errorText(error) }, 'work of the phone failed'));
    parts.sip.onIncomingCall((incoming) => this.#tasks.run(() => this.#ring(incoming)));
  }

  /** @internal */
  static async open(options: PhoneOptions, folder: string): Promise<Phone> {
    const clock = new VirtualClock(START_MS);
    const time = new DrivenTime(clock);
    const log = options.log ?? silentLogger;
    const seed = options.seed ?? 1;
    const names = new NamedSounds();
    const ears = new Ears();
    const { delayMs = 0, lossRate = 0 } = options;
    const network = new VirtualNetwork({ clock, random: seededRandom(seed), delayMs, lossRate });
    const [serviceHost, phoneHost] = [network.host(SERVICE), network.host(PHONES)];
    const nodeOf = (id: string, host: typeof serviceHost, own: number, onHeard?: Ears['push']): MediaNode =>
      openInProcessMediaNode({
        id,
        clock,
        portRange: RTP_PORTS,
        random: seededRandom(own),
        network: host,
        ...(onHeard === undefined ? {} : { onHeard }),
      });
    const serviceMedia = nodeOf('service', serviceHost, seed + 1);
    const phoneMedia = nodeOf('phones', phoneHost, seed + 2, (leg, frame) => ears.push(leg, frame));
    const trusted = { clock, log, peer: { kind: 'anonymous' } as const };
    const serviceSip = await openSipSide({
      ...trusted,
      network: serviceHost,
      address: SERVICE,
      seed: seed + 3,
      name: 'Tandem',
    });
    const phoneSip = await openSipSide({
      ...trusted,
      network: phoneHost,
      address: PHONES,
      seed: seed + 4,
      name: 'Scripted phone',
    });
    let phone: Phone | undefined;
    const transcript = new Transcript(() => clock.now(), options.onEvent);
    const guarded = openGuardedHttp({ policy: new TargetPolicy(['any']), clock, logger: log });
    const inline = new Map<string, string>();
    const http = watchedHttp(documentsBefore(guarded, { folder: options.documents, inline, clock }), (request) => {
      const tell = transcript.reserve(phone?.current ?? 0);
      return (outcome) => {
        tell({ kind: 'request', ...request, ...outcome });
        phone?.changed();
      };
    });
    const engine = await engineOf(options, folder, clock);
    const account = accountOf(options);
    const place = await PlaceInMemory.open({
      clock,
      log,
      account,
      seed: seed + 5,
      userAgent: serviceSip,
      media: new ObservedNode(serviceMedia, (announcement) => ears.announce(announcement)),
      webhooks: new NamingWebhooks(
        { http, clock, random: seededRandom(seed + 6), soundDirectory: join(folder, 'sounds') },
        names,
      ),
      speech: names.speech(engine),
      blobs: await FolderBlobs.open(options.recordings ?? join(folder, 'recordings'), {
        clock,
        random: seededRandom(seed + 7),
      }),
      phones: { address: PHONES, port: SIP_PORT },
      onFault: (_call, { code, level, message }) =>
        phone?.tell({ kind: 'fault', code, level: level === 'error' ? 'error' : 'warning', message }),
      onRecording: ({ sid, duration, blobId }) =>
        phone?.tell({
          kind: 'recorded',
          sid,
          seconds: duration ?? 0,
          ...(blobId === null || options.recordings === undefined
            ? {}
            : { path: join(options.recordings, `${blobId}.wav`) }),
        }),
    });
    phone = new Phone(
      {
        options,
        folder,
        time,
        transcript,
        place,
        sip: phoneSip,
        media: phoneMedia,
        names,
        voice: engine,
        inline,
        async close() {
          await place.service.drain();
          await place.settled();
          await Promise.all([phoneSip.close(), serviceSip.close()]);
          await Promise.all([phoneMedia.close(), serviceMedia.close()]);
          await http.close();
          await rm(folder, { recursive: true, force: true });
        },
      },
      ears,
    );
    return phone;
  }

  /** Everything that happened, in all calls. */
  get transcript(): readonly PhoneEvent[] {
    return this.#parts.transcript.events;
  }

  /**
   * Calls the application at a URL, or one that answers with the given TwiML. Resolves when the call is answered,
   * refused or over.
   */
  async call(application: string, options: PhoneCallOptions = {}): Promise<PhoneCall> {
    const { from = DEFAULT_CALLER, to = DEFAULT_NUMBER } = options;
    const { place, time } = this.#parts;
    place.answerWith(numberOf(to), this.#handling(application, options));
    const call = await time.until(this.#place(from, numberOf(to), options));
    await call.begun();
    return call;
  }

  /** The application calls this phone, as by Calls.create. Resolves when the call was answered, refused or given up. */
  async isCalled(application: string, options: PhoneCallOptions = {}): Promise<PhoneCall> {
    const { from = DEFAULT_NUMBER, to = DEFAULT_CALLER, statusCallback } = options;
    const { place, time } = this.#parts;
    const handling = this.#handling(application, options);
    place.answerWith(numberOf(from), handling);
    const [fromAddress, toAddress] = [parseAddress(from), parseAddress(to)];
    if (fromAddress === undefined || toAddress === undefined) throw badNumber(fromAddress === undefined ? from : to);
    const plan = {
      url: handling.voiceUrl,
      method: handling.voiceMethod,
      ...(handling.voiceFallbackUrl === null ? {} : { fallbackUrl: handling.voiceFallbackUrl }),
      ...(statusCallback === undefined ? {} : { statusCallback }),
    };
    this.#calledWith = options;
    await time.until(place.service.create(place.account, { from: fromAddress, to: toAddress, plan }));
    const call = await this.dialled();
    await call.begun();
    return call;
  }

  /** The next phone that the flow dials (a Dial, a whisper): a call of its own. */
  async dialled(options: { readonly withinMs?: number } = {}): Promise<PhoneCall> {
    const { time, options: phoneOptions } = this.#parts;
    const { clock } = time;
    const withinMs = options.withinMs ?? phoneOptions.patienceMs ?? DEFAULT_PATIENCE_MS;
    const next = (): PhoneCall | undefined => this.#dialled.shift();
    const ready = next();
    if (ready !== undefined) return ready;
    return time.until(
      new Promise<PhoneCall>((resolve, reject) => {
        const cancel = after(clock, withinMs, () => {
          this.#onDialled = undefined;
          reject(
            new PhoneError('not-connected', `expected that a phone is dialled: none was, for ${withinMs / 1000} s`),
          );
        });
        this.#onDialled = () => {
          cancel();
          this.#onDialled = undefined;
          resolve(next() as PhoneCall);
        };
      }),
    );
  }

  /** What phones do from now on that are called. */
  answers(answer: Answering): void {
    this.#answer = answer;
  }

  /** Lets time pass until every call has ended and the application was told of everything. */
  async settled(): Promise<void> {
    await this.#parts.time.until(this.#parts.place.settled());
  }

  /** Hangs up what is still up, and frees everything. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#parts.time.until(this.#parts.close());
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Number of the call that is spoken of now. @internal */
  get current(): number {
    return this.#calls.find((call) => !call.ended)?.number ?? this.#calls.at(-1)?.number ?? 0;
  }

  /** @internal */
  tell(happened: Parameters<PhoneCall['tell']>[0]): void {
    this.#parts.transcript.add(this.current, happened);
    this.changed();
  }

  /** @internal */
  changed(): void {
    for (const call of this.#calls) call.changed();
  }

  #handling(application: string, options: PhoneCallOptions): Parameters<PlaceInMemory['answerWith']>[1] {
    return {
      voiceUrl: this.#urlOf(application),
      voiceMethod: options.method ?? 'POST',
      voiceFallbackUrl: options.fallbackUrl ?? null,
      statusCallback: options.statusCallback ?? null,
    };
  }

  #urlOf(application: string): string {
    if (!application.trimStart().startsWith('<')) return application;
    const name = `/inline-${this.#parts.inline.size + 1}.xml`;
    this.#parts.inline.set(name, application);
    return DOCUMENT_ORIGIN + name;
  }

  async #place(from: string, to: string, options: OwnOptions): Promise<PhoneCall> {
    const { sip, media } = this.#parts;
    const leg = await media.openLeg({ kind: 'rtp', localAddress: PHONES });
    const call = this.#open(leg, options);
    call.tell({ kind: 'calls', from, to });
    const address = (number: string): string => `<sip:${number}@${SERVICE}>`;
    const placed = sip.placeCall(
      {
        target: {
          uri: `sip:${to}@${SERVICE}`,
          flow: { transport: 'udp', remote: { address: SERVICE, port: SIP_PORT } },
        },
        from: address(from),
        to: address(to),
        ringTimeoutMs: RING_MS,
        offer: async () => this.#ears.at(leg, await leg.createOffer()),
      },
      {
        progress: (status, sdp) => {
          if (status === 180) call.rings();
          if (sdp !== undefined) this.#tasks.run(() => leg.acceptAnswer(sdp));
        },
        answered: (sipCall, sdp) => this.#tasks.run(() => this.#answered(call, leg, { sipCall, sdp })),
        failed: ({ status, reason }) => call.isRefused(status, reason),
      },
    );
    call.connect({ hangUp: async () => placed.cancel() });
    return call;
  }

  async #answered(
    call: PhoneCall,
    leg: MediaLeg,
    { sipCall, sdp }: { readonly sipCall: SipCall; readonly sdp: string },
  ): Promise<void> {
    await leg.acceptAnswer(sdp);
    this.#isUp(call, leg, sipCall);
  }

  #isUp(call: PhoneCall, leg: MediaLeg, sipCall: SipCall): void {
    call.connect({ hangUp: () => sipCall.hangup() });
    sipCall.onEvent((event) => {
      if (event.kind === 'ended') call.isHungUp();
      if (event.kind === 'offer') {
        this.#tasks.run(async () => {
          event.answer(event.offer === undefined ? await leg.createOffer() : await leg.answerOffer(event.offer));
        });
      }
    });
    call.isAnswered();
  }

  /** The service calls a phone. */
  async #ring(incoming: IncomingCall): Promise<void> {
    const { media, time } = this.#parts;
    const leg = await media.openLeg({ kind: 'rtp', localAddress: PHONES });
    const call = this.#open(leg, this.#calledWith);
    this.#calledWith = {};
    const from = parseNameAddress(header(incoming.request, 'From') ?? '')?.uri ?? '';
    call.tell({ kind: 'called', from: userOf(from), to: userOf(incoming.request.uri) });
    this.#dialled.push(call);
    this.#onDialled?.();
    const refuse = (status: number, reason: string): void => {
      incoming.reject(status, reason);
      call.isRefused(status, reason);
    };
    call.connect({ hangUp: async () => refuse(486, 'Busy Here') });
    incoming.onCancelled(() => call.isRefused(487, 'Request Terminated'));
    if (this.#answer === 'busy') return refuse(486, 'Busy Here');
    incoming.ringing();
    call.rings();
    if (this.#answer === 'no') return;
    after(time.clock, ANSWER_AFTER_MS, () => {
      if (!call.ended) this.#tasks.run(() => this.#pickUp(call, leg, incoming));
    });
  }

  async #pickUp(call: PhoneCall, leg: MediaLeg, incoming: IncomingCall): Promise<void> {
    const sdp = incoming.offer === undefined ? await leg.createOffer() : await leg.answerOffer(incoming.offer);
    const { call: sipCall, ackSdp } = await incoming.answer(this.#ears.at(leg, sdp));
    if (incoming.offer === undefined && ackSdp !== undefined) await leg.acceptAnswer(ackSdp);
    this.#isUp(call, leg, sipCall);
  }

  #open(leg: MediaLeg, { wav, hangUpAfterMs }: OwnOptions): PhoneCall {
    const { time, transcript, names, voice, options } = this.#parts;
    const number = this.#calls.length + 1;
    const ear = new Ear({
      clock: time.clock,
      names,
      onBegin: (name) => call.begins(name),
      onHeard: (hearing) => call.heard(hearing),
    });
    const call: PhoneCall = new PhoneCall({
      number,
      time,
      transcript,
      leg,
      ear,
      voice,
      patienceMs: options.patienceMs ?? DEFAULT_PATIENCE_MS,
      hangUpAfterMs,
      onSaid: (text, path) => this.#ears.announceToOthers(ear, text, path),
    });
    leg.onEvent((event) => {
      if (event.kind === 'digit') call.tell({ kind: 'key', digit: event.digit });
    });
    if (wav !== undefined) leg.record({ path: wav, track: 'both', channels: 2 });
    this.#ears.add(leg, ear);
    this.#calls.push(call);
    return call;
  }
}

/** The ears of all phones, found by their leg and by where their sound arrives. */
class Ears {
  readonly #byLeg = new Map<MediaLeg, Ear>();
  readonly #byEndpoint = new Map<string, Ear>();

  readonly push = (leg: MediaLeg, frame: Int16Array): void => this.#byLeg.get(leg)?.push(frame);

  add(leg: MediaLeg, ear: Ear): void {
    this.#byLeg.set(leg, ear);
  }

  /** The leg sends this description of its own; it comes back as it is. */
  at(leg: MediaLeg, sdp: string): string {
    const endpoint = rtpEndpoint(sdp);
    const ear = this.#byLeg.get(leg);
    if (endpoint !== undefined && ear !== undefined) this.#byEndpoint.set(endpoint, ear);
    return sdp;
  }

  announce(announcement: Announcement): void {
    if (announcement.peer !== undefined) this.#byEndpoint.get(announcement.peer)?.announce(announcement);
  }

  /** Whoever is joined with the speaker hears it. */
  announceToOthers(own: Ear, text: string, path: string): void {
    const sources = [{ kind: 'file', path }] as const;
    const done = new Promise<never>(() => undefined);
    for (const ear of this.#byLeg.values())
      if (ear !== own) ear.announce({ peer: undefined, sources, name: { how: 'person', text }, done }, true);
  }
}

/** What makes speech: also for the people at the phones. */
async function engineOf(options: PhoneOptions, folder: string, clock: VirtualClock): Promise<SpeechEngine> {
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

function numberOf(text: string): string {
  const address = parseAddress(text);
  if (address?.kind !== 'number') throw badNumber(text);
  return address.number;
}

function badNumber(text: string): PhoneError {
  return new PhoneError('bad-option', `"${text}" is no phone number: want one as +15550100`);
}

function userOf(uri: string): string {
  return parseSipUri(uri)?.user ?? uri;
}
