import { after, type Cancel } from '../../base/clock.ts';
import { deferred } from '../../base/deferred.ts';
import type { GatherVerb } from '../../wire/twiml/verbs.ts';
import { abortable, Interruption } from './interruption.ts';
import { runPrompt } from './prompt.ts';
import { NEXT_VERB, requestDocument, type Step, type VerbContext } from './verb-context.ts';

/**
 * Plays the prompts while it collects keys; the first key ends the prompts. Then waits until the input is complete or
 * `timeout` passed since the last key (since the prompts, when there was none). Keys pressed before the verb count.
 */
export async function runGather(verb: GatherVerb, context: VerbContext): Promise<Step> {
  await context.ensureAnswered();
  const input = new KeyInput(verb);
  const stopReading = verb.takesDigits ? context.digits.read((digit) => input.accept(digit)) : () => undefined;
  try {
    const ended = await playPrompts(verb, context, input);
    if (ended.kind !== 'next-verb') return ended;
    await inputOrTimeout(verb, context, input);
  } finally {
    stopReading();
  }
  return result(verb, context, input);
}

/** The keys of one Gather. */
class KeyInput {
  digits = '';
  finishedOnKey = '';
  complete = false;
  /** Told about each key that counts. */
  onKey: (() => void) | undefined;
  readonly #verb: GatherVerb;

  constructor(verb: GatherVerb) {
    this.#verb = verb;
  }

  accept(digit: string): 'more' | 'enough' {
    const { finishOnKey, numDigits } = this.#verb;
    if (finishOnKey.includes(digit)) {
      // The vendor's rule: the finishing key ends an input, it cannot stand for one.
      if (this.digits === '') return 'more';
      this.finishedOnKey = digit;
      this.complete = true;
    } else {
      this.digits += digit;
      this.complete = this.digits.length === numDigits;
    }
    this.onKey?.();
    return this.complete ? 'enough' : 'more';
  }
}

async function playPrompts(verb: GatherVerb, context: VerbContext, input: KeyInput): Promise<Step> {
  const bargeIn = new AbortController();
  if (verb.bargeIn) {
    input.onKey = () => bargeIn.abort(new Interruption('a key was pressed'));
    if (input.digits !== '') input.onKey();
  }
  const promptContext: VerbContext = { ...context, signal: AbortSignal.any([context.signal, bargeIn.signal]) };
  try {
    for (const prompt of verb.prompts) {
      if (bargeIn.signal.aborted) break;
      const step = await runPrompt(prompt, promptContext);
      if (step.kind !== 'next-verb') return step;
    }
  } catch (thrown) {
    if (context.signal.aborted || !bargeIn.signal.aborted) throw thrown;
  } finally {
    input.onKey = undefined;
  }
  return NEXT_VERB;
}

async function inputOrTimeout(verb: GatherVerb, context: VerbContext, input: KeyInput): Promise<void> {
  if (input.complete) return;
  const over = deferred<void>();
  let cancel: Cancel | undefined;
  const restart = (): void => {
    cancel?.();
    if (input.complete) over.resolve();
    else cancel = after(context.ports.clock, verb.timeoutSeconds * 1000, () => over.resolve());
  };
  input.onKey = restart;
  restart();
  try {
    await abortable(over.promise, context.signal);
  } finally {
    input.onKey = undefined;
    cancel?.();
  }
}

function result(verb: GatherVerb, context: VerbContext, input: KeyInput): Step {
  if (input.digits === '' && !verb.actionOnEmptyResult) return NEXT_VERB;
  const url = verb.action ?? context.baseUrl;
  // TwiML that came with the call has no address to ask again.
  if (url === undefined) return NEXT_VERB;
  const parameters = { Digits: input.digits, FinishedOnKey: input.finishedOnKey };
  return requestDocument(context, { url, method: verb.method, parameters });
}
