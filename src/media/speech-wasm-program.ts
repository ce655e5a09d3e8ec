/**
 * A program of its own: `node speech-wasm-program.ts VOICE,VOICE WORDS_PER_MINUTE OUT.wav`, text on standard input; the
 * first voice that there is speaks. It alone loads the GPL engine, and ends after one utterance, so the engine's memory is never the server's.
 */
import { openWavWriter } from './wav-writer.ts';

interface WasmWorker {
  set_voice(name: string): number;
  set_rate(wordsPerMinute: number): void;
  get_samplerate(): number;
  /** The callback gets pieces of 16-bit sound, undefined at the end; a result other than 0 stops. */
  synthesize(text: string, onPiece: (samples: Int16Array | null | undefined) => number): void;
}
type WasmModule = () => Promise<{ readonly eSpeakNGWorker: new () => WasmWorker }>;

const MAX_SPEECH_SECONDS = 1800;

async function main(voices: readonly string[], wordsPerMinute: number, path: string): Promise<void> {
  const text = await readInput();
  const packageName = '@echogarden/espeak-ng-emscripten';
  const { default: open } = (await import(packageName)) as { readonly default: WasmModule };
  const worker = new (await open()).eSpeakNGWorker();
  if (!voices.some((voice) => worker.set_voice(voice) === 0)) throw new Error(`no voice of ${voices.join()}`);
  worker.set_rate(wordsPerMinute);
  const sampleRate = worker.get_samplerate();
  const pieces: Int16Array[] = [];
  let count = 0;
  worker.synthesize(text, (samples) => {
    if (samples) pieces.push(samples.slice());
    count += samples?.length ?? 0;
    return count > MAX_SPEECH_SECONDS * sampleRate ? 1 : 0;
  });
  const writer = await openWavWriter({ path, sampleRate, channels: 1 });
  for (const piece of pieces) {
    writer.append(piece);
    await writer.flushed();
  }
  await writer.close();
}

async function readInput(): Promise<string> {
  let text = '';
  for await (const piece of process.stdin.setEncoding('utf8')) text += String(piece);
  return text;
}

// eslint-disable-next-line no-restricted-syntax -- the root of a program of its own
const [voices = 'en-us', wordsPerMinute = '160', path = ''] = process.argv.slice(2);
await main(voices.split(','), Number(wordsPerMinute), path);
