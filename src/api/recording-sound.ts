import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ApiError, resourceNotFound } from './api-error.ts';
import type { CredentialGuard } from './authentication.ts';
import { API_VERSION, type ResourceContext } from './resource.ts';

const CONTENT_TYPE = 'audio/x-wav';
// What is stored under a sid never changes, but it may be deleted.
const CACHE_CONTROL = 'private, max-age=0, must-revalidate';

export interface SoundOptions extends ResourceContext {
  /** Anybody who knows the address (128 random bits) may listen, as applications expect of a RecordingUrl. */
  readonly openRecordings: boolean;
  readonly guard: CredentialGuard;
}

/**
 * The sound of a recording: `.../Recordings/RE...` and `.../Recordings/RE....wav`, whole or by Range (RFC 9110 14). The
 * router gets them as `/Sound` and `/Sound.wav`, see `routedUrl`.
 */
export function addRecordingSound(app: FastifyInstance, options: SoundOptions): void {
  const url = `/${API_VERSION}/Accounts/:AccountSid/Recordings/:Sid`;
  const handler = (request: FastifyRequest, reply: FastifyReply): Promise<unknown> =>
    sendSound(request, reply, options);
  for (const name of ['Sound', 'Sound.wav']) {
    // HEAD has a route of its own: the framework's would read the whole file to count its bytes.
    app.get(`${url}/${name}`, { exposeHeadRoute: false }, handler);
    app.head(`${url}/${name}`, handler);
  }
  app.get(`${url}/Sound.mp3`, async () => {
    const message = 'Recordings are kept as WAV: ask for the same address with .wav, or without a suffix';
    throw new ApiError({ status: 406, code: 20406, message });
  });
}

async function sendSound(request: FastifyRequest, reply: FastifyReply, options: SoundOptions): Promise<unknown> {
  const { AccountSid = '', Sid = '' } = request.params as Readonly<Record<string, string>>;
  await checkListener(request, AccountSid, options);
  const path = await soundPath(AccountSid, Sid, options);
  if (path === undefined) throw resourceNotFound(`/Recordings/${Sid}`);
  const { size } = await stat(path.file);
  const etag = `"${path.blobId}"`;
  void reply.headers({ 'accept-ranges': 'bytes', etag, 'cache-control': CACHE_CONTROL });
  if (request.headers['if-none-match'] === etag) return reply.code(304).send();
  const ifRange = request.headers['if-range'];
  const wanted = ifRange === undefined || ifRange === etag ? request.headers.range : undefined;
  const range = parseRange(wanted, size);
  if (range === 'unsatisfiable') {
    const headers = { 'content-range': `bytes */${size}` };
    throw new ApiError({ status: 416, code: 20416, message: `The recording has ${size} bytes`, headers });
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  if (range !== undefined) void reply.code(206).header('content-range', `bytes ${start}-${end}/${size}`);
  void reply.type(CONTENT_TYPE).header('content-length', end - start + 1);
  if (request.method === 'HEAD' || size === 0) return reply.send('');
  return reply.send(createReadStream(path.file, { start, end }));
}

/** Credentials that are given must be right, also where none are needed. */
async function checkListener(request: FastifyRequest, accountSid: string, options: SoundOptions): Promise<void> {
  const { authorization } = request.headers;
  if (options.openRecordings && authorization === undefined) return;
  const { account } = await options.guard.authenticate({ header: authorization, address: request.ip }, options.records);
  if (account.sid === accountSid) return;
  const owner = (await options.records.accounts.find(accountSid))?.ownerAccountSid;
  if (owner !== account.sid) throw resourceNotFound('');
}

async function soundPath(
  accountSid: string,
  sid: string,
  { records, sounds }: SoundOptions,
): Promise<{ readonly file: string; readonly blobId: string } | undefined> {
  if (!/^RE[0-9a-f]{32}$/.test(sid)) return undefined;
  const account = /^AC[0-9a-f]{32}$/.test(accountSid) ? await records.accounts.find(accountSid) : undefined;
  const recording = account && (await records.recordings.find(account.sid, sid));
  if (recording === undefined || recording.blobId === null) return undefined;
  const file = sounds.path(recording.blobId);
  return file === undefined ? undefined : { file, blobId: recording.blobId };
}

interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** One range. Several, or another unit, may be ignored (RFC 9110 14.2): then the whole is sent. */
export function parseRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.replaceAll(' ', '') ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return undefined;
  return start >= size ? 'unsatisfiable' : { start, end };
}
