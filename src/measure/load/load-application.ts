import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { formatEndpoint } from '../../base/network.ts';

const MAX_BODY_BYTES = 65_536;
const WAV_HEADER_BYTES = 44;
const SAMPLES_PER_SECOND = 8_000;
const TONE_SECONDS = 10;
const TONE_HERTZ = 440;
const TONE_PEAK = 8_000;

export interface LoadApplication {
  readonly voiceUrl: string;
  /** How often it was asked for the call from this number. */
  asked(from: string): number;
  /** Requests for calls that nobody placed. */
  readonly strangers: number;
  close(): Promise<void>;
}

export interface LoadApplicationOptions {
  readonly address: string;
  /** Unguessable part of its paths. */
  readonly secret: string;
  /** The caller's place in the run, by its number; undefined: none of ours. */
  indexOf(from: string): number | undefined;
  readonly maxCalls: number;
  readonly holdSeconds: number;
  readonly sound: boolean;
}

/** The web application behind the temporary number: it keeps the call up, silent or with a tone. */
export async function startLoadApplication(options: LoadApplicationOptions): Promise<LoadApplication> {
  const { secret, indexOf } = options;
  const asked = new Uint8Array(options.maxCalls);
  const tone = options.sound ? toneFile() : new Uint8Array();
  let strangers = 0;
  let twiml = '';
  const server = createServer((request, response) => {
    if (request.url === `/${secret}/tone.wav`) {
      return response.setHeader('content-type', 'audio/wav').setHeader('cache-control', 'max-age=3600').end(tone);
    }
    if (request.url !== `/${secret}/voice`) return response.writeHead(404).end();
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part;
      if (body.length > MAX_BODY_BYTES) request.destroy();
    });
    request.on('end', () => {
      const index = indexOf(new URLSearchParams(body).get('From') ?? '');
      if (index === undefined) strangers += 1;
      else asked[index] = Math.min(255, (asked[index] ?? 0) + 1);
      response.setHeader('content-type', 'text/xml').end(twiml);
    });
    return undefined;
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, options.address, () => resolve());
  });
  const at = { address: options.address, port: (server.address() as AddressInfo).port };
  const base = `http://${formatEndpoint(at)}/${secret}`;
  // Longer than any call of the run: the caller hangs up.
  const verb = options.sound
    ? `<Play loop="${Math.ceil((options.holdSeconds + 60) / TONE_SECONDS)}">${base}/tone.wav</Play>`
    : `<Gather timeout="${options.holdSeconds + 60}"/>`;
  twiml = `<?xml version="1.0"?><Response>${verb}</Response>`;
  return {
    voiceUrl: `${base}/voice`,
    asked: (from) => asked[indexOf(from) ?? -1] ?? 0,
    get strangers() {
      return strangers;
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Ten seconds of a sine, as PCM in a WAV file (RIFF). */
function toneFile(): Uint8Array {
  const samples = SAMPLES_PER_SECOND * TONE_SECONDS;
  const file = new DataView(new ArrayBuffer(WAV_HEADER_BYTES + samples * 2));
  const text = (at: number, value: string): void => {
    for (let index = 0; index < value.length; index += 1) file.setUint8(at + index, value.charCodeAt(index));
  };
  text(0, 'RIFF');
  file.setUint32(4, file.byteLength - 8, true);
  text(8, 'WAVEfmt ');
  file.setUint32(16, 16, true);
  file.setUint16(20, 1, true);
  file.setUint16(22, 1, true);
  file.setUint32(24, SAMPLES_PER_SECOND, true);
  file.setUint32(28, SAMPLES_PER_SECOND * 2, true);
  file.setUint16(32, 2, true);
  file.setUint16(34, 16, true);
  text(36, 'data');
  file.setUint32(40, samples * 2, true);
  for (let index = 0; index < samples; index += 1) {
    const value = Math.round(TONE_PEAK * Math.sin((2 * Math.PI * TONE_HERTZ * index) / SAMPLES_PER_SECOND));
    file.setInt16(WAV_HEADER_BYTES + index * 2, value, true);
  }
  return new Uint8Array(file.buffer);
}
