import { sleep } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import { TaskGroup } from '../base/lifecycle.ts';
import type { LegEvent, SoundSource } from '../media/media-node.ts';
import type { TwimlDocument } from '../wire/twiml/document.ts';
import { parseTwiml } from '../wire/twiml/parse.ts';
import { validateTwiml, type Verb } from '../wire/twiml/verbs.ts';
import type { DocumentRequest, RunEnd, RunOptions, TwimlRun } from './executor-ports.ts';
import { verbStep } from './call-step.ts';
import { fault, faultOfProblem, type Fault } from './faults.ts';
import type { HttpMethod } from './model.ts';
import { DigitBuffer } from './verbs/digit-buffer.ts';
import { runDial } from './verbs/dial.ts';
import { runGather } from './verbs/gather.ts';
import { runHangup } from './verbs/hangup.ts';
import { abortable, Interruption } from './verbs/interruption.ts';
import { runPrompt } from './verbs/prompt.ts';
import { runRecord } from './verbs/record.ts';
import { runRedirect } from './verbs/redirect.ts';
import { runReject } from './verbs/reject.ts';
import type { Step, VerbContext } from './verbs/verb-context.ts';

/** Documents of one run. */
export const MAX_DOCUMENTS = 10_000;
/** Documents in a row that neither take time nor read a key: a Redirect that leads to itself. */
export const MAX_IDLE_DOCUMENTS = 50;
/** Warnings of one document that become Notifications. */
export const MAX_WARNINGS_TOLD = 20;
/** A document that took this long in its verbs is not idle. */
const BUSY_MS = 100;
const MAX_APOLOGY_MS = 20_000;
const APOLOGY = 'We are sorry. An application error has occurred. Goodbye.';
/** Where no speech can be made: the tones of "your call cannot be completed" (ITU-T E.180 special information). */
const APOLOGY_TONES: readonly SoundSource[] = [
  { kind: 'tone', hertz: [950], durationMs: 330 },
  { kind: 'tone', hertz: [1400], durationMs: 330 },
  { kind: 'tone', hertz: [1800], durationMs: 330 },
  { kind: 'silence', durationMs: 1000 },
];

type Source = RunOptions['first'];

interface Loaded {
  readonly kind: 'document';
  readonly document: TwimlDocument;
  readonly baseUrl: string | undefined;
  readonly method: HttpMethod;
}

/** Runs a call by TwiML until its documents end, the party hangs up, or a fault. */
export function startRun(options: RunOptions): TwimlRun {
  return new Run(options);
}

class Run implements TwimlRun {
  readonly end: Promise<RunEnd>;
  readonly settled: Promise<void>;
  readonly #options: RunOptions;
  readonly #digits = new DigitBuffer();
  readonly #late: TaskGroup;
  #scope = new AbortController();
  #next: Source | undefined;
  #stopped = false;
  #over = false;
  #documents = 0;
  #idleDocuments = 0;
  #fallback: Pick<DocumentRequest, 'fallbackUrl' | 'fallbackMethod'> = {};
  #heard = false;
  #soundFault: Fault | undefined;
  #audioStarted = false;
  #silenceTold = false;

