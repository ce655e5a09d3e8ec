import type { PlayVerb } from '../../wire/twiml/verbs.ts';
import { abortable } from './interruption.ts';
import { playSources, repeat } from './play-sources.ts';
import { endWith, NEXT_VERB, resolveUrl, unresolved, type Step, type VerbContext } from './verb-context.ts';

/** A sound that is repeated is fetched again after this long: the cache does not keep it for ever. */
const FETCH_AGAIN_AFTER_MS = 300_000;

/** Plays digits, or the sound at the URL. One that cannot be fetched ends the run; one of a wrong type does not. */
export async function runPlay(verb: PlayVerb, context: VerbContext): Promise<Step> {
  await context.ensureAnswered();
  if (verb.digits !== undefined) return playDigits(verb.digits, verb.loop, context);
  const url = resolveUrl(verb.url ?? '', context.baseUrl);
  if (url === undefined) return endWith(context, 11100, unresolved(verb.url ?? '', context.baseUrl));
  return playUrl(url, verb.loop, context);
}

async function playDigits(digits: string, loop: number, context: VerbContext): Promise<Step> {
  await repeat(context, loop, async () => {
    const playback = context.party.media.sendDigits(digits);
    try {
      const { outcome, playedMs } = await abortable(playback.done, context.signal);
      if (playedMs > 0) context.heard();
      return outcome !== 'failed';
    } catch (thrown) {
      playback.stop();
      throw thrown;
    }
  });
  return NEXT_VERB;
}

async function playUrl(url: string, loop: number, context: VerbContext): Promise<Step> {
  const { ports } = context;
  let step: Step = NEXT_VERB;
  let path: string | undefined;
  let fetchedAtMs = 0;
  await repeat(context, loop, async () => {
    if (path === undefined || ports.clock.now() - fetchedAtMs > FETCH_AGAIN_AFTER_MS) {
      const fetched = await abortable(ports.fetchSound(url), context.signal);
      if (fetched.kind === 'fault') {
        context.reportSoundFault(fetched.fault);
        if (fetched.fault.level === 'error') step = { kind: 'end', end: { kind: 'fault', fault: fetched.fault } };
        return false;
      }
      path = fetched.path;
      fetchedAtMs = ports.clock.now();
    }
    return playSources(context, [{ kind: 'file', path }]);
  });
  return step;
}
