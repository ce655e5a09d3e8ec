import type { Tandem } from '../../src/testkit/tandem-process.ts';

const MAX_PAGE_SIZE = 1000;

export type Row = Readonly<Record<string, unknown>> & { readonly sid: string };

/** A field with several values is sent several times. */
export type Fields = Readonly<Record<string, string | readonly string[]>>;

/** REST requests to one life of the server. */
export class Client {
  readonly #tandem: Tandem;
  readonly #root: string;

  constructor(tandem: Tandem) {
    this.#tandem = tandem;
    this.#root = `/2010-04-01/Accounts/${tandem.ready.accountSid}`;
  }

  /** The row when the server acknowledged it; undefined when the server died, or is dying, before that. */
  async create(resource: string, fields: Fields): Promise<Row | undefined> {
    const pairs = Object.entries(fields).flatMap(([name, value]) => [value].flat().map((one) => [name, one]));
    const response = await this.#send(`/${resource}.json`, 'POST', new URLSearchParams(pairs));
    if (response === undefined) return undefined;
    // The answer may be cut off after its head.
    const text = await response.text().catch(() => undefined);
    if (text === undefined) return undefined;
    if (response.status !== 201) throw new Error(`POST ${resource}: got ${response.status} ${text}, want 201`);
    return JSON.parse(text) as Row;
  }

  /** True when the server acknowledged it. */
  async remove(resource: string, sid: string): Promise<boolean> {
    const response = await this.#send(`/${resource}/${sid}.json`, 'DELETE');
    if (response === undefined) return false;
    if (response.status !== 204) throw new Error(`DELETE ${resource}/${sid}: got ${response.status}, want 204`);
    return true;
  }

  /** Every row, page by page; a row that comes twice is an error. */
  async all(resource: string, query: Readonly<Record<string, string>> = {}): Promise<readonly Row[]> {
    const rows: Row[] = [];
    const asked = new URLSearchParams({ PageSize: String(MAX_PAGE_SIZE), ...query });
    let next: string | null = `${this.#root}/${resource}.json?${asked.toString()}`;
    while (next !== null) {
      const response: Response = await this.#tandem.fetch(next);
      if (response.status !== 200) throw new Error(`GET ${next}: got ${response.status}, want 200`);
      const page = (await response.json()) as Record<string, Row[]> & { readonly next_page_uri: string | null };
      rows.push(...(Object.values(page).find((value) => Array.isArray(value)) ?? []));
      next = page.next_page_uri;
    }
    if (new Set(rows.map(({ sid }) => sid)).size !== rows.length)
      throw new Error(`${resource}: a row was listed twice`);
    return rows;
  }

  async bytes(path: string): Promise<{ readonly status: number; readonly length: number }> {
    const response = await this.#tandem.fetch(this.#root + path);
    return { status: response.status, length: (await response.arrayBuffer()).byteLength };
  }

  async #send(path: string, method: string, body?: URLSearchParams): Promise<Response | undefined> {
    return this.#tandem
      .fetch(this.#root + path, { method, ...(body === undefined ? {} : { body }) })
      .catch(() => undefined);
  }
}
