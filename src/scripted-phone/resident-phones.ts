import { sleep, type Clock } from '../base/clock.ts';
import { deferred } from '../base/deferred.ts';
import { errorText } from '../base/errors.ts';
import { TaskGroup } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Endpoint, Network } from '../base/network.ts';
import { formatEndpoint } from '../base/network.ts';
import type { Random } from '../base/random.ts';
import { openInProcessMediaNode } from '../media/in-process-node.ts';
import type { MediaNode } from '../media/media-node.ts';
import type { PortRange } from '../media/port-range.ts';
import type { SpeechEngine } from '../media/speech.ts';
import { OwnedClock } from '../sip/owned-clock.ts';
import type { IncomingCall, TrunkRegistration, UserAgent } from '../sip/user-agent.ts';
import type { Ears } from './ears.ts';
import type { NamedSounds } from './named-sounds.ts';
import { DEFAULT_PATIENCE_MS } from './expectations.ts';
import type { PhoneCall } from './phone-call.ts';
import { PhoneError } from './phone-error.ts';
import { partiesOf, PhoneSignalling, type OpenedCall } from './phone-signalling.ts';
import type { PhoneTime } from './phone-time.ts';
import { ResidentResults, type ResidentRecord, type ResidentResult } from './resident-results.ts';
import { parseResidentScript, type NamedScript } from './resident-script.ts';
import { runSteps, type ScriptResult } from './run-script.ts';
import { openingOf, type Step } from './script.ts';
import { openSipSide } from './sip-side.ts';
import { REAL_TIME_RULES } from './sound-match.ts';
import { Transcript } from './transcript.ts';

/** Over all phones; what comes beyond it finds the phone busy. */
const MAX_CALLS = 50;
const MAX_PHONES = 200;
const ANSWER_AFTER_MS = 250;
const REGISTRATION_SECONDS = 600;
/** The start waits so long for registrations; a removal so long for the farewell. */
const MAX_REGISTRATION_MS = 2000;

export interface ResidentPhonesOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly log: Logger;
  /** The server's SIP door over UDP, where these phones register as any other, and their domain. */
  readonly door: Endpoint;
  readonly domain: string;
  /** Where the phones' own sound arrives. */
  readonly rtp: PortRange;
  readonly voice: SpeechEngine;
  /** What the service plays, and where. */
  readonly ears: Ears;
  readonly names: NamedSounds;
  readonly patienceMs?: number;
}

export interface ResidentPhone {
  readonly name: string;
  readonly password: string;
  readonly script: NamedScript;
}

interface Resident {
  readonly name: string;
  readonly password: string;
  readonly steps: readonly Step[];
  readonly results: ResidentResults;
  readonly registration: TrunkRegistration;
  readonly live: Set<LiveCall>;
}

interface LiveCall {
  readonly call: PhoneCall;
  readonly end: (why: string) => void;
  readonly over: Promise<void>;
}

interface Side {
  readonly sip: UserAgent;
  readonly media: MediaNode;
  readonly signalling: PhoneSignalling;
}

/** Phones that live in a running server and do what their scripts say, in real time, over its own SIP door. */
export class ResidentPhones {
  readonly #options: ResidentPhonesOptions;
  readonly #tasks: TaskGroup;
  readonly #phones = new Map<string, Resident>();
  #side: Promise<Side> | undefined;
  #calls = 0;

  constructor(options: ResidentPhonesOptions) {
    this.#options = options;
    const { log } = options;
    this.#tasks = new TaskGroup((error) => log.error({ error: errorText(error) }, 'work of a scripted phone failed'));
  }