  constructor(options: RunOptions) {
    this.#options = options;
    const { ports, party } = options;
    this.#late = new TaskGroup((error) => ports.report(fault(12400, errorText(error))));
    party.onEnded(() => this.#scope.abort(new Interruption('the party hung up')));
    const stopListening = party.media.onEvent((event) => this.#onLegEvent(event));
    this.end = this.#run(options.first).finally(stopListening);
    this.settled = this.end.then(() => this.#late.settled());
  }

  redirect(next: Source): void {
    if (this.#over || this.#stopped) return;
    this.#next = next;
    this.#scope.abort(new Interruption('the call was updated'));
  }

  stop(): void {
    if (this.#over) return;
    this.#stopped = true;
    this.#scope.abort(new Interruption('the run was stopped'));
  }

  async #run(first: Source): Promise<RunEnd> {
    let source: Source = first;
    for (;;) {
      const end = await this.#attempt(source);
      const next = this.#next;
      if (next === undefined || this.#stopped || this.#options.party.ended !== undefined) {
        this.#over = true;
        return end ?? this.#cutOff();
      }
      this.#next = undefined;
      this.#scope = new AbortController();
      source = next;
    }
  }

  #cutOff(): RunEnd {
    return this.#options.party.ended === undefined ? { kind: 'finished' } : { kind: 'hung-up' };
  }

  /** One chain of documents; undefined when it was cut off by a hang-up, a stop or an update. */
  async #attempt(source: Source): Promise<RunEnd | undefined> {
    try {
      const end = await this.#follow(source);
      if (end.kind === 'fault') await this.#apologise();
      return end;
    } catch (thrown) {
      const wanted = this.#stopped || this.#next !== undefined || this.#options.party.ended !== undefined;
      return wanted ? undefined : this.#broken(thrown);
    }
  }

  /** A port failed in a way that it does not promise: the run ends in the open. */
  async #broken(thrown: unknown): Promise<RunEnd> {
    const made = fault(12400, errorText(thrown));
    this.#options.ports.report(made);
    await this.#apologise().catch(() => undefined);
    return this.#options.party.ended === undefined ? { kind: 'fault', fault: made } : { kind: 'hung-up' };
  }

  async #follow(first: Source): Promise<RunEnd> {
    let source = first;
    for (;;) {
      if (this.#options.party.ended !== undefined) throw new Interruption('the party hung up');
      this.#scope.signal.throwIfAborted();
      const tooMany = this.#countDocument();
      if (tooMany !== undefined) return { kind: 'fault', fault: tooMany };
      const loaded = await this.#load(source);
      if (loaded.kind === 'fault') return loaded;
      const step = await this.#runDocument(loaded);
      if (step.kind === 'end') return step.end;
      if (step.kind === 'next-verb') return this.#finish();
      source = step.request;
    }
  }

  #countDocument(): Fault | undefined {
    this.#documents += 1;
    this.#idleDocuments += 1;
    const idle = this.#idleDocuments > MAX_IDLE_DOCUMENTS;
    if (!idle && this.#documents <= MAX_DOCUMENTS) return undefined;
    const details = idle
      ? `${MAX_IDLE_DOCUMENTS} documents in a row did nothing but lead to the next`
      : `more than ${MAX_DOCUMENTS} documents in one call`;
    const made = fault(11215, details);
    this.#options.ports.report(made);
    return made;
  }

  async #load(source: Source): Promise<Loaded | { readonly kind: 'fault'; readonly fault: Fault }> {
    if ('twiml' in source) {
      const parsed = parseTwiml(source.twiml, 'text/xml');
      if (parsed.kind === 'ok') {
        return { kind: 'document', document: parsed.document, baseUrl: undefined, method: 'POST' };
      }
      const made = faultOfProblem(parsed.problem, { responseBody: source.twiml });
      this.#options.ports.report(made);
      return { kind: 'fault', fault: made };
    }
    if (source.fallbackUrl !== undefined) {
      this.#fallback = { fallbackUrl: source.fallbackUrl, fallbackMethod: source.fallbackMethod };
    }
    // The fallback stands in for every document of the call, not for the first only.
    const request = { ...this.#fallback, ...source };
    return abortable(this.#options.ports.fetchDocument(request), this.#scope.signal);
  }

  async #runDocument(loaded: Loaded): Promise<Step> {
    const { ports } = this.#options;
    const { verbs, warnings, error } = validateTwiml(loaded.document);
    const about = loaded.baseUrl === undefined ? {} : { requestUrl: loaded.baseUrl, requestMethod: loaded.method };
    if (error !== undefined) {
      // Told alone: it is what ended the run, and the rest of the document was not run.
      const made = faultOfProblem(error, about);
      ports.report(made);
      return { kind: 'end', end: { kind: 'fault', fault: made } };
    }
    for (const warning of warnings.slice(0, MAX_WARNINGS_TOLD)) ports.report(faultOfProblem(warning, about));
    const context = this.#context(loaded);
    for (const verb of verbs) {
      const startedMs = ports.clock.now();
      ports.observe?.(verbStep(verb));
      const step = await runVerb(verb, context);
      // A Reject ends the party itself; whatever else was running is cut off.
      if (step.kind !== 'end') this.#scope.signal.throwIfAborted();
      if (ports.clock.now() - startedMs >= BUSY_MS) this.#idleDocuments = 0;
      if (step.kind !== 'next-verb') return step;
    }
    return { kind: 'next-verb' };
  }

  /** The documents ended by themselves. A call in which a sound failed and nothing was heard is a fault, not silence. */
  async #finish(): Promise<RunEnd> {
    if (!this.#heard && this.#soundFault !== undefined) return { kind: 'fault', fault: this.#soundFault };
    await this.#ensureAnswered();
    return { kind: 'finished' };
  }

  #context(loaded: Loaded): VerbContext {
    const { party, ports } = this.#options;
    return {
      party,
      ports,
      digits: this.#digits,
      signal: this.#scope.signal,
      baseUrl: loaded.baseUrl,
      method: loaded.method,
      ensureAnswered: () => this.#ensureAnswered(),
      heard: () => (this.#heard = true),
      reportSoundFault: (made) => {
        this.#soundFault ??= made;
        ports.report(made);
      },
      later: (work) => this.#late.run(work),
    };
  }

  async #ensureAnswered(): Promise<void> {
    const { party } = this.#options;
    if (!party.answered) await abortable(party.answer(), this.#scope.signal);
  }

  #onLegEvent(event: LegEvent): void {
    switch (event.kind) {
      case 'digit':
        this.#idleDocuments = 0;
        this.#digits.push(event.digit);
        this.#options.ports.observe?.({ kind: 'digit', digit: event.digit });
        return;
      case 'audio-started':
        this.#audioStarted = true;
        return;
      case 'audio-missing':
        if (this.#audioStarted || this.#silenceTold) return;
        this.#silenceTold = true;
        this.#options.ports.report(fault(32014, `nothing arrived for ${Math.round(event.forMs / 1000)} s`));
        return;
      case 'connected':
      case 'disconnected':
        // Signalling's matter: it ends the call, or waits for the browser to come back.
        return;
      default:
        return event satisfies never;
    }
  }

  /** Only a caller is told: somebody who was called did not choose the application and hears nothing of its faults. */
  async #apologise(): Promise<void> {
    const { party, ports } = this.#options;
    if (ports.call().direction !== 'inbound' || party.ended !== undefined) return;
    await this.#ensureAnswered();
    const playback = party.media.play(await this.#apology());
    const limit = new AbortController();
    try {
      await Promise.race([
        abortable(playback.done, this.#scope.signal),
        sleep(ports.clock, MAX_APOLOGY_MS, limit.signal).catch(() => undefined),
      ]);
    } finally {
      limit.abort();
      playback.stop();
    }
  }

  async #apology(): Promise<readonly SoundSource[]> {
    try {
      const speaking = this.#options.ports.speech.speak({ text: APOLOGY, language: 'en-US' });
      return [{ kind: 'file', path: await abortable(speaking, this.#scope.signal) }];
    } catch (thrown) {
      if (this.#scope.signal.aborted) throw thrown;
      return APOLOGY_TONES;
    }
  }
}

async function runVerb(verb: Verb, context: VerbContext): Promise<Step> {
  switch (verb.kind) {
    case 'say':
    case 'play':
    case 'pause':
      return runPrompt(verb, context);
    case 'gather':
      return runGather(verb, context);
    case 'record':
      return runRecord(verb, context);
    case 'dial':
      return runDial(verb, context);
    case 'redirect':
      return runRedirect(verb, context);
    case 'hangup':
      return runHangup(context);
    case 'reject':
      return runReject(verb, context);
  }
}
