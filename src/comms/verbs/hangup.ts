import type { Step, VerbContext } from './verb-context.ts';

/** Ends the run. In front it does not keep the call from being answered: Reject does. */
export async function runHangup(context: VerbContext): Promise<Step> {
  await context.ensureAnswered();
  return { kind: 'end', end: { kind: 'finished' } };
}
