import type { Step, VerbContext } from './verb-context.ts';

/** Ends the run as hung up. In front it does not keep the call from being answered: Reject does. */
export async function runHangup(context: VerbContext): Promise<Step> {
  await context.ensureAnswered();
  return { kind: 'end', end: { kind: 'hung-up' } };
}
