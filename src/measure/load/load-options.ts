import { isIP } from 'node:net';
import { LoadError } from './load-error.ts';
import type { Spacing } from './schedule.ts';

export const MAX_RATE_PER_SECOND = { calls: 1_000, registrations: 20_000, creates: 20_000 } as const;
export const MAX_DURATION_SECONDS = 3_600;
export const MAX_HOLD_SECONDS = 600;
export const MAX_SOURCES = 200;
export const MAX_USERS = 10_000;
export const MAX_FROM_NUMBERS = 1_000;
export const MAX_CALLERS = 1_024;
/** A mistake in a rate must not fill the server's disk: what one run may create. */
export const MAX_CREATES = 500_000;
/** Sockets of sound: two descriptors and a timer each. */
export const MAX_CALLS_WITH_SOUND = 500;

export type LoadKind = keyof typeof MAX_RATE_PER_SECOND;

/** The server that is measured, with the main account's credentials. */
export interface LoadTarget {
  readonly url: string;
  readonly accountSid: string;
  readonly authToken: string;
}

interface Common {
  readonly target: LoadTarget;
  readonly durationSeconds: number;
  readonly spacing: Spacing;
  readonly sources: number;
  /** Failed share, in percent, up to which the run counts as good. */
  readonly allowFailedPercent: number;
  readonly remoteIsMine: boolean;
}

export interface RegistrationOptions extends Common {
  readonly kind: 'registrations';
  readonly ratePerSecond: number;
  readonly transport: 'udp' | 'tcp';
  readonly users: number;
  /** `NAME PASSWORD` a line, instead of temporary phones. */
  readonly usersFile?: string;
}

export interface CallOptions extends Common {
  readonly kind: 'calls';
  readonly ratePerSecond: number;
  readonly transport: 'udp' | 'tcp';
  readonly holdSeconds: number;
  readonly sound: boolean;
  /** A number of the operator's own, instead of a temporary one with the tool's own application. */
  readonly to?: string;
}

export interface CreateOptions extends Common {
  readonly kind: 'creates';
  /** Undefined: a closed loop, each caller asks again once it was answered. */
  readonly ratePerSecond: number | undefined;
  readonly callers: number;
  readonly fromCount: number;
  /** Wait until the server has dialled them all; otherwise they are cancelled at the end. */
  readonly dial: boolean;
}

export type LoadOptions = RegistrationOptions | CallOptions | CreateOptions;

/** Throws LoadError `bad-words` for what is out of bounds. */
export function checkLoadOptions(options: LoadOptions): void {
  const { kind, ratePerSecond: rate, durationSeconds } = options;
  if (rate !== undefined) between('--rate', rate, [0.01, MAX_RATE_PER_SECOND[kind]]);
  between('--for', durationSeconds, [1, MAX_DURATION_SECONDS]);
  between('--sources', options.sources, [1, MAX_SOURCES]);
  between('--allow-failed', options.allowFailedPercent, [0, 100]);
  if (kind === 'registrations') between('--users', options.users, [1, MAX_USERS]);
  if (kind === 'creates') checkCreates(options);
  if (kind === 'calls') checkCalls(options);
  const { hostname } = new URL(options.target.url);
  if (!isLoopback(hostname) && !options.remoteIsMine) {
    throw new LoadError(
      'bad-words',
      `got the server ${hostname}; want one on this machine (127.0.0.1), or --remote-is-mine when you may load that one`,
    );
  }
}

function checkCreates({ ratePerSecond, durationSeconds, callers, fromCount }: CreateOptions): void {
  between('--callers', callers, [1, MAX_CALLERS]);
  between('--from-count', fromCount, [1, MAX_FROM_NUMBERS]);
  if (ratePerSecond !== undefined) between('--rate × --for', ratePerSecond * durationSeconds, [0, MAX_CREATES]);
}

function checkCalls({ ratePerSecond, holdSeconds, sound, to }: CallOptions): void {
  between('--hold', holdSeconds, [0, MAX_HOLD_SECONDS]);
  if (sound) between('--rate × --hold with --sound', ratePerSecond * holdSeconds, [0, MAX_CALLS_WITH_SOUND]);
  if (to !== undefined && !/^\+[1-9]\d{6,14}$/.test(to)) {
    throw new LoadError('bad-words', `--to: got "${to.slice(0, 40)}"; want a number of this place, e.g. +12025550100`);
  }
}

function between(option: string, value: number, [low, high]: readonly [number, number]): void {
  if (value >= low && value <= high) return;
  throw new LoadError('bad-words', `${option}: got ${value}; want ${low} to ${high}`);
}

/** RFC 1122 3.2.1.3 and RFC 4291 2.5.3, and the name that stands for them (RFC 6761 6.3). */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
