import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { after, sleep, systemClock, type Cancel, type Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import { randomHex, systemRandom } from '../../base/random.ts';
import { parseHostPort } from '../../wire/sip/host.ts';
import { prepareCalls } from './calls.ts';
import { CleanUp } from './clean-up.ts';
import { prepareCreates } from './creates.ts';
import { Histogram } from './histogram.ts';
import { limitsReport, type LimitsAnswer } from './limits-report.ts';
import { secondLines } from './live-table.ts';
import { LoadError } from './load-error.ts';
import { checkLoadOptions, isLoopback, MAX_CREATES, type LoadOptions } from './load-options.ts';
import { runOpenLoop } from './open-loop.ts';
import { machineCpuSeconds, processCpuSeconds } from './process-cpu.ts';
import { prepareRegistrations } from './registrations.ts';
import { arrivals } from './schedule.ts';
import type { LoadContext, Scenario, ScenarioEnd } from './scenario.ts';
import { reason, ServerDoor, type StatusView } from './server-door.ts';
import { exitCodeOf, summaryLines, type GeneratorView, type LoadResult } from './summary.ts';
import { Tally } from './tally.ts';

/** Connections for what is no load itself; for creates with a rate. */
const DOOR_CONNECTIONS = 16;
const RATED_CONNECTIONS = 256;
/** 64*T1 (RFC 3261 17.1.1.2) and a little: by then SIP has given up what gets no answer. */
const DRAIN_MS = 35_000;
const SECOND_MS = 1_000;
/** Looks that must fail one after the other before the server counts as gone. */
const MISSED_LOOKS = 2;
const MARK_BYTES = 4;
const NOBODY_LISTENS = new Set(['ECONNREFUSED', 'ECONNRESET', 'UND_ERR_SOCKET']);

export { LoadError } from './load-error.ts';

export interface LoadPorts {
  /** Ends the run early, with its summary. */
  readonly signal: AbortSignal;
  readonly isTerminal: boolean;
  readonly json: boolean;
  print(line: string): void;
}

/** Loads a running server and says how it did. The result is the exit code; throws LoadError before any load. */
export async function runLoad(options: LoadOptions, ports: LoadPorts): Promise<0 | 1> {
  checkLoadOptions(options);
  const isCreates = options.kind === 'creates';
  const rated = isCreates && options.ratePerSecond !== undefined ? RATED_CONNECTIONS : DOOR_CONNECTIONS;
  const door = new ServerDoor(options.target, isCreates ? Math.max(rated, options.callers) : DOOR_CONNECTIONS);
  // What looks at the server meanwhile does not wait behind the load.
  const lookout = new ServerDoor(options.target, 1);
  try {
    const result = await new LoadRun(options, ports, { door, lookout }).run();
    if (ports.json) ports.print(JSON.stringify(result));
    else for (const line of summaryLines(result)) ports.print(line);
    return exitCodeOf(result);
  } finally {
    await Promise.all([door.close(), lookout.close()]);
  }
}

class LoadRun {
  readonly #options: LoadOptions;
  readonly #ports: LoadPorts;
  readonly #door: ServerDoor;
  readonly #lookout: ServerDoor;
  readonly #clock: Clock = systemClock;
  readonly #tally = new Tally();
  readonly #cleanUp = new CleanUp();
  readonly #stop = new AbortController();
  #gone: string | undefined;
  #skipped = 0;

  constructor(
    options: LoadOptions,
    ports: LoadPorts,
    doors: { readonly door: ServerDoor; readonly lookout: ServerDoor },
  ) {
    this.#options = options;
    this.#ports = ports;
    this.#door = doors.door;
    this.#lookout = doors.lookout;
    ports.signal.addEventListener('abort', () => this.#stop.abort(), { once: true });
    if (ports.signal.aborted) this.#stop.abort();
  }

  async run(): Promise<LoadResult> {
    const status = await this.#lookout.status();
    const pid = isLoopback(new URL(this.#options.target.url).hostname) ? status.pid : undefined;
    let figures: Omit<LoadResult, 'leftBehind'>;
    try {
      const scenario = await this.#prepare(await this.#context(status));
      figures = await this.#measure(scenario, pid);
    } catch (error) {
      const left = await this.#cleanUp.run();
      for (const what of left) this.#say(`not taken away: ${what}`);
      throw error;
    }
    const leftBehind = await this.#cleanUp.run();
    return { ...figures, leftBehind };
  }

  async #context({ sip }: StatusView): Promise<LoadContext> {
    const parsed = parseHostPort(this.#options.kind !== 'creates' && this.#transport() === 'tcp' ? sip.tcp : sip.udp);
    const { hostname } = new URL(this.#options.target.url);
    const host = hostname.replace(/^\[|\]$/g, '');
    if (parsed?.port === undefined) throw new LoadError('refused', `the server does not say where its SIP listens`);
    // A door that is open on every address is reached where the HTTP door is.
    const isEverywhere = parsed.host === '0.0.0.0' || parsed.host === '::' || parsed.host === '[::]';
    const name = isEverywhere ? host : parsed.host.replace(/^\[|\]$/g, '');
    const address = isIP(name) === 0 ? (await lookup(name)).address : name;
    return {
      door: this.#door,
      clock: this.#clock,
      random: systemRandom,
      tally: this.#tally,
      cleanUp: this.#cleanUp,
      signal: this.#stop.signal,
      sip: { address, port: parsed.port },
      mark: `load-${randomHex(systemRandom, MARK_BYTES)}`,
      say: (line) => this.#say(line),
    };
  }

  #transport(): 'udp' | 'tcp' {
    return this.#options.kind === 'creates' ? 'udp' : this.#options.transport;
  }

  #prepare(context: LoadContext): Promise<Scenario> {
    const options = this.#options;
    switch (options.kind) {
      case 'registrations':
        return prepareRegistrations(options, context);
      case 'calls':
        return prepareCalls(options, context);
      case 'creates':
        return prepareCreates(options, context);
      default:
        return options satisfies never;
    }
  }

  async #measure(scenario: Scenario, pid: number | undefined): Promise<Omit<LoadResult, 'leftBehind'>> {
    const before = await this.#limits();
    const start = this.#reading(pid);
    const stopLooking = this.#look(pid);
    const { lateness, startMs, askedMs } = await this.#load(scenario);
    const end = this.#reading(pid);
    stopLooking();
    const checked = this.#gone === undefined ? await this.#finish(scenario) : NOTHING_CHECKED;
    const after = this.#gone === undefined ? await this.#limits().catch(() => undefined) : undefined;
    const seconds = (end.atMs - start.atMs) / SECOND_MS;
    const tally = this.#tally.view();
    // A server that falls behind does its work in more time than it was asked in.
    const doneMs = Math.max(askedMs, this.#tally.lastMs - startMs);
    const serverSeconds =
      start.server === undefined || end.server === undefined ? undefined : end.server - start.server;
    const machineSeconds =
      start.machine === undefined || end.machine === undefined ? undefined : end.machine - start.machine;
    const ownSeconds = end.own - start.own;
    const generator: GeneratorView = {
      latenessP99Ms: rounded(lateness.percentileMs(0.99), 2),
      latenessMaxMs: rounded(lateness.maxMs, 2),
      cores: rounded(ownSeconds / seconds, 2),
      skipped: this.#skipped,
    };
    return {
      ...checked,
      kind: this.#options.kind,
      seconds: rounded(seconds, 1),
      tally,
      askedPerSecond: perSecond(tally.asked, askedMs),
      donePerSecond: perSecond(tally.done, doneMs),
      failedPercent: tally.asked === 0 ? 0 : rounded(((tally.asked - tally.done) / tally.asked) * 100, 3),
      allowFailedPercent: this.#options.allowFailedPercent,
      serverCores: serverSeconds === undefined ? undefined : rounded(serverSeconds / seconds, 2),
      serverCpuMsEach:
        serverSeconds === undefined || tally.done === 0 ? undefined : rounded((serverSeconds / tally.done) * 1_000, 3),
      generator,
      otherCores:
        machineSeconds === undefined
          ? undefined
          : rounded(Math.max(0, machineSeconds - ownSeconds - (serverSeconds ?? 0)) / seconds, 2),
      limits: after === undefined ? undefined : limitsReport(before, after),
      interrupted: this.#ports.signal.aborted,
      faults: this.#gone === undefined ? checked.faults : [this.#gone],
    };
  }

  /** Asks the server for work until the time is over, then waits for what is open, no longer than SIP itself would. */
  async #load(scenario: Scenario): Promise<LoadTimes> {
    const rate = this.#options.ratePerSecond;
    const startMs = this.#clock.now();
    if (rate === undefined) {
      await this.#closedLoop(scenario);
      return { lateness: new Histogram(), startMs, askedMs: this.#clock.now() - startMs };
    }
    const { durationSeconds, spacing } = this.#options;
    const { lateness, open } = await runOpenLoop({
      clock: this.#clock,
      arrivals: arrivals({
        ratePerSecond: rate,
        durationMs: durationSeconds * SECOND_MS,
        spacing,
        random: systemRandom,
      }),
      maxOpen: scenario.maxOpen,
      start: (intendedMs, index) => this.#work(scenario, index, intendedMs),
      skipped: () => {
        this.#skipped += 1;
        this.#tally.begin();
        this.#tally.end({ ok: false, label: 'left out by the generator' });
      },
      signal: this.#stop.signal,
    });
    // The last arrival stands for its share of the time; an interrupted run ends where it was interrupted.
    const askedMs = this.#stop.signal.aborted ? this.#clock.now() - startMs : durationSeconds * SECOND_MS;
    await this.#drained(open);
    return { lateness, startMs, askedMs };
  }

  async #closedLoop(scenario: Scenario): Promise<void> {
    const untilMs = this.#clock.now() + this.#options.durationSeconds * SECOND_MS;
    let index = 0;
    const caller = async (): Promise<void> => {
      while (this.#clock.now() < untilMs && !this.#stop.signal.aborted && index < MAX_CREATES) {
        index += 1;
        await this.#work(scenario, index - 1, this.#clock.now());
      }
    };
    const callers = this.#options.kind === 'creates' ? this.#options.callers : 1;
    await Promise.all(Array.from({ length: callers }, caller));
  }

  async #work(scenario: Scenario, index: number, intendedMs: number): Promise<void> {
    this.#tally.begin();
    try {
      await scenario.work(index, intendedMs);
    } catch (error) {
      this.#tally.end({ ok: false, label: `the tool: ${reason(error)}` });
    }
  }

  async #drained(open: ReadonlySet<Promise<void>>): Promise<void> {
    const hold = this.#options.kind === 'calls' ? this.#options.holdSeconds * SECOND_MS : 0;
    const over = new AbortController();
    const giveUp = sleep(this.#clock, DRAIN_MS + hold, over.signal).catch(() => undefined);
    // Whoever is gone answers nothing: waiting would only delay the news.
    const gone = new Promise<void>((resolve) => {
      if (this.#gone !== undefined) resolve();
      this.#stop.signal.addEventListener('abort', () => this.#gone !== undefined && resolve(), { once: true });
    });
    await Promise.race([Promise.all(open), giveUp, gone]);
    over.abort();
  }

  async #finish(scenario: Scenario): Promise<ScenarioEnd> {
    try {
      return await scenario.finish();
    } catch (error) {
      return { figures: {}, faults: [`the end could not be checked: ${errorText(error)}`] };
    }
  }

  #limits(): Promise<LimitsAnswer> {
    return this.#lookout.wanted(this.#lookout.control('GET', '/limits'), 'its limits be read');
  }

  /** One line a second; ends the run when the server is gone. */
  #look(pid: number | undefined): Cancel {
    let last = this.#reading(pid);
    let [second, missed, isLooking] = [0, 0, true];
    let cancel: Cancel = () => undefined;
    const startMs = last.atMs;
    const turn = (): void => {
      second += 1;
      const now = this.#reading(pid);
      const share =
        now.server === undefined || last.server === undefined
          ? undefined
          : (now.server - last.server) / ((now.atMs - last.atMs) / SECOND_MS);
      last = now;
      const view = { second, ...this.#tally.look(), serverCpuPercent: share === undefined ? undefined : share * 100 };
      if (!this.#ports.json) for (const line of secondLines(view, this.#ports.isTerminal)) this.#ports.print(line);
      void this.#isThere().then((isThere) => {
        missed = isThere ? 0 : missed + 1;
        if (isLooking && missed >= MISSED_LOOKS) this.#lost(second);
      });
      cancel = this.#clock.at(startMs + (second + 1) * SECOND_MS, turn);
    };
    cancel = after(this.#clock, SECOND_MS, turn);
    return () => {
      isLooking = false;
      cancel();
    };
  }

  async #isThere(): Promise<boolean> {
    try {
      await this.#lookout.control('GET', '/status');
      return true;
    } catch (error) {
      // One that is slow is there.
      return !NOBODY_LISTENS.has(reason(error));
    }
  }

  #lost(second: number): void {
    this.#gone ??= `the server at ${this.#options.target.url} is gone since second ${second - MISSED_LOOKS + 1} of the run`;
    this.#stop.abort();
  }

  #reading(pid: number | undefined): Reading {
    const { user, system } = process.cpuUsage();
    const server = pid === undefined ? undefined : processCpuSeconds(pid);
    const machine = server === undefined ? undefined : machineCpuSeconds();
    return {
      atMs: this.#clock.now(),
      own: (user + system) / 1e6,
      ...(server !== undefined && { server }),
      ...(machine !== undefined && { machine }),
    };
  }

  #say(line: string): void {
    if (!this.#ports.json) this.#ports.print(line);
  }
}

/** CPU seconds used so far. */
interface Reading {
  readonly atMs: number;
  readonly own: number;
  readonly server?: number;
  readonly machine?: number;
}

interface LoadTimes {
  readonly lateness: Histogram;
  readonly startMs: number;
  /** How long new work was begun. */
  readonly askedMs: number;
}

const NOTHING_CHECKED: ScenarioEnd = { figures: {}, faults: [] };

function perSecond(count: number, ms: number): number {
  return rounded(count / (Math.max(1, ms) / SECOND_MS), 1);
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
