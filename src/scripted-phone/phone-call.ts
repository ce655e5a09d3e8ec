import { after, sleep } from '../base/clock.ts';
import { deferred } from '../base/deferred.ts';
import type { MediaLeg } from '../media/media-node.ts';
import type { SpeechEngine } from '../media/speech.ts';
import type { Ear } from './ear.ts';
import type { Hearing, SoundName } from './hearing.ts';
import { PhoneError, type PhoneErrorCode } from './phone-error.ts';
import type { PhoneTime } from './phone-time.ts';
import type { PhoneEvent, PhoneHappening, Transcript } from './transcript.ts';

/** How long an expectation waits, in virtual time, unless it says otherwise. */
export const DEFAULT_PATIENCE_MS = 60_000;

export interface ExpectOptions {
  /** Virtual milliseconds. */
  readonly withinMs?: number;
}

/** The signalling of a call, once there is some. */
export interface Line {
  hangUp(): Promise<void>;
}

interface Parts {
  readonly number: number;
  readonly time: PhoneTime;
  readonly transcript: Transcript;
  readonly leg: MediaLeg;
  readonly ear: Ear;
  /** Speaks what this person says; others hear it over their own legs. */
  readonly voice: SpeechEngine;
  readonly onSaid: (text: string, path: string) => void;
  readonly onEnded: () => void;
  readonly patienceMs: number;
  readonly hangUpAfterMs?: number | undefined;
}

interface Condition {
  readonly code: PhoneErrorCode;
  readonly what: string;
  readonly withinMs?: number | undefined;
  /** True as soon as it holds. */
  readonly holds: () => boolean;
  /** What was there instead. */
  readonly instead: () => string;
  /** Whether the end of the call settles it. */
  readonly duringCall?: boolean;
}

/** One call as the person at the phone knows it. Each step lets virtual time pass until it is done; between steps it stands still. */
export class PhoneCall {
  /** From 1, in the order of their beginning. */
  readonly number: number;
  readonly #parts: Parts;
  readonly #heard: Hearing[] = [];
  readonly #begun: SoundName[] = [];
  readonly #watchers = new Set<() => void>();
  #heardBefore = 0;
  #begunBefore = 0;
  #requestsBefore = 0;
  #dialledBefore = 0;
  #line: Line | undefined;
  #answeredAt: number | undefined;
  #ending: 'service' | 'phone' | undefined;
  #ended = false;
  #status = '';
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(parts: Parts) {
    this.number = parts.number;
    this.#parts = parts;
  }

  /** Everything that happened in this call. */
  get transcript(): readonly PhoneEvent[] {
    return this.#parts.transcript.events.filter(({ call }) => call === this.number);
  }

  get answered(): boolean {
    return this.#answeredAt !== undefined;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** How it ended: `completed`, or the SIP status of a refusal (`486 Busy Here`); '' while it has not. */
  get status(): string {
    return this.#status;
  }

  /**
   * Waits until this was heard to its end: text of a Say, part of it, or the URL of a Play. Blanks and capitals do not
   * count. Each call looks behind what the one before it found.
   */
  async hears(what: string | RegExp, options: ExpectOptions = {}): Promise<void> {
    await this.#expect({
      code: 'not-heard',
      what: `to hear ${shown(what)}`,
      withinMs: options.withinMs,
      duringCall: true,
      holds: () => {
        const past = endOf(what, this.#heard, this.#heardBefore);
        if (past === undefined) return false;
        this.#heardBefore = past;
        this.#begunBefore = Math.max(this.#begunBefore, past);
        return true;
      },
      instead: () => heardInstead(this.#heard.slice(this.#heardBefore)),
    });
  }

  /** Waits until a sound with this text begins to be heard: for keys that are pressed in the middle of it. */
  async beginsToHear(what: string | RegExp, options: ExpectOptions = {}): Promise<void> {
    await this.#expect({
      code: 'not-heard',
      what: `to begin to hear ${shown(what)}`,
      withinMs: options.withinMs,
      duringCall: true,
      holds: () => {
        const at = this.#begun.findIndex(({ text }, index) => index >= this.#begunBefore && matches(what, text));
        if (at < 0) return false;
        this.#begunBefore = at + 1;
        return true;
      },
      instead: () => heardInstead(this.#heard.slice(this.#heardBefore)),
    });
  }

