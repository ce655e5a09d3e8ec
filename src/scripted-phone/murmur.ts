import { join } from 'node:path';
import { holding, type Clock } from '../base/clock.ts';
import { seededRandom, randomUnit } from '../base/random.ts';
import type { SpeechEngine, SpeechRequest } from '../media/speech.ts';
import { openWavWriter } from '../media/wav-writer.ts';

const SAMPLE_RATE = 8000;
/** 160 words a minute, a word being five letters and a blank. */
const CHARACTER_MS = 62.5;
const CHARACTER_SAMPLES = (SAMPLE_RATE * CHARACTER_MS) / 1000;
const MIN_CHARACTERS = 5;
const MAX_CHARACTERS = 8192;
const LOWEST_HERTZ = 140;
const SPAN_HERTZ = 260;
const HARMONICS = 5;
const PEAK = 9000;

/**
 * Speech without words: a murmur as long as the text takes to say, the same on every machine and different for each
 * text. It needs no speech engine and no time to make.
 */
export function openMurmur(folder: string, clock: Clock): SpeechEngine {
  const made = new Map<string, Promise<string>>();
  return {
    name: 'murmur',
    speak: ({ text, ssml }: SpeechRequest) => {
      const words = (ssml === true ? text.replaceAll(/<[^>]*>/g, ' ') : text).trim();
      let path = made.get(words);
      if (path === undefined) {
        path = holding(clock, () => write(words, join(folder, `murmur-${made.size + 1}.wav`)));
        made.set(words, path);
      }
      return path;
    },
  };
}

async function write(text: string, path: string): Promise<string> {
  const writer = await openWavWriter({ path, sampleRate: SAMPLE_RATE, channels: 1 });
  writer.append(murmurOf(text));
  await writer.close();
  return path;
}

/** A sung vowel for each letter, in a pitch of its own; a gap for what is no letter. */
export function murmurOf(text: string): Int16Array {
  const letters = text.slice(0, MAX_CHARACTERS).padEnd(MIN_CHARACTERS);
  const random = seededRandom(hashOf(text));
  const samples = new Int16Array(letters.length * CHARACTER_SAMPLES);
  for (let index = 0; index < letters.length; index += 1) {
    const hertz = LOWEST_HERTZ + SPAN_HERTZ * randomUnit(random);
    if (!/[\p{L}\p{N}]/u.test(letters.charAt(index))) continue;
    sing(samples.subarray(index * CHARACTER_SAMPLES, (index + 1) * CHARACTER_SAMPLES), hertz);
  }
  return samples;
}

function sing(into: Int16Array, hertz: number): void {
  for (let at = 0; at < into.length; at += 1) {
    let value = 0;
    for (let harmonic = 1; harmonic <= HARMONICS; harmonic += 1) {
      value += Math.sin((2 * Math.PI * hertz * harmonic * at) / SAMPLE_RATE) / harmonic;
    }
    into[at] = Math.round((PEAK * value * Math.sin((Math.PI * at) / into.length)) / 2);
  }
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
