import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { CleanUp } from './clean-up.ts';
import type { ServerDoor } from './server-door.ts';
import type { Tally } from './tally.ts';

/** What every kind of load works with. */
export interface LoadContext {
  readonly door: ServerDoor;
  readonly clock: Clock;
  readonly random: Random;
  readonly tally: Tally;
  readonly cleanUp: CleanUp;
  /** Aborts when the run is to end: Ctrl-C, or a server that is gone. */
  readonly signal: AbortSignal;
  /** Where the server's SIP listens, as seen from here. */
  readonly sip: { readonly address: string; readonly port: number };
  /** What this run makes at the server has this in its name. */
  readonly mark: string;
  say(line: string): void;
}

export interface ScenarioEnd {
  /** Figures of this kind of load. */
  readonly figures: Readonly<Record<string, number>>;
  /** What the server did wrong, whatever the share of failures. */
  readonly faults: readonly string[];
}

/** One kind of load, prepared at the server. */
export interface Scenario {
  /** Pieces of work that may be open at a time. */
  readonly maxOpen: number;
  /** Does one piece, measured from `intendedMs`, and tells the tally. Never rejects. */
  work(index: number, intendedMs: number): Promise<void>;
  /** Once all work is over: what else is to be counted and checked. */
  finish(): Promise<ScenarioEnd>;
}
