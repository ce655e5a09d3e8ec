import { sleep } from '../../base/clock.ts';
import type { PauseVerb } from '../../wire/twiml/verbs.ts';
import { NEXT_VERB, type Step, type VerbContext } from './verb-context.ts';

/** Waits. A call that rings goes on ringing: a Pause in front delays the answer. */
export async function runPause(verb: PauseVerb, context: VerbContext): Promise<Step> {
  await sleep(context.ports.clock, verb.lengthSeconds * 1000, context.signal);
  return NEXT_VERB;
}
