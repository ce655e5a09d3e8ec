/** As `GET /tandem/v1/limits` tells it. */
export interface LimitsAnswer {
  readonly limits: readonly {
    readonly name: string;
    readonly key: string | null;
    readonly what: string;
    readonly value: string | number | null;
    readonly refused: number;
    readonly waiting: number;
  }[];
  readonly datagramsDropped: { readonly sip: number | null; readonly machine: number | null };
}

export interface ReachedLimit {
  readonly name: string;
  /** The configuration key that raises it; null: it is built in. */
  readonly key: string | null;
  readonly what: string;
  readonly value: string | number | null;
  readonly refused: number;
  readonly waiting: number;
}

export interface LimitsReport {
  readonly reached: readonly ReachedLimit[];
  readonly datagramsDropped: { readonly sip: number | null; readonly machine: number | null };
}

/** Which limits the server refused or held back work by between two looks. */
export function limitsReport(before: LimitsAnswer, after: LimitsAnswer): LimitsReport {
  const earlier = new Map(before.limits.map((limit) => [limit.name, limit]));
  const reached = after.limits
    .map((limit) => ({
      ...limit,
      refused: limit.refused - (earlier.get(limit.name)?.refused ?? 0),
      waiting: Math.max(0, limit.waiting - (earlier.get(limit.name)?.waiting ?? 0)),
    }))
    .filter(({ refused, waiting }) => refused > 0 || waiting > 0);
  return {
    reached,
    datagramsDropped: {
      sip: difference(before.datagramsDropped.sip, after.datagramsDropped.sip),
      machine: difference(before.datagramsDropped.machine, after.datagramsDropped.machine),
    },
  };
}

/** One line a limit, with what raises it. */
export function limitLines({ reached, datagramsDropped: { sip, machine } }: LimitsReport): readonly string[] {
  const lines = reached.map(({ what, key, value, refused, waiting }) => {
    const at = value === null ? '' : ` (${key ?? ''} is ${value})`;
    const raise = key === null ? 'this limit is built in' : `raise ${key}`;
    const held =
      refused > 0 ? `refused by limit: ${refused} by ${what}` : `held back by limit: ${waiting} wait, ${what}`;
    return `${held}${at}; ${raise}`;
  });
  if (sip !== null && sip > 0)
    lines.push(`the kernel dropped ${sip} datagrams before the server's SIP socket read them`);
  if (machine !== null && machine > 0) {
    lines.push(
      `the kernel dropped ${machine} datagrams on the whole server machine (sound and other programs included)`,
    );
  }
  if (lines.length === 0) {
    const dropped = machine === null ? 'the system does not tell dropped datagrams' : 'no datagram was dropped';
    lines.push(`refused by limit: nothing; ${dropped}`);
  }
  return lines;
}

function difference(before: number | null, after: number | null): number | null {
  return before === null || after === null ? null : Math.max(0, after - before);
}
