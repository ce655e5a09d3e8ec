import { sleep, type Clock } from '../base/clock.ts';
import type { WriteOutcome } from './write-gate.ts';

/** How long a commit whose answer was lost is asked for; longer than the server keeps a transaction that says nothing. */
const MAX_DOUBT_MS = 60_000;
const ASK_AGAIN_MS = 200;

/** The connection broke while writes were under way. */
export class GroupCutOff extends Error {
  /** What became of the first writes of the group, which were committed by themselves. */
  readonly before: readonly WriteOutcome[];
  /** The commit was sent and its answer did not come: what the next writes of the group are if it was done. */
  readonly doubt: { readonly transaction: number; readonly outcomes: readonly WriteOutcome[] } | undefined;

  constructor(cause: unknown, before: readonly WriteOutcome[], doubt: GroupCutOff['doubt']) {
    super('the connection to PostgreSQL broke', { cause });
    this.before = before;
    this.doubt = doubt;
  }
}

/** An ERROR is the server's own word that it did not commit; all else (a reset, a FATAL end) says nothing about that. */
export function leavesDoubt(thrown: unknown): boolean {
  return !(thrown instanceof Error && 'severity' in thrown && thrown.severity === 'ERROR');
}

/** A transaction's fate as `txid_status` tells it; undefined when the server has forgotten it. */
export type Fate = 'committed' | 'aborted' | 'in progress' | undefined;

export interface DoubtPorts {
  readonly clock: Clock;
  /** Rejects while the database cannot be reached. */
  ask(transaction: number): Promise<Fate>;
  /** False ends the asking: the program closes. */
  mayWait(): boolean;
}

/** Asks until the database says what became of the transaction; undefined when it does not say so in time. */
export async function settleDoubt(
  transaction: number,
  ports: DoubtPorts,
): Promise<'committed' | 'aborted' | undefined> {
  const giveUpAt = ports.clock.now() + MAX_DOUBT_MS;
  for (;;) {
    const fate = await ports.ask(transaction).catch(() => 'in progress' as const);
    if (fate !== 'in progress') return fate;
    if (!ports.mayWait() || ports.clock.now() >= giveUpAt) return undefined;
    await sleep(ports.clock, ASK_AGAIN_MS);
  }
}
