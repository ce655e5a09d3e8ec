import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { peer } from './peers.ts';
import type { Scope } from './scope.ts';
import { resample } from './sound-measure.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { mono, readWav, throughMulaw } from './wav.ts';

// The program's own choice where TwiML names no voice: American English, a woman, 160 words a minute.
const VOICE = ['-b', '1', '-v', 'en-us+f3', '-s', '160'];

/** What espeak-ng makes of a text, at 8 kHz and through G.711, as the best telephone line would bring it. */
export function speechReference(scope: Scope, text: string): Float64Array {
  const path = join(temporaryFolder(scope, 'speech'), 'reference.wav');
  execFileSync(peer('espeak-ng').path, ['--stdin', ...VOICE, '-w', path], { input: text });
  const spoken = readWav(path);
  return throughMulaw(resample(mono(spoken), spoken.sampleRate, 8000));
}
