/** Beyond it all are forgotten and found anew. */
const MAX_KEPT_RECORDS = 20_000;

/** Records that were found, until their table is written: every request asks for its account and its number. */
export class KeptRecords<T> {
  readonly #records = new Map<string, T>();
  #revision: number | undefined;

  /** `revision` is the table's now; what was found at another one is forgotten. */
  get(name: string, revision: number | undefined): T | undefined {
    if (revision !== this.#revision) {
      this.#records.clear();
      this.#revision = revision;
    }
    return this.#records.get(name);
  }

  /** `revision` is the table's before the record was read: if it has risen since, nothing is kept. */
  keep(name: string, revision: number | undefined, record: T): void {
    if (revision !== this.#revision) return;
    if (this.#records.size >= MAX_KEPT_RECORDS) this.#records.clear();
    // One object for everybody who asks.
    this.#records.set(name, Object.freeze(record));
  }
}
