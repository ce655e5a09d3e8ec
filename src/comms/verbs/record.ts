import { errorText } from '../../base/errors.ts';
import type { RecordVerb } from '../../wire/twiml/verbs.ts';
import type { RecordingRequest, RunningRecording } from '../executor-ports.ts';
import { fault } from '../faults.ts';
import { abortable } from './interruption.ts';
import { NEXT_VERB, requestDocument, type Step, type VerbContext } from './verb-context.ts';

type Done = Awaited<RunningRecording['done']>;

/**
 * Records the party and asks the action what to do. When nothing was heard the next verb runs. When the party hangs up
 * meanwhile, the action is still told, with Digits=hangup, and its answer is not run.
 */
export async function runRecord(verb: RecordVerb, context: VerbContext): Promise<Step> {
  await context.ensureAnswered();
  context.digits.clear();
  const running = await start(verb, context);
  if (running === undefined) return NEXT_VERB;
  try {
    const done = await abortable(running.done, context.signal);
    context.heard();
    return actionStep(verb, context, running, done);
  } catch (thrown) {
    running.stop();
    if (!context.signal.aborted) throw thrown;
    if (context.party.ended !== undefined) context.later(() => tellHangup(verb, context, running));
    throw thrown;
  } finally {
    // The key that ended the recording is not input for the next verb.
    context.digits.clear();
  }
}

async function start(verb: RecordVerb, context: VerbContext): Promise<RunningRecording | undefined> {
  const starting = context.ports.record(recordingRequest(verb));
  try {
    return await abortable(starting, context.signal);
  } catch (thrown) {
    if (context.signal.aborted) {
      context.later(async () => (await starting).stop());
      throw thrown;
    }
    context.reportSoundFault(fault(12400, `the recording did not start: ${errorText(thrown)}`));
    return undefined;
  }
}

function recordingRequest(verb: RecordVerb): RecordingRequest {
  return {
    source: 'RecordVerb',
    maxLengthMs: verb.maxLengthSeconds * 1000,
    silenceMs: verb.timeoutSeconds * 1000,
    ...(verb.finishOnKey === '' ? {} : { finishOnKey: verb.finishOnKey }),
    beep: verb.playBeep,
    trim: verb.trim,
    statusCallback: verb.statusCallback,
    statusCallbackMethod: verb.statusCallbackMethod,
    statusCallbackEvents: verb.statusCallbackEvents,
  };
}

function actionStep(verb: RecordVerb, context: VerbContext, running: RunningRecording, done: Done): Step {
  const url = verb.action ?? context.baseUrl;
  if (isEmpty(done) || url === undefined) return NEXT_VERB;
  return requestDocument(context, { url, method: verb.method, parameters: parametersOf(running, done) });
}

function isEmpty(done: Done): boolean {
  return done.result.durationMs <= 0 || done.recording.status === 'absent';
}

function parametersOf(running: RunningRecording, done: Done): Readonly<Record<string, string>> {
  const { result, recording } = done;
  const key = result.endedBy === 'hangup' ? 'hangup' : result.digit;
  return {
    RecordingUrl: running.url,
    RecordingSid: running.sid,
    RecordingDuration: String(recording.duration ?? Math.round(result.durationMs / 1000)),
    ...(key === undefined ? {} : { Digits: key }),
  };
}

async function tellHangup(verb: RecordVerb, context: VerbContext, running: RunningRecording): Promise<void> {
  const done = await running.done;
  const hungUp: Done = { ...done, result: { ...done.result, endedBy: 'hangup' } };
  const step = actionStep(verb, context, running, hungUp);
  if (step.kind === 'document') await context.ports.fetchDocument(step.request);
}
