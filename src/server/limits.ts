import { readFile } from 'node:fs/promises';
import type { Config } from './config.ts';

/** What the program refuses work by, and the configuration key that raises it; null: the limit is built in. */
const LIMITS = {
  'rest-requests': { key: 'requestsPerSecond', what: 'requests per second of an account' },
  'incoming-calls': { key: 'incomingCallsPerSecond', what: 'incoming calls per second of known callers, all together' },
  'strangers-calls': { key: 'incomingCallsPerSecond', what: 'calls per second without a password, of one address' },
  'sip-calls-at-once': { key: null, what: 'SIP calls at once' },
  'sip-transactions': { key: null, what: 'SIP transactions at once' },
  'wrong-passwords': { key: 'failuresBeforeSilence', what: 'wrong SIP passwords of one address' },
  strangers: { key: 'strangersPerSecond', what: 'SIP requests without a password of one address' },
  'media-load': { key: 'mediaProcesses', what: 'lateness of the sound, and how busy a media process is' },
  'rtp-ports': { key: 'rtp', what: 'RTP ports' },
  'trunk-calls': { key: 'trunks[].maxCalls', what: 'calls at once on a trunk' },
  'call-queue': { key: 'callsPerSecond', what: 'a day of queued calls' },
} as const satisfies Record<string, { readonly key: string | null; readonly what: string }>;

export type LimitName = keyof typeof LIMITS;

export interface LimitView {
  readonly name: string;
  readonly key: string | null;
  readonly what: string;
  /** The key's value now, where it has one for all. */
  readonly value: string | number | null;
  /** Refused by it since the start. */
  readonly refused: number;
  /** Held back by it now. */
  readonly waiting: number;
}

export interface LimitsView {
  readonly limits: readonly LimitView[];
  /** Datagrams that the kernel dropped since nobody read them in time; null where the system does not say. */
  readonly datagramsDropped: {
    /** At the SIP socket. */
    readonly sip: number | null;
    /** At all sockets of this machine (or network namespace), since it started. */
    readonly machine: number | null;
  };
}

/** Counts what was refused, by limit: a measurement that ran into one must be able to tell. */
export class Limits {
  readonly #refused = new Map<LimitName, number>();

  refuse(limit: LimitName): void {
    this.#refused.set(limit, (this.#refused.get(limit) ?? 0) + 1);
  }

  async view(sources: {
    readonly config: Config;
    readonly sipPort: number;
    callsWaiting(): Promise<number>;
  }): Promise<LimitsView> {
    const names = Object.keys(LIMITS) as LimitName[];
    const counted = names.map((name) => {
      const value = LIMITS[name].key === null ? undefined : valueOf(sources.config, LIMITS[name].key);
      return { name, ...LIMITS[name], value: value ?? null, refused: this.#refused.get(name) ?? 0, waiting: 0 };
    });
    const paced = {
      name: 'outgoing-calls',
      key: 'callsPerSecond',
      what: 'outgoing calls per second of an account; the others wait',
      value: sources.config.callsPerSecond,
      refused: 0,
      waiting: await sources.callsWaiting(),
    };
    const [sockets, snmp] = await Promise.all([kernelText('udp'), kernelText('snmp')]);
    return {
      limits: [...counted, paced],
      datagramsDropped: { sip: socketDrops(sockets, sources.sipPort), machine: bufferErrors(snmp) },
    };
  }
}

function valueOf(config: Config, key: string): string | number | undefined {
  const value: unknown = config[key as keyof Config];
  return typeof value === 'number' || typeof value === 'string' ? value : undefined;
}

async function kernelText(name: 'udp' | 'snmp'): Promise<string> {
  // Linux only; elsewhere nobody says.
  return readFile(`/proc/net/${name}`, 'utf8').catch(() => '');
}

/** proc(5) /proc/net/udp: `sl local_address … drops`, the local port in hexadecimal, drops last. */
export function socketDrops(text: string, port: number): number | null {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(wanted) === true);
  return rows.length === 0 ? null : rows.reduce((sum, fields) => sum + Number(fields.at(-1)), 0);
}

/** /proc/net/snmp: two lines `Udp:`, names and then values. */
export function bufferErrors(text: string): number | null {
  const [names = [], values = []] = text
    .split('\n')
    .filter((line) => line.startsWith('Udp:'))
    .map((line) => line.trim().split(/\s+/));
  const index = names.indexOf('RcvbufErrors');
  return index === -1 || values[index] === undefined ? null : Number(values[index]);
}
