import { PassThrough } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type, type Static, type TSchema } from 'typebox';
import Value from 'typebox/value';
import { after, type Cancel, type Clock } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import { quoted } from '../base/parsed.ts';
import { CommsError } from '../comms/comms-error.ts';
import type { NewPhone, NewTrunk } from '../comms/place.ts';
import type { DoorRequest } from './authentication.ts';
import type { Trust } from './trust/trust.ts';

export const CONTROL_PREFIX = '/tandem/v1';
/** Clients give up an answer that is silent for minutes: an empty line says that the server is there. */
const BEAT_MS = 60_000;
const MAX_LOG_LINES = 10_000;
const DEFAULT_LOG_LINES = 100;
/** A reader of logs that is slower than the server is cut off rather than kept in memory. */
const MAX_UNREAD_LOG_BYTES = 1_048_576;

const PhoneBody = Type.Object(
  {
    name: Type.String(),
    password: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    number: Type.Optional(Type.String()),
    script: Type.Optional(
      Type.Object(
        { name: Type.String({ minLength: 1, maxLength: 255 }), text: Type.String({ maxLength: 65_536 }) },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);

const TrunkBody = Type.Object(
  {
    name: Type.String(),
    uri: Type.String({ maxLength: 512 }),
    username: Type.Optional(Type.String({ maxLength: 128 })),
    password: Type.Optional(Type.String({ maxLength: 128 })),
    register: Type.Optional(Type.Boolean()),
    prefixes: Type.Optional(Type.Array(Type.String({ maxLength: 20 }), { maxItems: 100 })),
    maxCalls: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  },
  { additionalProperties: false },
);

/** What the place's own door asks of the running program. Objects become JSON as they are. */
export interface ControlPorts {
  readonly clock: Clock;
  /** True for the credentials of the place's main account. */
  authorize(request: DoorRequest): Promise<boolean>;
  status(): Promise<object>;
  /** What was refused since the start, by limit. */
  limits(): Promise<object>;
  /** Who is not answered for a while. */
  heldBack(): readonly object[];
  /** Ends the silences of an address, and says which. */
  free(address: string): readonly object[];
  stop(): void;
  phones(): Promise<readonly object[]>;
  addPhone(phone: NewPhone): Promise<object>;
  removePhone(name: string): Promise<void>;
  /** What others must know to trust this server: the authority's certificate, names, where HTTPS is. */
  trust(): Promise<Trust>;
  /** The last calls of a scripted phone. */
  phoneResults(name: string): Promise<readonly object[]>;
  /** Starts the call of a script that makes one; `call` is its number among the results. */
  runPhone(name: string): Promise<{ readonly call: number }>;
  /** What passed between the parties of a call; undefined: there is no such call. */
  trace(callSid: string): Promise<object | undefined>;
  trunks(): Promise<readonly object[]>;
  addTrunk(trunk: NewTrunk): Promise<object>;
  removeTrunk(name: string): Promise<void>;
  /** JSON lines, oldest first. */
  logLines(count: number): readonly string[];
  followLogs(line: (text: string) => void): { stop(): void };
}

/** The door that the `tandem` command uses: what the REST API has no words for. */
export function registerControlRoutes(app: FastifyInstance, ports: ControlPorts): void {
  app.register(
    (scope, _options, done) => {
      scope.addHook('onRequest', async (request, reply) => {
        if (await ports.authorize({ header: request.headers.authorization, address: request.ip })) return;
        await reply
          .code(401)
          .header('WWW-Authenticate', 'Basic realm="Tandem"')
          .send({ code: 20_003, message: 'want the account sid and auth token of this place', status: 401 });
      });
      scope.addContentTypeParser<string>(
        'application/json',
        { parseAs: 'string' },
        async (_request: FastifyRequest, text: string) => parseJson(text),
      );
      scope.get('/status', () => ports.status());
      scope.get('/limits', () => ports.limits());
      scope.get('/held-back', async () => ({ heldBack: ports.heldBack() }));
      scope.delete<{ Params: { address: string } }>('/held-back/:address', async ({ params: { address } }) => {
        const freed = ports.free(address);
        if (freed.length > 0) return { freed };
        throw new CommsError(
          'not-found',
          `${quoted(address)} is not held back: want an address as tandem strangers list shows it`,
          { faultCode: 20_404, httpStatus: 404 },
        );
      });
      scope.post('/stop', async (_request, reply) => {
        ports.stop();
        return reply.code(202).send({ stopping: true });
      });
      scope.get('/phones', async () => ({ phones: await ports.phones() }));
      scope.post('/phones', async (request, reply) =>
        reply.code(201).send(await ports.addPhone(body(PhoneBody, request))),
      );
      scope.delete<{ Params: { name: string } }>('/phones/:name', async (request, reply) => {
        await ports.removePhone(request.params.name);
        return reply.code(204).send();
      });
      scope.get('/trust', () => ports.trust());
      scope.get<{ Params: { name: string } }>('/phones/:name/results', async (request) => ({
        results: await ports.phoneResults(request.params.name),
      }));
      scope.post<{ Params: { name: string } }>('/phones/:name/run', async (request, reply) =>
        reply.code(202).send(await ports.runPhone(request.params.name)),
      );
      scope.get<{ Params: { sid: string } }>('/calls/:sid/trace', async (request) => {
        const trace = await ports.trace(request.params.sid);
        if (trace !== undefined) return trace;
        throw new CommsError(
          'not-found',
          `there is no call ${quoted(request.params.sid)}: want its sid, CA… (tandem calls lists them)`,
          { faultCode: 20_404, httpStatus: 404 },
        );
      });
      scope.get('/trunks', async () => ({ trunks: await ports.trunks() }));
      scope.post('/trunks', async (request, reply) =>
        reply.code(201).send(await ports.addTrunk(body(TrunkBody, request))),
      );
      scope.delete<{ Params: { name: string } }>('/trunks/:name', async (request, reply) => {
        await ports.removeTrunk(request.params.name);
        return reply.code(204).send();
      });
      const followers = new Set<PassThrough>();
      scope.get('/logs', (request, reply) => sendLogs(request, reply, { ports, followers }));
      // An answer that has no end of its own would keep the door open for ever.
      scope.addHook('preClose', async () => {
        for (const follower of followers) follower.end();
      });
      done();
    },
    { prefix: CONTROL_PREFIX },
  );
}

/** The body as the schema wants it, or a 400 that names the key. */
function body<Schema extends TSchema>(schema: Schema, request: FastifyRequest): Static<Schema> {
  const given: unknown = request.body;
  if (Value.Check(schema, given)) return given;
  const [first] = Value.Errors(schema, given).filter((error) => error.keyword !== 'boolean');
  throw badBody(complaint(first, Object.keys((schema as { properties?: object }).properties ?? {})));
}

interface SchemaError {
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
}

function complaint(error: SchemaError | undefined, known: readonly string[]): string {
  if (error === undefined) return 'the body cannot be used';
  const { additionalProperties: extra } = error.params as { additionalProperties?: readonly string[] };
  if (extra !== undefined) {
    return `${extra.map((key) => quoted(key)).join(', ')} is not a known key; known keys: ${known.join(', ')}`;
  }
  return `${error.instancePath === '' ? 'the body' : error.instancePath.slice(1)} ${error.message}`;
}

function badBody(message: string): CommsError {
  return new CommsError('refused', message, { faultCode: 20_001, httpStatus: 400 });
}

function parseJson(text: string): unknown {
  try {
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  } catch (error) {
    throw badBody(`the body is not JSON: ${errorText(error)}`);
  }
}

interface LogSources {
  readonly ports: ControlPorts;
  readonly followers: Set<PassThrough>;
}

function sendLogs(request: FastifyRequest, reply: FastifyReply, { ports, followers }: LogSources): FastifyReply {
  const query = new URL(request.originalUrl, 'http://local').searchParams;
  const lines = query.get('lines') ?? '';
  const wanted = /^\d{1,5}$/.test(lines) ? Number(lines) : DEFAULT_LOG_LINES;
  const stream = new PassThrough();
  for (const line of ports.logLines(Math.min(wanted, MAX_LOG_LINES))) stream.write(`${line}\n`);
  if (query.get('follow') !== 'true') {
    stream.end();
  } else {
    const following = ports.followLogs((line) => {
      if (stream.writableLength > MAX_UNREAD_LOG_BYTES) stream.destroy();
      else if (stream.writable) stream.write(`${line}\n`);
    });
    followers.add(stream);
    let stopBeating: Cancel = () => undefined;
    const beat = (): void => {
      if (stream.writable) stream.write('\n');
      stopBeating = after(ports.clock, BEAT_MS, beat);
    };
    beat();
    // Nothing may be logged for hours: the limit on idle connections is not for this one.
    request.raw.socket.setTimeout(0);
    stream.once('close', () => {
      stopBeating();
      followers.delete(stream);
      following.stop();
    });
  }
  return reply.type('application/x-ndjson').send(stream);
}
