import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import { errorText } from '../base/errors.ts';
import { quoted } from '../base/parsed.ts';
import { HttpError } from './http-error.ts';

export const ACCEPTED_ENCODINGS = 'gzip, deflate, br';
const MAX_ENCODINGS = 2;

type Decoder = (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Promise<Uint8Array>;

const gunzipBytes: Decoder = promisify(gunzip);
const inflateBytes: Decoder = promisify(inflate);
const inflateRawBytes: Decoder = promisify(inflateRaw);
const brotliBytes: Decoder = promisify(brotliDecompress);

const DEFLATE_METHOD = 8;
// "deflate" means the zlib format (RFC 9110 8.4.1.2), but some servers send bare deflate data.
const deflateBytes: Decoder = (bytes, options) =>
  ((bytes[0] ?? 0) & 0x0f) === DEFLATE_METHOD ? inflateBytes(bytes, options) : inflateRawBytes(bytes, options);

const DECODERS: ReadonlyMap<string, Decoder> = new Map([
  ['gzip', gunzipBytes],
  ['x-gzip', gunzipBytes],
  ['deflate', deflateBytes],
  ['br', brotliBytes],
]);

/**
 * Undoes the `Content-Encoding` of a whole body. Stops as soon as the result exceeds `maxBytes` (HttpError `too-large`);
 * what is broken, cut off or in another coding is `protocol`.
 */
export async function decodeBody(
  body: Uint8Array,
  encoding: string | undefined,
  maxBytes: number,
): Promise<Uint8Array> {
  const names = (encoding ?? '').split(',').map((name) => name.trim().toLowerCase());
  const applied = names.filter((name) => name !== '' && name !== 'identity');
  if (applied.length > MAX_ENCODINGS) {
    throw new HttpError('protocol', `${applied.length} content codings: want at most ${MAX_ENCODINGS}`);
  }
  if (body.length === 0) return body;
  let bytes = body;
  for (const name of applied.reverse()) bytes = await undo(name, bytes, maxBytes);
  return bytes;
}

async function undo(name: string, bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const decoder = DECODERS.get(name);
  if (decoder === undefined)
    throw new HttpError('protocol', `content coding ${quoted(name)}: want ${ACCEPTED_ENCODINGS}`);
  try {
    return await decoder(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
      throw new HttpError('too-large', `the decoded body exceeds ${maxBytes} bytes`, { cause: error });
    }
    throw new HttpError('protocol', `the ${name} body is broken: ${errorText(error)}`, { cause: error });
  }
}
