import { Pool } from 'undici';
import { COMMAND } from '../../base/command-name.ts';
import { errorText } from '../../base/errors.ts';
import { LoadError } from './load-error.ts';
import type { LoadTarget } from './load-options.ts';

const TIMEOUT_MS = 30_000;
const MAX_TOLD_CHARS = 200;

export interface DoorAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface StatusView {
  readonly pid: number;
  readonly sip: { readonly udp: string; readonly tcp: string };
  readonly liveCalls: number;
}

/** The doors of the server that is measured: REST and control. */
export class ServerDoor {
  readonly target: LoadTarget;
  readonly #pool: Pool;
  readonly #authorization: string;

  constructor(target: LoadTarget, connections: number) {
    this.target = target;
    this.#pool = new Pool(new URL(target.url).origin, {
      connections,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      connectTimeout: TIMEOUT_MS,
    });
    this.#authorization = `Basic ${Buffer.from(`${target.accountSid}:${target.authToken}`).toString('base64')}`;
  }

  /** One request of the REST API, whatever its answer. Rejects when none came. */
  rest(method: 'GET' | 'POST' | 'DELETE', path: string, form?: Readonly<Record<string, string>>): Promise<DoorAnswer> {
    const sent = form && { body: new URLSearchParams(form).toString(), type: 'application/x-www-form-urlencoded' };
    return this.#send(method, `/2010-04-01/Accounts/${this.target.accountSid}${path}`, sent);
  }

  control(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<DoorAnswer> {
    const sent = body && { body: JSON.stringify(body), type: 'application/json' };
    return this.#send(method, `/tandem/v1${path}`, sent);
  }

  /** What a successful answer holds; throws LoadError `gone` or `refused`. */
  async wanted<T>(answer: Promise<DoorAnswer>, what: string): Promise<T> {
    let got: DoorAnswer;
    try {
      got = await answer;
    } catch (error) {
      throw new LoadError(
        'gone',
        `no server answers at ${this.target.url} (${reason(error)}); start it: ${COMMAND} up`,
      );
    }
    if (got.status < 300) return got.body as T;
    throw new LoadError('refused', `the server does not let ${what}: ${told(got)}`);
  }

  status(): Promise<StatusView> {
    return this.wanted(this.control('GET', '/status'), 'its state be read');
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }

  async #send(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    sent: { readonly body: string; readonly type: string } | undefined,
  ): Promise<DoorAnswer> {
    const response = await this.#pool.request({
      method,
      path,
      headers: { authorization: this.#authorization, ...(sent && { 'content-type': sent.type }) },
      ...(sent && { body: sent.body }),
    });
    const text = await response.body.text();
    return { status: response.statusCode, body: parsed(text) };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** `429 20429`: the status of an answer with its error code. */
export function labelOf({ status, body }: DoorAnswer): string {
  const code = (body as { code?: number } | null | undefined)?.code;
  return code === undefined ? `HTTP ${status}` : `HTTP ${status}, error ${code}`;
}

export function reason(error: unknown): string {
  const { code } = error as { code?: string };
  return code ?? errorText(error).slice(0, MAX_TOLD_CHARS);
}

function told(answer: DoorAnswer): string {
  const message = (answer.body as { message?: string } | null | undefined)?.message;
  return `${labelOf(answer)}${message === undefined ? '' : `, ${message.slice(0, MAX_TOLD_CHARS)}`}`;
}