  /** Waits so long, and nothing may begin to be heard meanwhile. */
  async hearsNothing(forMs: number): Promise<void> {
    const before = this.#begun.length;
    await this.#pass(forMs);
    const began = this.#begun.slice(before).map(({ text }) => `"${text}"`);
    const what = `to hear nothing for ${forMs / 1000} s`;
    if (began.length === 0 && !this.#ended) return this.#add({ kind: 'expected', what, held: true });
    throw this.#failed('not-silent', what, began.length > 0 ? `heard ${began.join(', ')}` : 'the call ended');
  }

  /** Presses keys, one after another (`0`-`9`, `*`, `#`, `A`-`D`; `w` waits half a second). Resolves when they were sent. */
  async press(keys: string): Promise<void> {
    this.#mustBeUp(`press ${keys}`);
    const playback = this.#parts.leg.sendDigits(keys);
    this.#add({ kind: 'pressed', digits: keys });
    const { outcome, message } = await this.#parts.time.until(playback.done);
    if (outcome === 'failed') throw new PhoneError('bad-option', `the keys "${keys}" cannot be pressed: ${message}`);
  }

  /** Says something; resolves when it is said. */
  async say(text: string): Promise<void> {
    this.#mustBeUp(`say "${text}"`);
    const { leg, voice, time } = this.#parts;
    const path = await time.until(voice.speak({ text }));
    this.#add({ kind: 'said', text });
    const playback = leg.play([{ kind: 'file', path }]);
    this.#parts.onSaid(text, path);
    await time.until(playback.done);
  }

  /** Lets virtual time pass. */
  async wait(ms: number): Promise<void> {
    await this.#pass(ms);
  }

  async hangUp(): Promise<void> {
    if (this.#ending !== undefined || this.#ended) return;
    this.#ending = 'phone';
    await this.#parts.time.until(this.#hangUp());
  }

  /** Waits until the service hangs up. */
  async expectHangup(options: ExpectOptions = {}): Promise<void> {
    await this.#expect({
      code: 'not-ended',
      what: 'that the service hangs up',
      withinMs: options.withinMs,
      holds: () => this.#ended && this.#ending !== 'phone',
      instead: () => (this.#ended ? 'the phone hung up itself' : 'the call goes on'),
    });
  }

  /** Waits for a request whose URL contains `url`, with these parameters among its own. */
  async expectRequest(
    url: string,
    parameters: Readonly<Record<string, string>> = {},
    options: ExpectOptions = {},
  ): Promise<void> {
    const wanted = Object.entries(parameters);
    const requests = (): readonly Extract<PhoneEvent, { kind: 'request' }>[] =>
      this.transcript.filter((event) => event.kind === 'request');
    await this.#expect({
      code: 'not-requested',
      what: `a request to ${url}${wanted.map(([name, value]) => ` ${name}=${value}`).join('')}`,
      withinMs: options.withinMs,
      holds: () => {
        const all = requests();
        const at = all.findIndex(
          (each, index) =>
            index >= this.#requestsBefore &&
            each.url.includes(url) &&
            wanted.every(([name, value]) => each.parameters[name] === value),
        );
        if (at < 0) return false;
        this.#requestsBefore = at + 1;
        return true;
      },
      instead: () => {
        const rest = requests().slice(this.#requestsBefore);
        return rest.length === 0 ? 'no request' : rest.map((each) => `${each.method} ${each.url}`).join(', ');
      },
    });
  }

