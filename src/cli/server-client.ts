import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { COMMAND } from '../base/command-name.ts';
import { errorText } from '../base/errors.ts';
import { CliError } from './cli-error.ts';

const TIMEOUT_MS = 30_000;

export interface ServerOptions {
  readonly data?: string;
  readonly server?: string;
  /** The same, but for `call`, whose TwiML it names. */
  readonly url?: string;
  readonly token?: string;
}

/** Where a server is, with its main account's credentials. */
interface Found {
  readonly url: string;
  readonly accountSid: string;
  readonly authToken: string;
}

/** Talks to the running server: the one of the data folder's run.json, or of --server and --token. */
export class ServerClient {
  readonly url: string;
  readonly accountSid: string;
  readonly #authorization: string;

  private constructor(found: Found) {
    this.url = found.url.replace(/\/+$/, '');
    this.accountSid = found.accountSid;
    this.#authorization = `Basic ${Buffer.from(`${found.accountSid}:${found.authToken}`).toString('base64')}`;
  }

  static async find(options: ServerOptions): Promise<ServerClient> {
    return new ServerClient(await locateServer(options));
  }

  /** A path under the account: `/Calls.json`. Form fields make it a POST. */
  rest(path: string, form?: Readonly<Record<string, string | undefined>>): Promise<unknown> {
    const base = `/2010-04-01/Accounts/${this.accountSid}${path}`;
    if (form === undefined) return this.#json('GET', base);
    const fields = Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const body = new URLSearchParams(fields).toString();
    return this.#json('POST', base, { body, type: 'application/x-www-form-urlencoded' });
  }

  /** Takes a resource under the account away. */
  async remove(path: string): Promise<void> {
    await this.#json('DELETE', `/2010-04-01/Accounts/${this.accountSid}${path}`);
  }

  /** The place's own door: `/phones`. */
  control(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<unknown> {
    const sent = body === undefined ? undefined : { body: JSON.stringify(body), type: 'application/json' };
    return this.#json(method, `/tandem/v1${path}`, sent);
  }

  /** Lines of a streamed answer, until it ends or the signal aborts. */
  async *lines(path: string, signal: AbortSignal): AsyncGenerator<string> {
    const response = await this.#fetch('GET', `/tandem/v1${path}`, undefined, signal);
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      const parts = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n');
      rest = parts.pop() ?? '';
      yield* parts;
    }
    if (rest !== '') yield rest;
  }

  async #json(method: string, path: string, sent?: { body: string; type: string }): Promise<unknown> {
    const response = await this.#fetch(method, path, sent, AbortSignal.timeout(TIMEOUT_MS));
    const text = await response.text();
    try {
      return text === '' ? undefined : (JSON.parse(text) as unknown);
    } catch {
      throw new CliError(`what answers at ${this.url} is not Tandem: it sent no JSON; name the server with --server`);
    }
  }

  async #fetch(
    method: string,
    path: string,
    sent: { body: string; type: string } | undefined,
    signal: AbortSignal,
  ): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(this.url + path, {
        method,
        headers: { authorization: this.#authorization, ...(sent === undefined ? {} : { 'content-type': sent.type }) },
        ...(sent === undefined ? {} : { body: sent.body }),
        signal,
      });
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : errorText(error);
      throw new CliError(`no server answers at ${this.url} (${cause}); start it with: ${COMMAND} up`);
    }
    if (response.ok) return response;
    throw new CliError(await refusal(response));
  }
}

/** The server that is meant: of the data folder, or of --server and --token. */
export async function locateServer(options: ServerOptions): Promise<Found> {
  // A data folder that is named wins over the environment.
  const url = options.server ?? options.url ?? (options.data === undefined ? process.env['TANDEM_URL'] : undefined);
  const token = options.token ?? process.env['TANDEM_TOKEN'];
  if (url === undefined) return fromRunFile(options.data);
  const [accountSid, authToken] = (token ?? '').split(':');
  if (!accountSid || !authToken) {
    throw new CliError(
      '--server needs --token ACCOUNT_SID:AUTH_TOKEN (or TANDEM_TOKEN); the server prints both when it starts',
    );
  }
  return { url, accountSid, authToken };
}

async function refusal(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const { code, message } = JSON.parse(text) as { code?: number; message?: string };
    if (message !== undefined) return code === undefined ? message : `${message} (error ${code})`;
  } catch {
    // Not JSON: the status says what there is to say.
  }
  return `the server answered HTTP ${response.status}`;
}

async function fromRunFile(data: string | undefined): Promise<Found> {
  const folder = data ?? process.env['TANDEM_DATA'] ?? join(homedir(), '.tandem');
  const path = join(folder, 'run.json');
  try {
    const { url, accountSid, authToken } = JSON.parse(await readFile(path, 'utf8')) as Found;
    return { url, accountSid, authToken };
  } catch {
    throw new CliError(
      `no server runs on the data folder ${folder} (${path} is not there); start one with: ${COMMAND} up, or name another with --data DIR or --server URL --token SID:TOKEN`,
    );
  }
}
