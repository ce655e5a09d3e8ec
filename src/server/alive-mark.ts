import { stat, utimes } from 'node:fs/promises';
import { after, type Cancel, type Clock } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { runFilePath } from './data-folder.ts';

/** A call that a crash cuts off is accounted at most this much too short, and never too long. */
export const ALIVE_EVERY_MS = 5_000;

/**
 * The last moment at which the last run is known to have lived, when that run did not end by itself: the time of its run
 * file, which a clean end takes away.
 */
export async function lastAlive(folder: string): Promise<number | undefined> {
  try {
    return (await stat(runFilePath(folder))).mtimeMs;
  } catch {
    return undefined;
  }
}

/**
 * Keeps the time of the run file new. It is not synced: after a power cut the mark may be older by what the file system
 * keeps back, and the account of a cut-off call shorter.
 */
export function keepAlive(folder: string, { clock, log }: { readonly clock: Clock; readonly log: Logger }): Cancel {
  let stopped = false;
  let cancel: Cancel = () => undefined;
  const mark = async (): Promise<void> => {
    const seconds = clock.now() / 1000;
    await utimes(runFilePath(folder), seconds, seconds).catch((error: unknown) => {
      log.warn({ error: errorText(error) }, 'the time of the run file cannot be kept');
    });
    if (!stopped) cancel = after(clock, ALIVE_EVERY_MS, () => void mark());
  };
  cancel = after(clock, ALIVE_EVERY_MS, () => void mark());
  return () => {
    stopped = true;
    cancel();
  };
}
