import { errorText } from '../../base/errors.ts';
import type { SoundSource } from '../../media/media-node.ts';
import type { SayPart } from '../../wire/twiml/say-text.ts';
import type { SayVerb } from '../../wire/twiml/verbs.ts';
import { fault } from '../faults.ts';
import { abortable } from './interruption.ts';
import { playSources, repeat } from './play-sources.ts';
import { NEXT_VERB, type Step, type VerbContext } from './verb-context.ts';

/** Speaks the text, `loop` times. When the engine fails, that is recorded (13520, 13521) and the next verb runs. */
export async function runSay(verb: SayVerb, context: VerbContext): Promise<Step> {
  await context.ensureAnswered();
  await repeat(context, verb.loop, async () => {
    // Asked again each round: the engine keeps its files as long as it likes.
    const sources = await speech(verb, context);
    return sources !== undefined && (await playSources(context, sources));
  });
  return NEXT_VERB;
}

async function speech(verb: SayVerb, context: VerbContext): Promise<readonly SoundSource[] | undefined> {
  const sources: SoundSource[] = [];
  try {
    for (const part of verb.parts) sources.push(await source(part, verb, context));
    return sources;
  } catch (thrown) {
    if (context.signal.aborted) throw thrown;
    const tooLong = (thrown as { code?: unknown }).code === 'too-long';
    context.reportSoundFault(fault(tooLong ? 13521 : 13520, errorText(thrown)));
    return undefined;
  }
}

async function source(part: SayPart, verb: SayVerb, context: VerbContext): Promise<SoundSource> {
  if (part.kind === 'pause') return { kind: 'silence', durationMs: part.durationMs };
  const language = part.language ?? verb.language;
  const request = {
    text: part.text,
    ...(verb.voice === undefined ? {} : { voice: verb.voice }),
    ...(language === undefined ? {} : { language }),
  };
  return { kind: 'file', path: await abortable(context.ports.speech.speak(request), context.signal) };
}
