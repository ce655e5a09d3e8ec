import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { holding, type Clock } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import {
  openEndpoint,
  openEspeak,
  openFlite,
  openWasm,
  type SpeechBackend,
  type SpeechEndpoint,
  type SpeechHttp,
  type Utterance,
} from './speech-backend.ts';
import { SpeechCache } from './speech-cache.ts';
import { SpeechError } from './speech-error.ts';
import { chooseVoice } from './speech-voice.ts';
import type { SpeechEngine, SpeechRequest } from './speech.ts';
import { openWavWriter } from './wav-writer.ts';
import { WorkLimit } from './work-limit.ts';

export type SpeechEngineName = 'espeak-ng' | 'flite' | 'wasm' | 'endpoint';

export interface SpeechOptions {
  readonly cacheFolder: string;
  /** Held while speech is made. */
  readonly clock: Clock;
  /** The value of PATH. */
  readonly environmentPath: string;
  /** Absent: the endpoint when there is one, then the first found of espeak-ng, flite, wasm. */
  readonly prefer?: SpeechEngineName;
  readonly endpoint?: SpeechEndpoint;
  /** Needed with `endpoint`. */
  readonly http?: SpeechHttp;
  readonly wordsPerMinute?: number;
  readonly maxCacheBytes?: number;
}

export const MAX_SPEECH_CHARS = 8192;
const DEFAULT_WORDS_PER_MINUTE = 160;
/** One processor stays free for live sound. */
const MAX_PROCESSES = 2;
const MAX_WAITING = 200;
/** A WAV header and nothing behind it. */
const EMPTY_WAV_BYTES = 44;
const EMPTY_TEXT_RATE = 8000;
const EMPTY_TEXT_SAMPLES = 160;
const KEY_CHARS = 40;
const WAYS_OUT =
  'install espeak-ng (apt install espeak-ng, brew install espeak-ng) or flite, run npm install without --omit=optional, ' +
  'or configure a speech endpoint';

/**
 * Opens the best engine there is. When there is none, resolves to an engine named `none` whose `speak` rejects with
 * `no-engine`: calls that only play files need no speech. Rejects with SpeechError `no-engine` when the preferred one
 * is missing.
 */
export async function openSpeech(options: SpeechOptions): Promise<SpeechEngine> {
  const backends = await openBackends(options);
  if (backends.length === 0) {
    if (options.prefer !== undefined) {
      throw new SpeechError('no-engine', `no speech engine "${options.prefer}" on this machine: ${WAYS_OUT}`);
    }
    return noEngine;
  }
  const { cacheFolder: folder, clock, maxCacheBytes } = options;
  const cache = await SpeechCache.open({
    folder,
    clock,
    ...(maxCacheBytes === undefined ? {} : { maxBytes: maxCacheBytes }),
  });
  return new CachedSpeech(backends, cache, options);
}

const noEngine: SpeechEngine = {
  name: 'none',
  speak: () => Promise.reject(new SpeechError('no-engine', `this machine has no speech engine: ${WAYS_OUT}`)),
};

/** The engine to use, and behind an endpoint the local one that stands in when the endpoint fails. */
async function openBackends(options: SpeechOptions): Promise<readonly SpeechBackend[]> {
  const { prefer, environmentPath, endpoint, http } = options;
  const backends: SpeechBackend[] = [];
  if (endpoint !== undefined && http !== undefined && (prefer ?? 'endpoint') === 'endpoint') {
    backends.push(openEndpoint(endpoint, http));
  }
  if (prefer === 'endpoint' && backends.length === 0) return [];
  const local: readonly (readonly [SpeechEngineName, (path: string) => Promise<SpeechBackend | undefined>])[] = [
    ['espeak-ng', openEspeak],
    ['flite', openFlite],
    ['wasm', openWasm],
  ];
  for (const [name, openLocal] of local) {
    if (prefer !== undefined && prefer !== 'endpoint' && prefer !== name) continue;
    const backend = await openLocal(environmentPath);
    if (backend !== undefined) return [...backends, backend];
  }
  return backends;
}

class CachedSpeech implements SpeechEngine {
  readonly name: string;
  readonly #backends: readonly SpeechBackend[];
  readonly #cache: SpeechCache;
  readonly #clock: Clock;
  readonly #wordsPerMinute: number;
  readonly #limit = new WorkLimit(MAX_PROCESSES, MAX_WAITING);

  constructor(backends: readonly SpeechBackend[], cache: SpeechCache, options: SpeechOptions) {
    this.name = (backends[0] as SpeechBackend).name;
    this.#backends = backends;
    this.#cache = cache;
    this.#clock = options.clock;
    this.#wordsPerMinute = options.wordsPerMinute ?? DEFAULT_WORDS_PER_MINUTE;
  }

  speak(request: SpeechRequest): Promise<string> {
    return holding(this.#clock, () => this.#speak(request));
  }

  async #speak(request: SpeechRequest): Promise<string> {
    if (request.text.length > MAX_SPEECH_CHARS) {
      throw new SpeechError('too-long', `text of ${request.text.length} characters: want at most ${MAX_SPEECH_CHARS}`);
    }
    const utterance: Utterance = {
      text: speakable(request.text),
      ssml: request.ssml ?? false,
      voice: chooseVoice(request.voice, request.language),
      wordsPerMinute: this.#wordsPerMinute,
    };
    const failures: string[] = [];
    for (const backend of this.#backends) {
      try {
        return await this.#cache.get(keyOf(backend, utterance), (path) => this.#make(backend, utterance, path));
      } catch (error) {
        failures.push(errorText(error));
      }
    }
    throw new SpeechError('failed', `speech failed: ${failures.join('; ')}`);
  }

  async #make(backend: SpeechBackend, utterance: Utterance, path: string): Promise<void> {
    await this.#limit.run(() => backend.synthesise(utterance, path));
    const bytes = await stat(path).then(
      ({ size }) => size,
      () => 0,
    );
    if (bytes <= EMPTY_WAV_BYTES) await writeSilence(path);
  }
}

/** Text without a word gives no sound; a player still wants a file. */
async function writeSilence(path: string): Promise<void> {
  const writer = await openWavWriter({ path, sampleRate: EMPTY_TEXT_RATE, channels: 1 });
  writer.append(new Int16Array(EMPTY_TEXT_SAMPLES));
  await writer.close();
}

/** Control characters end the input of some engines, or are commands to them. */
function speakable(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f]+/g, ' ').trim();
}

function keyOf(backend: SpeechBackend, utterance: Utterance): string {
  const { text, ssml, voice, wordsPerMinute } = utterance;
  const parts = JSON.stringify([backend.name, text, ssml, voice, wordsPerMinute]);
  return createHash('sha256').update(parts).digest('hex').slice(0, KEY_CHARS);
}
