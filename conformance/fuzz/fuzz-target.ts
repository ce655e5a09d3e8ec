import type { Random } from '../../src/base/random.ts';

/** One reader of untrusted bytes, and what must hold for whatever it is given. */
export interface FuzzTarget {
  readonly name: string;
  /** Part of the path of the files whose coverage guides the search; undefined: nothing does. */
  readonly covers?: string;
  /** Inputs to start from. */
  readonly corpus: readonly Uint8Array[];
  /** Words of the grammar, inserted as they are. */
  readonly words: readonly string[];
  /** A fresh input by the grammar. */
  readonly generate?: (random: Random) => Uint8Array;
  /** A unit repeated to a great length between two ends: time must grow with the length only. */
  readonly repetitions: readonly Repetition[];
  /** Largest input that is tried. */
  readonly maxBytes: number;
  /** Milliseconds of the processor that one input may take; default 50. */
  readonly maxMs?: number;
  /** Throws when a property does not hold. */
  readonly check: (bytes: Uint8Array) => void | Promise<void>;
  /** Frees what the checks have opened. */
  readonly close?: () => Promise<void>;
}

export interface Repetition {
  readonly before?: string;
  readonly unit: string;
  readonly after?: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Text with plain line feeds as the bytes of a protocol whose lines end with CRLF. */
export function lines(text: string): Uint8Array {
  return encoder.encode(text.replaceAll(/\r?\n/g, '\r\n'));
}

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Bytes as text; those that are not UTF-8 are replaced. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