  /** Waits until the flow dials a phone of this name, number or client; it rings then. */
  async expectDialled(to: string, options: ExpectOptions = {}): Promise<void> {
    const dialled = (): readonly string[] =>
      this.#parts.transcript.events
        .flatMap((event) => (event.kind === 'called' && event.call > this.number ? [event.to] : []))
        .slice(this.#dialledBefore);
    await this.#expect({
      code: 'not-dialled',
      what: `that ${to} is dialled`,
      duringCall: true,
      withinMs: options.withinMs,
      holds: () => {
        const at = dialled().indexOf(to);
        if (at < 0) return false;
        this.#dialledBefore += at + 1;
        return true;
      },
      instead: () => {
        const others = dialled();
        return others.length === 0 ? 'nobody was' : others.join(', ');
      },
    });
  }

  /** Waits for a fault with this code: an error or warning of the flow. */
  async expectFault(code: number, options: ExpectOptions = {}): Promise<void> {
    const faults = (): readonly Extract<PhoneEvent, { kind: 'fault' }>[] =>
      this.transcript.filter((event) => event.kind === 'fault');
    await this.#expect({
      code: 'fault',
      what: `the fault ${code}`,
      withinMs: options.withinMs,
      holds: () => faults().some((each) => each.code === code),
      instead: () =>
        faults().length === 0
          ? 'no fault'
          : faults()
              .map((each) => String(each.code))
              .join(', '),
    });
  }

  /** Goes on listening until the call ends, at most so long. */
  async listens(forMs: number): Promise<void> {
    await this.#until(() => this.#ended, forMs);
  }

  // What follows is told by the phone that owns the call.

  /** @internal */
  connect(line: Line): void {
    this.#line = line;
  }

  /** @internal */
  rings(): void {
    this.#add({ kind: 'ringing' });
  }

  /** @internal */
  isAnswered(): void {
    const { hangUpAfterMs } = this.#parts;
    this.#answeredAt = this.#now;
    this.#add({ kind: 'answered' });
    if (hangUpAfterMs === undefined) return;
    after(this.#parts.time.clock, hangUpAfterMs, () => {
      if (this.#ending !== undefined || this.#ended) return;
      this.#ending = 'phone';
      void this.#hangUp();
    });
  }

  /** @internal */
  isRefused(status: number, reason: string): void {
    if (this.#ended) return;
    this.#add({ kind: 'refused', status, reason });
    this.#parts.ear.close();
    // Nothing waits for it: its node closes after it.
    void this.#parts.leg.close();
    this.#finish(`${status} ${reason}`);
  }

  /** The other side hung up. @internal */
  isHungUp(): void {
    if (this.#ending !== undefined || this.#ended) return;
    this.#ending = 'service';
    // Sound that has left the service before its goodbye is still heard.
    this.#parts.ear.whenStill(this.#parts.time.clock, () => void this.#close());
  }

  /** @internal */
  tell(happened: PhoneHappening): void {
    this.#add(happened);
  }

  /** @internal */
  begins(name: SoundName): void {
    this.#begun.push(name);
    this.#changed();
  }

  /** @internal */
  heard(hearing: Hearing): void {
    this.#heard.push(hearing);
    this.#add({ kind: 'heard', ...hearing });
  }

  /** Ends the call, whatever is under way, without waiting for time to pass. @internal */
  async release(): Promise<void> {
    if (this.#ended) return;
    this.#ending ??= 'phone';
    await this.#hangUp();
  }

  /** Resolves when it was answered, refused or has ended. @internal */
  async begun(): Promise<void> {
    await this.#until(() => this.answered || this.#ended);
  }

  get #now(): number {
    return this.#parts.time.clock.now();
  }

  async #hangUp(): Promise<void> {
    await this.#line?.hangUp();
    if (!this.#ended) await this.#close();
  }

  #close(): Promise<void> {
    this.#closing ??= this.#closeOnce();
    return this.#closing;
  }

  async #closeOnce(): Promise<void> {
    this.#parts.ear.close();
    await this.#parts.leg.close();
    const seconds = this.#answeredAt === undefined ? 0 : Math.round(this.#now - this.#answeredAt) / 1000;
    this.#add({ kind: 'ended', by: this.#ending ?? 'service', status: 'completed', seconds });
    this.#finish('completed');
  }

  #finish(status: string): void {
    this.#ended = true;
    this.#status = status;
    this.#parts.onEnded();
    this.#changed();
  }

  #mustBeUp(what: string): void {
    if (this.answered && !this.#ended && this.#ending === undefined) return;
    throw this.#failed(
      'not-connected',
      `to ${what}`,
      this.answered ? 'the call has ended' : 'the call is not answered',
    );
  }

  async #pass(ms: number): Promise<void> {
    await this.#parts.time.until(sleep(this.#parts.time.clock, ms));
  }

  async #expect(condition: Condition): Promise<void> {
    const { what, holds, duringCall = false } = condition;
    const withinMs = condition.withinMs ?? this.#parts.patienceMs;
    let held = false;
    const done = (): boolean => (held ||= holds()) || (duringCall && this.#ended);
    const inTime = await this.#until(done, withinMs);
    if (held) return this.#add({ kind: 'expected', what, held: true });
    const why = inTime ? 'then the call ended' : `for ${withinMs / 1000} s`;
    throw this.#failed(condition.code, what, `${condition.instead()}, ${why}`);
  }

  #failed(code: PhoneErrorCode, what: string, instead: string): PhoneError {
    this.#add({ kind: 'expected', what, held: false, instead });
    return new PhoneError(code, `expected ${what}: ${instead}`);
  }

  /** False when time ran out before the condition held. */
  async #until(done: () => boolean, withinMs?: number): Promise<boolean> {
    if (done()) return true;
    const outcome = deferred<boolean>();
    const watch = (): void => {
      if (done()) outcome.resolve(true);
    };
    const cancel =
      withinMs === undefined ? undefined : after(this.#parts.time.clock, withinMs, () => outcome.resolve(false));
    this.#watchers.add(watch);
    try {
      return await this.#parts.time.until(outcome.promise);
    } finally {
      this.#watchers.delete(watch);
      cancel?.();
    }
  }

  #add(happened: PhoneHappening): void {
    this.#parts.transcript.add(this.number, happened);
    this.#changed();
  }

  /** @internal */
  changed(): void {
    this.#changed();
  }

  #changed(): void {
    for (const watch of [...this.#watchers]) watch();
  }
}

function shown(what: string | RegExp): string {
  return typeof what === 'string' ? `"${what}"` : String(what);
}

function normal(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().toLowerCase();
}

function matches(what: string | RegExp, text: string): boolean {
  return typeof what === 'string' ? normal(text).includes(normal(what)) : what.test(text);
}

/** One past the sound with which `what` was heard, from `from` on; it may run over several sounds in a row. */
function endOf(what: string | RegExp, heard: readonly Hearing[], from: number): number | undefined {
  let joined = '';
  for (let index = from; index < heard.length; index += 1) {
    const { outcome, text } = heard[index] as Hearing;
    joined = outcome === 'whole' ? `${joined} ${text}` : '';
    if (joined !== '' && matches(what, joined.trim())) return index + 1;
  }
  return undefined;
}

function heardInstead(heard: readonly Hearing[]): string {
  if (heard.length === 0) return 'heard nothing';
  return `heard ${heard.map(textOf).join(', ')}`;
}

function textOf({ text, outcome, heardMs }: Hearing): string {
  if (outcome === 'whole') return `"${text}"`;
  if (outcome === 'cut') return `"${text}" (cut after ${(heardMs / 1000).toFixed(1)} s)`;
  return `nothing of "${text}", which was played`;
}
