import { sleep } from '../../base/clock.ts';
import type { SoundSource } from '../../media/media-node.ts';
import { fault } from '../faults.ts';
import { abortable } from './interruption.ts';
import type { VerbContext } from './verb-context.ts';

/** Shortest round of a loop: an empty sound that is repeated for ever must not take the processor. */
const MIN_ROUND_MS = 100;

/** Plays to the party until done or interrupted. False when the sound could not be played; that is recorded (13420). */
export async function playSources(context: VerbContext, sources: readonly SoundSource[]): Promise<boolean> {
  const playback = context.party.media.play(sources);
  try {
    const { outcome, playedMs, message } = await abortable(playback.done, context.signal);
    if (playedMs > 0) context.heard();
    if (outcome === 'failed') context.reportSoundFault(fault(13420, message ?? 'want a WAV or MP3 file'));
    return outcome !== 'failed';
  } catch (thrown) {
    playback.stop();
    throw thrown;
  }
}

/** Runs `round` `loop` times, 0 meaning until interrupted, or until it gives false. */
export async function repeat(context: VerbContext, loop: number, round: () => Promise<boolean>): Promise<void> {
  const { clock } = context.ports;
  for (let count = 1; ; count += 1) {
    const startedMs = clock.now();
    const goOn = await round();
    if (!goOn || count === loop) return;
    const spentMs = clock.now() - startedMs;
    if (spentMs < MIN_ROUND_MS) await sleep(clock, MIN_ROUND_MS - spentMs, context.signal);
  }
}
