import { PhoneError } from './phone-error.ts';
import { parseScript, type Step } from './script.ts';

const MAX_SCRIPT_CHARACTERS = 65_536;

/** The text of a script, and what its lines are named after. */
export interface NamedScript {
  readonly name: string;
  readonly text: string;
}

/**
 * Reads the script of a phone of a running server. Throws PhoneError `bad-script`: also for steps about the application's
 * requests, faults and other calls, which no phone sees.
 */
export function parseResidentScript({ name, text }: NamedScript): readonly Step[] {
  if (text.length > MAX_SCRIPT_CHARACTERS) {
    throw new PhoneError('bad-script', `${name}: want at most ${MAX_SCRIPT_CHARACTERS} characters`);
  }
  const steps = parseScript(text, name);
  const unseen = steps.find(({ action }) => ['request', 'dials', 'fault'].includes(action.kind));
  if (unseen !== undefined) {
    throw new PhoneError(
      'bad-script',
      `"${unseen.line}": a phone sees no requests, no faults and nobody else's calls; these steps are for tandem try`,
    );
  }
  if (steps.length === 0) throw new PhoneError('bad-script', `${name}: want at least one step, as: hear Welcome`);
  return steps;
}
