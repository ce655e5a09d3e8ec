import { sleep } from '../../base/clock.ts';
import { formatEndpoint } from '../../base/network.ts';
import { randomHex } from '../../base/random.ts';
import { nodeNetwork } from '../../sip/node-network.ts';
import type { CallFailure, PlacedCall, SipCall, UserAgent } from '../../sip/user-agent.ts';
import { startLoadApplication, type LoadApplication } from './load-application.ts';
import type { CallOptions } from './load-options.ts';
import { openPhone } from './open-phone.ts';
import type { LoadContext, Scenario, ScenarioEnd } from './scenario.ts';
import { audioOffer, SoundPort } from './sound-port.ts';
import type { SoundFigures } from './sound-tally.ts';
import { sourceAddresses } from './sources.ts';
import { makeNumbers, numberRange } from './temporary-numbers.ts';

const MAX_OPEN = 20_000;
const RING_TIMEOUT_MS = 60_000;
/** What the trunks of the run take; the servers' own limits are what is measured. */
const TRUNK_CALLS = 10_000;
const SECRET_BYTES = 16;

interface Source {
  readonly phone: UserAgent;
  readonly address: string;
  /** Takes what is sent to calls without sound of their own. */
  readonly offer: string;
}

/** Incoming calls by trunks of the run's own: INVITE, 200, ACK, a while of talk, BYE. */
export async function prepareCalls(options: CallOptions, context: LoadContext): Promise<Scenario> {
  const total = Math.ceil(options.ratePerSecond * options.durationSeconds * 2) + 1_000;
  const callers = numberRange(total + 1, context);
  const first = Number(callers(0).slice(1));
  const indexOf = (from: string): number | undefined => {
    const index = Number(from.slice(1)) - first;
    return index >= 0 && index < total ? index : undefined;
  };
  const application = options.to === undefined ? await openNumber(options, context, { indexOf, total }) : undefined;
  // The called number is the one behind all callers.
  const to = options.to ?? callers(total);
  if (application !== undefined) await makeNumbers([to], context, { VoiceUrl: application.voiceUrl });
  const sources = await openSources(options, context);
  const run = new Calls(options, context, { sources, callers, to, application });
  return { maxOpen: MAX_OPEN, work: (index, intendedMs) => run.work(index, intendedMs), finish: () => run.finish() };
}

async function openNumber(
  { holdSeconds, sound }: CallOptions,
  { cleanUp, random, sip }: LoadContext,
  { indexOf, total }: { readonly indexOf: (from: string) => number | undefined; readonly total: number },
): Promise<LoadApplication> {
  const application = await startLoadApplication({
    address: await nodeNetwork.routeTo(sip.address),
    secret: randomHex(random, SECRET_BYTES),
    indexOf,
    maxCalls: total,
    holdSeconds,
    sound,
  });
  cleanUp.add('the application', () => application.close());
  return application;
}

async function openSources({ sources }: CallOptions, context: LoadContext): Promise<readonly Source[]> {
  const { door, cleanUp, mark, sip } = context;
  const opened: Source[] = [];
  for (const address of await sourceAddresses(sources, sip.address)) {
    const phone = await openPhone(address, context);
    const sink = await nodeNetwork.bindDatagram({ address, port: 0 });
    sink.onMessage(() => undefined);
    sink.onError(() => undefined);
    cleanUp.add('a socket', () => sink.close());
    const name = `${mark}-${opened.length}`;
    const trunk = { name, uri: `sip:${formatEndpoint(phone.addresses.udp)}`, maxCalls: TRUNK_CALLS };
    await door.wanted(door.control('POST', '/trunks', trunk), 'a temporary trunk be made');
    cleanUp.add(`trunk ${name}`, () => door.wanted(door.control('DELETE', `/trunks/${name}`), 'a trunk be removed'));
    opened.push({ phone, address, offer: audioOffer(sink.local) });
  }
  return opened;
}

interface Parts {
  readonly sources: readonly Source[];
  readonly callers: (index: number) => string;
  readonly to: string;
  readonly application: LoadApplication | undefined;
}

class Calls {
  readonly #options: CallOptions;
  readonly #context: LoadContext;
  readonly #parts: Parts;
  readonly #ringing = new Set<PlacedCall>();
  readonly #holds = new Set<AbortController>();
  #answered = 0;
  #notAsked = 0;
  #askedAgain = 0;
  #sound = { streams: 0, silent: 0, sent: 0, received: 0, lost: 0, late: 0 };

