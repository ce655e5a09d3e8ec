import assert from 'node:assert/strict';
import type { Row } from './client.ts';
import type { Manner } from './counting-phone.ts';

/** A call that the server acknowledged. */
export interface AcknowledgedCall {
  readonly sid: string;
  readonly name: string;
  readonly manner: Manner;
  readonly life: number;
}

/** Numbers or applications: what was acknowledged, and what was asked for without an answer. */
export class ResourceBook {
  readonly #present = new Set<string>();
  readonly #removed = new Set<string>();
  /** Sent names; a row under any other name was invented. */
  readonly #sent = new Set<string>();

  /** How many were asked for. */
  get count(): number {
    return this.#sent.size;
  }

  sending(name: string): void {
    this.#sent.add(name);
  }

  created(sid: string): void {
    this.#present.add(sid);
  }

  /** From now on it may be there or not. */
  removing(sid: string): void {
    this.#present.delete(sid);
  }

  removed(sid: string): void {
    this.#removed.add(sid);
  }

  check(kind: string, rows: readonly Row[]): void {
    const sids = new Set(rows.map(({ sid }) => sid));
    assert.deepEqual(
      [...this.#present].filter((sid) => !sids.has(sid)),
      [],
      `${kind} that were acknowledged are lost`,
    );
    assert.deepEqual(
      [...this.#removed].filter((sid) => sids.has(sid)),
      [],
      `${kind} whose removal was acknowledged are back`,
    );
    const names = rows.map((row) => String(row['friendly_name']));
    assert.deepEqual(
      names.filter((name) => !this.#sent.has(name)),
      [],
      `${kind} that nobody asked for`,
    );
    assert.equal(new Set(names).size, names.length, `${kind} that were made twice`);
  }
}

/** What the callers sent and what was acknowledged to them, over all lives of the server. */
export class CallBook {
  readonly calls = new Map<string, AcknowledgedCall>();
  readonly names = new Set<string>();

  check(rows: readonly Row[]): void {
    const sids = new Set(rows.map(({ sid }) => sid));
    assert.deepEqual(
      [...this.calls.keys()].filter((sid) => !sids.has(sid)),
      [],
      'calls that were acknowledged are lost',
    );
    const names = rows.map(nameOf);
    assert.deepEqual(
      names.filter((name) => !this.names.has(name)),
      [],
      'calls that nobody asked for',
    );
    assert.equal(new Set(names).size, names.length, 'calls that were made twice');
  }
}

export function nameOf(row: Row): string {
  return /^sip:([^@]+)@/.exec(String(row['to']))?.[1] ?? String(row['to']);
}
