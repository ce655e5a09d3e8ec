import { after, sleep } from '../base/clock.ts';
import type { MediaLeg } from '../media/media-node.ts';
import type { SpeechEngine } from '../media/speech.ts';
import type { Ear } from './ear.ts';
import { Expectations, type ExpectOptions } from './expectations.ts';
import { HeardSounds } from './heard-sounds.ts';
import type { Hearing, SoundName } from './hearing.ts';
import { PhoneError } from './phone-error.ts';
import type { PhoneTime } from './phone-time.ts';
import type { PhoneEvent, PhoneHappening, Transcript } from './transcript.ts';

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

/** One call as the person at the phone knows it. Each step lets virtual time pass until it is done; between steps it stands still. */
export class PhoneCall {
  /** From 1, in the order of their beginning. */
  readonly number: number;
  readonly #parts: Parts;
  readonly #expectations: Expectations;
  readonly #heard = new HeardSounds();
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
    this.#expectations = new Expectations({
      time: parts.time,
      patienceMs: parts.patienceMs,
      hasEnded: () => this.#ended,
      onSettled: (happened) => this.#add(happened),
    });
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
    await this.#expectations.expect({
      code: 'not-heard',
      what: `to hear ${shown(what)}`,
      withinMs: options.withinMs,
      duringCall: true,
      holds: () => this.#heard.findWhole(what),
      instead: () => this.#heard.instead,
    });
  }

  /** Waits until a sound with this text begins to be heard: for keys that are pressed in the middle of it. */
  async beginsToHear(what: string | RegExp, options: ExpectOptions = {}): Promise<void> {
    await this.#expectations.expect({
      code: 'not-heard',
      what: `to begin to hear ${shown(what)}`,
      withinMs: options.withinMs,
      duringCall: true,
      holds: () => this.#heard.findBegun(what),
      instead: () => this.#heard.instead,
    });
  }

  /** Waits so long, and nothing may begin to be heard meanwhile. */
  async hearsNothing(forMs: number): Promise<void> {
    const before = this.#heard.begunCount;
    await this.#pass(forMs);
    const began = this.#heard.begunAfter(before).map((text) => `"${text}"`);
    const what = `to hear nothing for ${forMs / 1000} s`;
    if (began.length === 0 && !this.#ended) return this.#expectations.held(what);
    throw this.#expectations.failed(
      'not-silent',
      what,
      began.length > 0 ? `heard ${began.join(', ')}` : 'the call ended',
    );
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
    await this.#expectations.expect({
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
    await this.#expectations.expect({
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
    await this.#expectations.expect({
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
    await this.#expectations.expect({
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
    await this.#expectations.until(() => this.#ended, forMs);
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
    this.#heard.begins(name);
    this.changed();
  }

  /** @internal */
  heard(hearing: Hearing): void {
    this.#heard.ends(hearing);
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
    await this.#expectations.until(() => this.answered || this.#ended);
  }

  /** @internal */
  changed(): void {
    this.#expectations.changed();
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
    this.changed();
  }

  #mustBeUp(what: string): void {
    if (this.answered && !this.#ended && this.#ending === undefined) return;
    throw this.#expectations.failed(
      'not-connected',
      `to ${what}`,
      this.answered ? 'the call has ended' : 'the call is not answered',
    );
  }

  async #pass(ms: number): Promise<void> {
    await this.#parts.time.until(sleep(this.#parts.time.clock, ms));
  }

  #add(happened: PhoneHappening): void {
    this.#parts.transcript.add(this.number, happened);
    this.changed();
  }
}

function shown(what: string | RegExp): string {
  return typeof what === 'string' ? `"${what}"` : String(what);
}
