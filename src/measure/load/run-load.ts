import { systemClock, type Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import { randomHex, systemRandom } from '../../base/random.ts';
import { prepareCalls } from './calls.ts';
import { CleanUp } from './clean-up.ts';
import { readCpu } from './cpu-reading.ts';
import { prepareCreates } from './creates.ts';
import { LoadGenerator } from './load-generator.ts';
import { limitsReport, type LimitsAnswer } from './limits-report.ts';
import { secondLines } from './live-table.ts';
import { checkLoadOptions, isLoopback, type LoadOptions } from './load-options.ts';
import { measuredFigures } from './measured-figures.ts';
import { prepareRegistrations } from './registrations.ts';
import type { LoadContext, Scenario, ScenarioEnd } from './scenario.ts';
import { ServerDoor, type StatusView } from './server-door.ts';
import { ServerWatch } from './server-watch.ts';
import { sipAddress } from './sip-address.ts';
import { exitCodeOf, summaryLines, type LoadResult } from './summary.ts';
import { Tally } from './tally.ts';

/** Connections for what is no load itself; for creates with a rate. */
const DOOR_CONNECTIONS = 16;
const RATED_CONNECTIONS = 256;
const MARK_BYTES = 4;

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

  constructor(
    options: LoadOptions,
    ports: LoadPorts,
    doors: { readonly door: ServerDoor; readonly lookout: ServerDoor },
  ) {
    this.#options = options;
    this.#ports = ports;
    this.#door = doors.door;
    this.#lookout = doors.lookout;
  }

  async run(): Promise<LoadResult> {
    const status = await this.#lookout.status();
    const pid = isLoopback(new URL(this.#options.target.url).hostname) ? status.pid : undefined;
    const watch = this.#watch(pid);
    const stop = AbortSignal.any([this.#ports.signal, watch.gone]);
    let figures: Omit<LoadResult, 'leftBehind'>;
    try {
      const scenario = await this.#prepare(await this.#context(status, stop));
      figures = await this.#measure(scenario, { pid, watch, stop });
    } catch (error) {
      const left = await this.#cleanUp.run();
      for (const what of left) this.#say(`not taken away: ${what}`);
      throw error;
    }
    const leftBehind = await this.#cleanUp.run();
    return { ...figures, leftBehind };
  }

  #watch(pid: number | undefined): ServerWatch {
    return new ServerWatch({
      ...{ clock: this.#clock, lookout: this.#lookout, tally: this.#tally, pid },
      told: (second) => {
        for (const line of secondLines(second, this.#ports.isTerminal)) this.#say(line);
      },
    });
  }

  async #context({ sip }: StatusView, signal: AbortSignal): Promise<LoadContext> {
    const isTcp = this.#options.kind !== 'creates' && this.#options.transport === 'tcp';
    return {
      door: this.#door,
      clock: this.#clock,
      random: systemRandom,
      tally: this.#tally,
      cleanUp: this.#cleanUp,
      signal,
      sip: await sipAddress(isTcp ? sip.tcp : sip.udp, this.#options.target.url),
      mark: `load-${randomHex(systemRandom, MARK_BYTES)}`,
      say: (line) => this.#say(line),
    };
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

  async #measure(
    scenario: Scenario,
    { pid, watch, stop }: { readonly pid: number | undefined; readonly watch: ServerWatch; readonly stop: AbortSignal },
  ): Promise<Omit<LoadResult, 'leftBehind'>> {
    const [clock, tally, gone] = [this.#clock, this.#tally, watch.gone];
    const generator = new LoadGenerator({ load: this.#options, clock, random: systemRandom, tally, stop, gone });
    const before = await this.#limits();
    const start = readCpu(clock, pid);
    watch.start();
    const load = await generator.run(scenario);
    const end = readCpu(clock, pid);
    watch.stop();
    const { fault } = watch;
    const checked = fault === undefined ? await this.#finish(scenario) : { figures: {}, faults: [fault] };
    const after = fault === undefined ? await this.#limits().catch(() => undefined) : undefined;
    return {
      ...measuredFigures({ load, tally: tally.view(), lastMs: tally.lastMs, start, end }),
      ...checked,
      kind: this.#options.kind,
      allowFailedPercent: this.#options.allowFailedPercent,
      limits: after === undefined ? undefined : limitsReport(before, after),
      interrupted: this.#ports.signal.aborted,
    };
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

  #say(line: string): void {
    if (!this.#ports.json) this.#ports.print(line);
  }
}