  /** Registers the phone; resolves when it is registered, or was not in time. Throws PhoneError for a script that cannot be used. */
  async add({ name, password, script }: ResidentPhone): Promise<void> {
    const steps = parseResidentScript(script);
    if (this.#phones.size >= MAX_PHONES) {
      throw new PhoneError('bad-option', `there are ${MAX_PHONES} scripted phones already: remove one first`);
    }
    const { domain, log, clock } = this.#options;
    const { sip } = await this.#open();
    const registered = deferred<void>();
    const registration = sip.registerTrunk({
      registrar: `sip:${formatEndpoint(this.#options.door)}`,
      aor: `sip:${name}@${domain}`,
      credentials: { username: name, password },
      expiresSeconds: REGISTRATION_SECONDS,
      onState: (state) => {
        if (state.kind === 'registered') registered.resolve();
        if (state.kind === 'failed') log.warn({ phone: name, ...state }, 'a scripted phone is not registered');
      },
    });
    this.#phones.set(name, { name, password, steps, registration, results: new ResidentResults(), live: new Set() });
    await within(clock, MAX_REGISTRATION_MS, registered.promise);
  }

  has(name: string): boolean {
    return this.#phones.has(name);
  }

  /** Ends its calls, and its registration. A phone that is none of these is left alone. */
  async remove(name: string): Promise<void> {
    const phone = this.#phones.get(name);
    if (phone === undefined) return;
    this.#phones.delete(name);
    await this.#endCalls(phone, 'the phone was removed');
    await within(this.#options.clock, MAX_REGISTRATION_MS, phone.registration.stop());
  }

  /** Its last calls, oldest first; undefined when there is no such phone. */
  results(name: string): readonly ResidentResult[] | undefined {
    return this.#phones.get(name)?.results.list();
  }

  /** Makes the call of a script that begins with `call NUMBER`; gives the number of the call among the results. */
  async run(name: string): Promise<number> {
    const phone = this.#phones.get(name);
    if (phone === undefined) throw new PhoneError('bad-option', `${name} has no script: add one with --script FILE`);
    const opening = openingOf(phone.steps);
    if (opening.kind !== 'call') {
      throw new PhoneError(
        'bad-option',
        `${name} waits for calls: only a script that begins with "call +NUMBER" is run`,
      );
    }
    if (this.#calls >= MAX_CALLS) throw new PhoneError('bad-option', `${MAX_CALLS} calls of scripted phones are up`);
    const { domain, door } = this.#options;
    const { signalling } = await this.#open();
    const parties = { from: name, to: opening.to };
    const record = phone.results.begin({ startedAt: this.#options.clock.now(), direction: 'out', ...parties });
    this.#live(phone, record, (opened) => {
      opened.call.tell({ kind: 'calls', ...parties });
      signalling.place(opened, {
        target: { uri: `sip:${opening.to}@${domain}`, flow: { transport: 'udp', remote: door } },
        from: `<sip:${name}@${domain}>`,
        to: `<sip:${opening.to}@${domain}>`,
        credentials: { username: name, password: phone.password },
      });
    });
    return record.number;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#phones.values()].map((phone) => this.#endCalls(phone, 'the server stops')));
    this.#phones.clear();
    const side = await this.#side?.catch(() => undefined);
    await side?.sip.close();
    await side?.media.close();
    await this.#tasks.settled();
  }

  #open(): Promise<Side> {
    this.#side ??= this.#openSide().catch((error: unknown) => {
      // Ports that were taken may be free the next time.
      this.#side = undefined;
      throw error;
    });
    return this.#side;
  }

  /** Opened with the first phone: a server without any has no sockets for them. */
  async #openSide(): Promise<Side> {
    const { clock, random, network, log, door, rtp, ears, names, voice } = this.#options;
    const { patienceMs = DEFAULT_PATIENCE_MS } = this.#options;
    const localAddress = door.address;
    const media = openInProcessMediaNode({
      ...{ clock, random },
      id: 'scripted-phones',
      portRange: rtp,
      // What was sent, not when it came: a machine that stands still for a moment spoils no judgement.
      onArrived: (leg, samples) => ears.push(leg, samples),
    });
    const sip = await openSipSide({
      ...{ clock, random, network, log },
      address: localAddress,
      port: 0,
      // Nobody but the server calls these phones.
      isTrusted: (source) => source.port === door.port && source.address === door.address,
    });
    const signalling = new PhoneSignalling({
      ...{ sip, media, ears, names, voice, localAddress, patienceMs },
      tasks: this.#tasks,
      answerAfterMs: ANSWER_AFTER_MS,
      rules: REAL_TIME_RULES,
    });
    sip.onIncomingCall((incoming) => this.#ring(incoming, signalling));
    return { sip, media, signalling };
  }

  #ring(incoming: IncomingCall, signalling: PhoneSignalling): void {
    const parties = partiesOf(incoming);
    const phone = this.#phones.get(parties.to);
    if (phone === undefined) return incoming.reject(404, 'Not Found');
    if (this.#calls >= MAX_CALLS) return incoming.reject(486, 'Busy Here');
    const opening = openingOf(phone.steps);
    // A phone that calls out by its script has nothing to say to others.
    if (opening.kind === 'call') return incoming.reject(480, 'Temporarily Unavailable');
    const record = phone.results.begin({ startedAt: this.#options.clock.now(), direction: 'in', ...parties });
    this.#live(
      phone,
      record,
      (opened) => {
        opened.call.tell({ kind: 'called', ...parties });
        signalling.ring(opened, incoming, opening.answer);
      },
      () => incoming.reject(503, 'Service Unavailable'),
    );
  }

  /** Opens a call, begins it, and does the steps in it; the record tells the outcome. */
  #live(
    phone: Resident,
    record: ResidentRecord & { readonly number: number },
    begin: (opened: OpenedCall) => void,
    giveUp: () => void = () => undefined,
  ): void {
    this.#calls += 1;
    this.#tasks.run(async () => {
      try {
        const outcome = await this.#run(phone, record, begin);
        this.#tell(phone, record.finish(outcome));
      } catch (error) {
        giveUp();
        this.#tell(phone, record.finish({ held: false, why: errorText(error) }));
      } finally {
        this.#calls -= 1;
      }
    });
  }

  async #run(phone: Resident, record: ResidentRecord, begin: (opened: OpenedCall) => void): Promise<ScriptResult> {
    const { patienceMs = DEFAULT_PATIENCE_MS } = this.#options;
    const clock = new OwnedClock(this.#options.clock);
    const cut = deferred<never>();
    // Whoever waits hears of it; nobody need wait.
    cut.promise.catch(() => undefined);
    const time: PhoneTime = { clock, until: (promise) => Promise.race([promise, cut.promise]) };
    const transcript = new Transcript(
      () => clock.now(),
      (event) => record.add(event),
    );
    const { signalling } = await this.#open();
    const opened = await signalling.open({ time, transcript, number: 1 });
    const { call } = opened;
    const over = deferred<void>();
    const live = { call, over: over.promise, end: (why: string) => cut.reject(new PhoneError('not-connected', why)) };
    phone.live.add(live);
    try {
      begin(opened);
      const failed = await this.#steps(call, phone.steps, patienceMs);
      return failed ?? { held: true };
    } finally {
      await call.release();
      clock.close();
      phone.live.delete(live);
      over.resolve();
    }
  }

  async #steps(call: PhoneCall, steps: readonly Step[], patienceMs: number): Promise<ScriptResult | undefined> {
    await call.begun();
    const [first] = steps;
    if (first?.action.kind === 'call' && !call.answered) {
      return { held: false, line: first.line, why: `the call was not answered: ${call.status}` };
    }
    const failed = await runSteps(call, steps);
    if (failed === undefined) await call.listens(patienceMs);
    return failed;
  }

  async #endCalls(phone: Resident, why: string): Promise<void> {
    const live = [...phone.live];
    for (const each of live) each.end(why);
    await Promise.all(live.map(({ over }) => over));
  }

  #tell({ name }: Resident, result: ResidentResult): void {
    const { call, from, to, state, line, why } = result;
    const told = {
      phone: name,
      call,
      from,
      to,
      ...(line === undefined ? {} : { line }),
      ...(why === undefined ? {} : { why }),
    };
    if (state === 'held') this.#options.log.info(told, 'a scripted phone: held');
    else this.#options.log.warn(told, 'a scripted phone: failed');
  }
}

/** Waits, but not for long. */
async function within(clock: Clock, maxMs: number, work: Promise<void>): Promise<void> {
  const over = new AbortController();
  await Promise.race([work, sleep(clock, maxMs, over.signal).catch(() => undefined)]).finally(() => over.abort());
}
