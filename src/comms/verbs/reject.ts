import type { Step, VerbContext } from './verb-context.ts';

/** Refuses a call that is not answered yet; an answered one just ends. */
export function runReject(verb: { readonly reason: 'rejected' | 'busy' }, context: VerbContext): Step {
  if (context.party.answered) return { kind: 'end', end: { kind: 'hung-up' } };
  context.party.reject(verb.reason);
  return { kind: 'end', end: { kind: 'rejected' } };
}