  constructor(options: CallOptions, context: LoadContext, parts: Parts) {
    this.#options = options;
    this.#context = context;
    this.#parts = parts;
    // One listener for all: a run has more calls than a signal should have listeners.
    context.signal.addEventListener('abort', () => {
      for (const placed of this.#ringing) placed.cancel();
      for (const hold of this.#holds) hold.abort();
    });
  }

  async work(index: number, intendedMs: number): Promise<void> {
    const { tally, clock, random } = this.#context;
    const source = this.#parts.sources[index % this.#parts.sources.length] as Source;
    const sound = this.#options.sound ? await SoundPort.open(source.address, { clock, random }) : undefined;
    try {
      const outcome = await this.#place(index, source, sound?.offer ?? source.offer);
      if (outcome.kind === 'failed') return tally.end({ ok: false, label: labelOf(outcome.failure) });
      tally.took(intendedMs, outcome.atMs);
      this.#answered += 1;
      sound?.begin(outcome.sdp);
      const ended = await this.#hold(outcome.call);
      await outcome.call.hangup();
      this.#countApplication(index);
      tally.end(ended === undefined ? { ok: true } : { ok: false, label: `ended by the server: ${ended}` });
    } finally {
      if (sound !== undefined) this.#addSound(await sound.close(), sound.sent);
    }
  }

  async finish(): Promise<ScenarioEnd> {
    const figures: Record<string, number> = { answered: this.#answered };
    const faults: string[] = [];
    const { application } = this.#parts;
    if (application !== undefined) {
      Object.assign(figures, { notAsked: this.#notAsked, askedAgain: this.#askedAgain });
      if (this.#notAsked > 0) faults.push(`the application was not asked for ${this.#notAsked} answered calls`);
      if (this.#askedAgain > 0) faults.push(`the application was asked more than once for ${this.#askedAgain} calls`);
    }
    if (this.#options.sound) {
      const { streams, silent, sent, received, lost, late } = this.#sound;
      const perStream = { soundStreams: streams, soundSilent: silent, packetsSent: sent, packetsReceived: received };
      Object.assign(figures, perStream, { packetsLost: lost, packetsLate: late });
      if (silent > 0 && this.#options.holdSeconds >= 1) faults.push(`${silent} answered calls heard nothing`);
    }
    return Promise.resolve({ figures, faults });
  }

  #place(
    index: number,
    { phone, address }: Source,
    offer: string,
  ): Promise<
    | { readonly kind: 'answered'; readonly call: SipCall; readonly sdp: string; readonly atMs: number }
    | { readonly kind: 'failed'; readonly failure: CallFailure }
  > {
    const { clock, sip, signal } = this.#context;
    const { to, callers } = this.#parts;
    const uri = `sip:${to}@${formatEndpoint(sip)}${this.#options.transport === 'tcp' ? ';transport=tcp' : ''}`;
    return new Promise((resolve) => {
      const placed = phone.placeCall(
        {
          target: { uri },
          from: `<sip:${callers(index)}@${address}>`,
          to: `<sip:${to}@${sip.address}>`,
          offer: () => Promise.resolve(offer),
          ringTimeoutMs: RING_TIMEOUT_MS,
          mayFollow: () => Promise.resolve(false),
        },
        {
          progress: () => undefined,
          answered: (call, sdp) => {
            this.#ringing.delete(placed);
            resolve({ kind: 'answered', call, sdp, atMs: clock.now() });
          },
          failed: (failure) => {
            this.#ringing.delete(placed);
            resolve({ kind: 'failed', failure });
          },
        },
      );
      this.#ringing.add(placed);
      if (signal.aborted) placed.cancel();
    });
  }

  /** Why the server ended the call before its time; undefined when it did not. */
  async #hold(call: SipCall): Promise<string | undefined> {
    const over = new AbortController();
    if (this.#context.signal.aborted) return undefined;
    this.#holds.add(over);
    let ended: string | undefined;
    call.onEvent((event) => {
      if (event.kind !== 'ended') return;
      ended = event.reason ?? event.by;
      over.abort();
    });
    await sleep(this.#context.clock, this.#options.holdSeconds * 1_000, over.signal).catch(() => undefined);
    this.#holds.delete(over);
    return ended;
  }

  #countApplication(index: number): void {
    const { application, callers } = this.#parts;
    const asked = application?.asked(callers(index)) ?? 1;
    if (asked === 0) this.#notAsked += 1;
    else if (asked > 1) this.#askedAgain += 1;
  }

  #addSound({ received, lost, late }: SoundFigures, sent: number): void {
    if (sent === 0) return;
    const sum = this.#sound;
    this.#sound = {
      streams: sum.streams + 1,
      silent: sum.silent + (received === 0 ? 1 : 0),
      sent: sum.sent + sent,
      received: sum.received + received,
      lost: sum.lost + lost,
      late: sum.late + late,
    };
  }
}

function labelOf({ cause, status, reason }: CallFailure): string {
  return cause === 'rejected' ? `${status} ${reason}` : cause === 'timeout' ? 'no answer' : cause;
}
