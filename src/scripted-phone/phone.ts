import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAddress, type Address } from '../comms/address.ts';
import { CreatedCall } from './created-call.ts';
import { DOCUMENT_ORIGIN } from './document-folder.ts';
import type { PhoneCall } from './phone-call.ts';
import { PhoneError } from './phone-error.ts';
import type { Answering, CreateOptions, PhoneCallOptions, PhoneOptions } from './phone-options.ts';
import { openWorld, type PhoneWorld } from './phone-world.ts';
import type { NumberHandling } from './place-in-memory.ts';
import { Switchboard } from './switchboard.ts';
import type { PhoneEvent } from './transcript.ts';

export type { CreatedCall } from './created-call.ts';
export type { Hearing } from './hearing.ts';
export type { ExpectOptions } from './expectations.ts';
export type { PhoneCall } from './phone-call.ts';
export { PhoneError, type PhoneErrorCode } from './phone-error.ts';
export type { Answering, CreateOptions, PhoneCallOptions, PhoneOptions } from './phone-options.ts';
export type { PhoneEvent } from './transcript.ts';

const DEFAULT_NUMBER = '+15550100';
const DEFAULT_CALLER = '+15550199';

/** Opens a phone with a whole call service behind it, in virtual time. Close it when it is no longer needed. */
export async function openPhone(options: PhoneOptions = {}): Promise<Phone> {
  const folder = await mkdtemp(join(tmpdir(), 'tandem-phone-'));
  try {
    const world = await openWorld(options, folder);
    const url = options.rest === true ? await world.place.openRest() : undefined;
    return new Phone(world, new Switchboard(world, options), url);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Phones on a network of their own, before a call service in memory that runs the application's flow. */
export class Phone {
  readonly #world: PhoneWorld;
  readonly #switchboard: Switchboard;
  readonly #url: string | undefined;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(world: PhoneWorld, switchboard: Switchboard, url: string | undefined) {
    this.#world = world;
    this.#url = url;
    this.#switchboard = switchboard;
  }

  /** Where the REST API is, of a phone that was opened with `rest`: the `baseUrl` of an SDK. */
  get url(): string {
    if (this.#url === undefined) {
      throw new PhoneError('bad-option', 'this phone has no REST API: open it with openPhone({ rest: true })');
    }
    return this.#url;
  }

  /** Everything that happened, in all calls. */
  get transcript(): readonly PhoneEvent[] {
    return this.#world.transcript.events;
  }

  /**
   * Calls the application at a URL, or one that answers with the given TwiML. Resolves when the call is answered,
   * refused or over.
   */
  async call(application: string, options: PhoneCallOptions = {}): Promise<PhoneCall> {
    const from = numberOf(options.from ?? DEFAULT_CALLER).number;
    const to = numberOf(options.to ?? DEFAULT_NUMBER).number;
    const { place, time } = this.#world;
    await place.answerWith(to, this.#handling(application, options));
    const call = await time.until(this.#switchboard.place(from, to, options));
    await call.begun();
    return call;
  }

  /** The application calls this phone, as by Calls.create. Resolves when the call was answered, refused or given up. */
  async isCalled(application: string, options: PhoneCallOptions & CreateOptions = {}): Promise<PhoneCall> {
    this.#switchboard.nextOptions = options;
    await this.create(application, options);
    const call = await this.dialled();
    await call.begun();
    return call;
  }

  /**
   * The application makes a call, as by Calls.create, which waits in its lane until its turn comes. Takes no time:
   * `dialled`, `settled` and the steps of calls let it pass.
   */
  async create(application: string, options: CreateOptions = {}): Promise<CreatedCall> {
    const from = numberOf(options.from ?? DEFAULT_NUMBER);
    const to = numberOf(options.to ?? DEFAULT_CALLER);
    const { place } = this.#world;
    const handling = this.#handling(application, options);
    const { voiceUrl: url, voiceMethod: method, voiceFallbackUrl: fallbackUrl, statusCallback } = handling;
    await place.answerWith(from.number, handling);
    const plan = {
      ...{ url, method },
      ...(fallbackUrl === null ? {} : { fallbackUrl }),
      ...(statusCallback === null ? {} : { statusCallback }),
      ...(options.statusCallbackEvents === undefined ? {} : { statusCallbackEvents: options.statusCallbackEvents }),
    };
    const { sid } = await place.service.create(place.account, { from, to, plan });
    return new CreatedCall(sid, place);
  }

  /** The next phone that the flow dials: a call of its own. Rejects when none is dialled in time. */
  dialled(options: { readonly withinMs?: number } = {}): Promise<PhoneCall> {
    return this.#world.time.until(this.#switchboard.nextRinging(options.withinMs));
  }

  /** What phones do from now on that are called. */
  answers(answer: Answering): void {
    this.#switchboard.answer = answer;
  }

  /** Lets time pass until every call has ended and the application was told of everything. */
  async settled(): Promise<void> {
    await this.#world.time.until(this.#world.place.settled());
  }

  /** Hangs up what is still up, and frees everything. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#world.time.until(this.#world.close());
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #handling(application: string, options: CreateOptions): NumberHandling {
    return {
      voiceUrl: this.#urlOf(application),
      voiceMethod: options.method ?? 'POST',
      voiceFallbackUrl: options.fallbackUrl ?? null,
      statusCallback: options.statusCallback ?? null,
    };
  }

  #urlOf(application: string): string {
    if (!application.trimStart().startsWith('<')) return application;
    const { documents } = this.#world;
    const name = `/inline-${documents.size + 1}.xml`;
    documents.set(name, application);
    return DOCUMENT_ORIGIN + name;
  }
}

function numberOf(text: string): Extract<Address, { kind: 'number' }> {
  const address = parseAddress(text);
  if (address?.kind !== 'number') {
    throw new PhoneError('bad-option', `"${text}" is no phone number: want one as +15550100`);
  }
  return address;
}
