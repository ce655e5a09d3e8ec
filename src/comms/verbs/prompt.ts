import type { PromptVerb } from '../../wire/twiml/verbs.ts';
import { runPause } from './pause.ts';
import { runPlay } from './play.ts';
import { runSay } from './say.ts';
import type { Step, VerbContext } from './verb-context.ts';

/** The verbs that only sound: alone, or inside Gather. */
export function runPrompt(verb: PromptVerb, context: VerbContext): Promise<Step> {
  switch (verb.kind) {
    case 'say':
      return runSay(verb, context);
    case 'play':
      return runPlay(verb, context);
    case 'pause':
      return runPause(verb, context);
  }
}
