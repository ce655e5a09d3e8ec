import type { FastifyInstance } from 'fastify';

/** Where the vendor's browser SDK looks for its sounds; there it is told by its option `sounds`, or by a name server. */
export const SDK_SOUNDS_PATH = '/js/client/sounds/releases/1.0.0';

const SAMPLE_RATE = 8000;
const WAV_HEADER_BYTES = 44;
const AMPLITUDE = 6000;
const FADE_SAMPLES = 40;
const DAY_SECONDS = 86_400;

interface Burst {
  readonly hertz: readonly number[];
  readonly seconds: number;
}

const KEY_ROWS = [697, 770, 852, 941];
const KEY_COLUMNS = [1209, 1336, 1477];
const KEYS = '123456789*0#';
const KEY_SECONDS = 0.1;

const silence = (seconds: number): Burst => ({ hertz: [], seconds });
const RING: readonly Burst[] = [{ hertz: [440, 480], seconds: 1 }, silence(1.5)];

const SOUNDS = new Map<string, readonly Burst[]>([
  ['incoming', [...RING, ...RING]],
  ['outgoing', [{ hertz: [350, 440], seconds: 0.25 }]],
  ['disconnect', [{ hertz: [480, 620], seconds: 0.15 }, silence(0.1), { hertz: [480, 620], seconds: 0.15 }]],
  ...[...KEYS].map((key, index): [string, readonly Burst[]] => [`dtmf${nameOf(key)}`, [keyTone(index)]]),
]);

/** Serves the sounds of the browser SDK, so that a page asks nobody else for them. */
export function addSdkSounds(app: FastifyInstance): void {
  const made = new Map<string, Buffer>();
  app.get<{ Params: { name: string } }>(`${SDK_SOUNDS_PATH}/:name.mp3`, async (request, reply) => {
    const bursts = SOUNDS.get(request.params.name);
    if (bursts === undefined) return reply.callNotFound();
    const wav = made.get(request.params.name) ?? wavOf(bursts);
    made.set(request.params.name, wav);
    // Browsers tell a sound by its bytes, not by its name.
    return reply
      .headers({ 'access-control-allow-origin': '*', 'cache-control': `public, max-age=${DAY_SECONDS}` })
      .type('audio/wav')
      .send(wav);
  });
}

function nameOf(key: string): string {
  if (key === '*') return 's';
  return key === '#' ? 'h' : key;
}

function keyTone(index: number): Burst {
  const hertz = [KEY_ROWS[Math.floor(index / 3)] ?? 0, KEY_COLUMNS[index % 3] ?? 0];
  return { hertz, seconds: KEY_SECONDS };
}

/** PCM, 16 bit, one channel. */
function wavOf(bursts: readonly Burst[]): Buffer {
  const samples = bursts.flatMap(samplesOf);
  const wav = Buffer.alloc(WAV_HEADER_BYTES + samples.length * 2);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(wav.length - 8, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(SAMPLE_RATE, 24);
  wav.writeUInt32LE(SAMPLE_RATE * 2, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(samples.length * 2, 40);
  samples.forEach((sample, index) => wav.writeInt16LE(sample, WAV_HEADER_BYTES + index * 2));
  return wav;
}

function samplesOf({ hertz, seconds }: Burst): number[] {
  const count = Math.round(seconds * SAMPLE_RATE);
  return Array.from({ length: count }, (_, index) => {
    const fade = Math.min(1, index / FADE_SAMPLES, (count - 1 - index) / FADE_SAMPLES);
    const sum = hertz.reduce((total, each) => total + Math.sin((2 * Math.PI * each * index) / SAMPLE_RATE), 0);
    return Math.round(AMPLITUDE * fade * sum);
  });
}
