import type { Session } from './model.ts';

/** The door said no, or was not reached. */
export class DoorError extends Error {
  /** Of the answer; 0 when none came. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'DoorError';
    this.status = status;
  }
}

export type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

/** The console's door, as the page asks it. */
export class Door {
  readonly #fetch: Fetch;

  constructor(fetch: Fetch) {
    this.#fetch = fetch;
  }

  session(): Promise<Session> {
    return this.#ask('GET', '/console/session') as Promise<Session>;
  }

  async logIn(accountSid: string, authToken: string): Promise<void> {
    await this.#ask('POST', '/console/session', { accountSid: accountSid.trim(), authToken: authToken.trim() });
  }

  async logOut(): Promise<void> {
    await this.#ask('DELETE', '/console/session');
  }

  async authToken(): Promise<string> {
    return ((await this.#ask('GET', '/console/auth-token')) as { authToken: string }).authToken;
  }

  phoneToken(identity: string): Promise<{ readonly token: string; readonly ttlSeconds: number }> {
    return this.#ask('POST', '/console/phone-token', { identity }) as Promise<{ token: string; ttlSeconds: number }>;
  }

  callMe(identity: string): Promise<{ readonly sid: string }> {
    return this.#ask('POST', '/console/call-me', { identity }) as Promise<{ sid: string }>;
  }

  async #ask(method: string, path: string, body?: object): Promise<unknown> {
    const init: RequestInit =
      body === undefined
        ? { method }
        : { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const response = await this.#fetch(path, init).catch(() => {
      throw new DoorError(0, 'Tandem does not answer. Is it still running?');
    });
    if (response.status === 204) return undefined;
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok) return answer;
    const message = (answer as { message?: unknown } | undefined)?.message;
    throw new DoorError(response.status, typeof message === 'string' ? message : `Tandem answered ${response.status}`);
  }
}
