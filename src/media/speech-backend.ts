import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMp3 } from './mp3.ts';
import { SpeechError } from './speech-error.ts';
import { findProgram, runSpeechProcess } from './speech-process.ts';
import { espeakCandidates, espeakVoice, fliteVoice, type SpeechVoice } from './speech-voice.ts';
import { isWav } from './wav-reader.ts';

/** One way to speak. */
export interface SpeechBackend {
  /** With its version: part of the cache key. */
  readonly name: string;
  /** Writes a WAV file to `path`; no file when the text holds nothing to say. Rejects with SpeechError `failed`. */
  synthesise(utterance: Utterance, path: string): Promise<void>;
}

export interface Utterance {
  readonly text: string;
  /** The text is well-formed SSML, not plain text. */
  readonly ssml: boolean;
  readonly voice: SpeechVoice;
  readonly wordsPerMinute: number;
}

/** The espeak-ng on the PATH. */
export async function openEspeak(environmentPath: string): Promise<SpeechBackend | undefined> {
  const command = await findProgram('espeak-ng', environmentPath);
  if (command === undefined) return undefined;
  const run = (options: readonly string[], input: string): Promise<string> =>
    runSpeechProcess({ command, arguments: options, input, environmentPath });
  const banner = await run(['--version'], '').catch(() => undefined);
  if (banner === undefined) return undefined;
  const available = voiceList(await run(['--voices'], ''));
  return {
    name: `espeak-ng ${/(\d[\w.-]*)/.exec(banner)?.[1] ?? ''}`.trim(),
    async synthesise(utterance, path) {
      const voice = espeakVoice(utterance.voice, available);
      const options = ['--stdin', '-b', '1', '-v', voice, '-s', String(utterance.wordsPerMinute), '-w', path];
      await run(utterance.ssml ? ['-m', ...options] : options, utterance.text);
    },
  };
}

/** Second column of `espeak-ng --voices`: the language tags. */
function voiceList(table: string): ReadonlySet<string> {
  const lines = table.split('\n').slice(1);
  return new Set(lines.map((line) => line.trim().split(/\s+/)[1]?.toLowerCase() ?? ''));
}

/** flite's own pace, in words a minute. */
const FLITE_WORDS_PER_MINUTE = 165;

/** The flite on the PATH: English only. */
export async function openFlite(environmentPath: string): Promise<SpeechBackend | undefined> {
  const command = await findProgram('flite', environmentPath);
  if (command === undefined) return undefined;
  const asked = { command, environmentPath, input: '', arguments: ['--version'], anyExitCode: true };
  const banner = await runSpeechProcess(asked).catch(() => undefined);
  if (banner === undefined) return undefined;
  return {
    name: `flite ${/(\d+\.\d+)/.exec(banner)?.[1] ?? ''}`.trim(),
    async synthesise(utterance, path) {
      const stretch = (FLITE_WORDS_PER_MINUTE / utterance.wordsPerMinute).toFixed(2);
      const options = ['-voice', fliteVoice(utterance.voice), '--setf', `duration_stretch=${stretch}`, '-o', path];
      const input = utterance.ssml ? plainText(utterance.text) : utterance.text;
      await runSpeechProcess({ command, arguments: options, input, environmentPath });
    },
  };
}

const WASM_PACKAGE = '@echogarden/espeak-ng-emscripten';

/**
 * espeak-ng as WebAssembly, an optional dependency. It is GPL, so only a program of its own, in a process of its own,
 * loads it; here its version is read and nothing else.
 */
export async function openWasm(environmentPath: string): Promise<SpeechBackend | undefined> {
  let version: string;
  try {
    const manifest = createRequire(import.meta.url).resolve(`${WASM_PACKAGE}/package.json`);
    const parsed: unknown = JSON.parse(await readFile(manifest, 'utf8'));
    version = typeof parsed === 'object' && parsed !== null && 'version' in parsed ? String(parsed.version) : '';
  } catch {
    return undefined;
  }
  const program = fileURLToPath(new URL('./speech-wasm-program.ts', import.meta.url));
  return {
    name: `espeak-ng wasm ${version}`,
    async synthesise(utterance, path) {
      // The package reads SSML always.
      const input = utterance.ssml ? utterance.text : escapeXml(utterance.text);
      const voices = espeakCandidates(utterance.voice).join();
      await runSpeechProcess({
        command: process.execPath,
        arguments: ['--disable-warning=ExperimentalWarning', program, voices, String(utterance.wordsPerMinute), path],
        input,
        environmentPath,
      });
    },
  };
}

/** A speech service of OpenAI's shape (`POST /v1/audio/speech`), local or hosted. */
export interface SpeechEndpoint {
  /** Of the resource itself, `http://127.0.0.1:8880/v1/audio/speech`. */
  readonly url: string;
  readonly apiKey?: string;
  readonly model?: string;
  /** Service voices for men and women. */
  readonly voices?: Readonly<Record<'man' | 'woman', string>>;
}

/** How a request leaves; the composition root passes the guarded way out. Rejects when no whole answer came. */
export type SpeechHttp = (request: {
  readonly method: 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly totalTimeoutMs: number;
  readonly maxBytes: number;
}) => Promise<{ readonly status: number; readonly body: Uint8Array }>;

const ENDPOINT_TIMEOUT_MS = 20_000;
const MAX_ENDPOINT_BYTES = 33_554_432;
const DEFAULT_MODEL = 'tts-1';
const DEFAULT_ENDPOINT_VOICES = { man: 'onyx', woman: 'nova' } as const;
/** The pace that the service calls 1.0. */
const ENDPOINT_WORDS_PER_MINUTE = 160;

export function openEndpoint(endpoint: SpeechEndpoint, http: SpeechHttp): SpeechBackend {
  const model = endpoint.model ?? DEFAULT_MODEL;
  return {
    name: `${model} at ${new URL(endpoint.url).host}`,
    async synthesise(utterance, path) {
      const response = await http({
        method: 'POST',
        url: endpoint.url,
        headers: {
          'content-type': 'application/json',
          ...(endpoint.apiKey === undefined ? {} : { authorization: `Bearer ${endpoint.apiKey}` }),
        },
        body: JSON.stringify({
          model,
          input: utterance.ssml ? plainText(utterance.text) : utterance.text,
          voice: (endpoint.voices ?? DEFAULT_ENDPOINT_VOICES)[utterance.voice.sex],
          response_format: 'wav',
          speed: Number((utterance.wordsPerMinute / ENDPOINT_WORDS_PER_MINUTE).toFixed(2)),
        }),
        totalTimeoutMs: ENDPOINT_TIMEOUT_MS,
        maxBytes: MAX_ENDPOINT_BYTES,
      });
      if (response.status !== 200) {
        throw new SpeechError('failed', `the speech service at ${endpoint.url} answered ${response.status}: want 200`);
      }
      if (!isWav(response.body) && !isMp3(response.body)) {
        throw new SpeechError('failed', `the speech service at ${endpoint.url} sent no WAV and no MP3`);
      }
      await writeFile(path, response.body);
    },
  };
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The words of SSML, for engines that do not know it. */
function plainText(ssml: string): string {
  return ssml
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/&(amp|lt|gt|quot|apos);/g, (_, entity: string) => ENTITIES[entity] ?? '');
}
