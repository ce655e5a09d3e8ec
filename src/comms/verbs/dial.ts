import type { DialVerb } from '../../wire/twiml/verbs.ts';
import type { DialOutcome } from '../executor-ports.ts';
import { NEXT_VERB, requestDocument, type Step, type VerbContext } from './verb-context.ts';

/**
 * Has the destinations called and waits until the conversation is over; then the action decides, or the next verb. When
 * the caller hung up, the action is still told and its answer is not run.
 */
export async function runDial(verb: DialVerb, context: VerbContext): Promise<Step> {
  if (!verb.answerOnBridge) await context.ensureAnswered();
  // Awaited to its end even when interrupted: the next verb needs the leg to itself.
  const outcome = await context.ports.dial(verb.element, {
    baseUrl: context.baseUrl ?? '',
    method: context.method,
    signal: context.signal,
  });
  // Keys of the conversation are not input for the next verb.
  context.digits.clear();
  if (context.signal.aborted) {
    if (context.party.ended !== undefined) context.later(() => tellAction(verb, context, outcome));
    context.signal.throwIfAborted();
  }
  if (outcome.bridged) context.heard();
  return actionStep(verb, context, outcome);
}

function actionStep(verb: DialVerb, context: VerbContext, outcome: DialOutcome): Step {
  if (verb.action === undefined) return NEXT_VERB;
  return requestDocument(context, { url: verb.action, method: verb.method, parameters: parametersOf(outcome) });
}

function parametersOf(outcome: DialOutcome): Readonly<Record<string, string>> {
  const { callSid, durationSeconds, recording } = outcome;
  return {
    DialCallStatus: outcome.status,
    ...(callSid === null ? {} : { DialCallSid: callSid }),
    ...(durationSeconds === null ? {} : { DialCallDuration: String(durationSeconds) }),
    DialBridged: String(outcome.bridged),
    ...(recording === undefined
      ? {}
      : {
          RecordingUrl: recording.url,
          RecordingSid: recording.sid,
          RecordingDuration: String(recording.durationSeconds),
        }),
  };
}

async function tellAction(verb: DialVerb, context: VerbContext, outcome: DialOutcome): Promise<void> {
  const step = actionStep(verb, context, outcome);
  if (step.kind === 'document') await context.ports.fetchDocument(step.request);
}
