import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Account } from '../../comms/model.ts';
import { signCapabilityToken } from '../../grant/capability-token.ts';
import { ApiError, badParameter } from '../api-error.ts';
import { authenticate } from '../authentication.ts';
import { isFromOwnPage, isFromThisMachine } from './admission.ts';
import { numbersOf, type ConsolePorts } from './console-ports.ts';
import { LiveEvents } from './live-events.ts';
import { addOwnTwiml } from './own-twiml-routes.ts';
import { OWN_TWIML_PATH } from './own-twiml.ts';
import { addPage } from './page-routes.ts';
import { Sessions } from './sessions.ts';
import { VisitorPace } from './visitor-pace.ts';

export const CONSOLE_PREFIX = '/console';
/** Requests of one address; a page makes a handful. */
const REQUEST_PACE = { ratePerSecond: 20, burst: 100 };
/** Attempts to show credentials, of one address. */
const LOGIN_PACE = { ratePerSecond: 1 / 3, burst: 5 };
const PHONE_TOKEN_SECONDS = 3600;
const MAX_TEXT_CHARS = 128;
const IDENTITY = /^browser-[a-z0-9]{4,16}$/;

/** The first page at `/`, and the door behind it: the account, a phone, the calls as they happen. */
export function registerConsole(app: FastifyInstance, ports: ConsolePorts): void {
  addPage(app, ports);
  app.register(
    (scope, _options, done) => {
      addOwnTwiml(scope, ports);
      scope.register((guarded, _none, ready) => {
        addRoutes(guarded, ports);
        ready();
      });
      done();
    },
    { prefix: CONSOLE_PREFIX },
  );
}

function addRoutes(scope: FastifyInstance, ports: ConsolePorts): void {
  const { clock, records, accountSid } = ports;
  const sessions = new Sessions(clock, ports.random);
  const logins = new VisitorPace(clock, LOGIN_PACE);
  const events = new LiveEvents(ports);
  const account = (): Promise<Account> => mainAccount(ports);
  guard(scope, ports, sessions);
  scope.addContentTypeParser<string>(
    'application/json',
    { parseAs: 'string' },
    async (_: FastifyRequest, text: string) => parseJson(text),
  );

  scope.get('/session', async (request) => ({
    account: { sid: accountSid, name: (await account()).friendlyName },
    isLocal: isTrusted(request, ports),
    phones: await ports.phones(),
    numbers: await numbersOf(ports),
    homeDomain: ports.homeDomain,
    welcomeUrl: `${ports.ownUrl()}${OWN_TWIML_PATH}/welcome`,
    about: ports.about(),
  }));
  scope.post('/session', async (request, reply) => {
    logins.take(request.ip);
    const pair = `${textIn(request, 'accountSid')}:${textIn(request, 'authToken')}`;
    const caller = await authenticate(`Basic ${Buffer.from(pair).toString('base64')}`, records).catch(withoutChallenge);
    if (caller.account.sid !== accountSid || caller.byKey) {
      throw new ApiError({
        status: 403,
        code: 20403,
        message: 'Want the main account of this place and its auth token',
      });
    }
    const secure = 'encrypted' in request.raw.socket;
    return reply.code(204).header('set-cookie', sessions.open({ secure })).send();
  });
  scope.delete('/session', async (request, reply) =>
    reply.code(204).header('set-cookie', sessions.close(request.headers.cookie)).send(),
  );
  scope.get('/auth-token', async () => ({ authToken: (await account()).authToken }));
  scope.post('/phone-token', async (request) => {
    const token = await signCapabilityToken({
      ...{ accountSid, authToken: (await account()).authToken, identity: identityIn(request) },
      ...{ outgoingApplicationSid: ports.applicationSid, nowMs: clock.now(), ttlSeconds: PHONE_TOKEN_SECONDS },
    });
    return { token, ttlSeconds: PHONE_TOKEN_SECONDS };
  });
  scope.post('/call-me', async (request, reply) => {
    const identity = identityIn(request);
    const [number] = await numbersOf(ports);
    if (number === undefined) {
      throw badParameter(21_210, 'The account has no number to call from; add one: tandem number add +12025550100');
    }
    const call = await ports.calls.create(await account(), {
      to: { kind: 'client', identity },
      from: { kind: 'number', number: number.phoneNumber },
      plan: { url: `${ports.ownUrl()}${OWN_TWIML_PATH}/welcome`, method: 'POST' },
    });
    return reply.code(201).send({ sid: call.sid });
  });
  scope.get('/events', (request, reply) => {
    const watched = new URL(request.originalUrl, 'http://local').searchParams.get('watch') ?? undefined;
    return events.send(request, reply, watched);
  });
  scope.addHook('preClose', async () => events.close());
}

/** A challenge would open the browser's own window for passwords, and the page would hear nothing of the refusal. */
function withoutChallenge(error: unknown): never {
  if (!(error instanceof ApiError) || error.status !== 401) throw error;
  throw new ApiError({
    status: 401,
    code: 20003,
    message: 'This is not the account sid of this place and its auth token',
  });
}

/** Who may: a person at this machine, or a browser that has shown the credentials; never another site's page. */
function guard(scope: FastifyInstance, ports: ConsolePorts, sessions: Sessions): void {
  const requests = new VisitorPace(ports.clock, REQUEST_PACE);
  scope.addHook('onRequest', async (request, reply) => {
    void reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
    requests.take(request.ip);
    if (!isFromOwnPage(request.headers)) {
      throw new ApiError({ status: 403, code: 20403, message: 'Pages of other sites may not use this server' });
    }
    const isLogin = request.method === 'POST' && request.routeOptions.url === `${CONSOLE_PREFIX}/session`;
    if (isLogin || isTrusted(request, ports) || sessions.has(request.headers.cookie)) return;
    // Without WWW-Authenticate: the page itself asks, not the browser's own window.
    throw new ApiError({ status: 401, code: 20003, message: 'Show the account sid and its auth token first' });
  });
}

function isTrusted(request: FastifyRequest, { trustLoopback }: ConsolePorts): boolean {
  const { headers, raw } = request;
  return (
    trustLoopback &&
    isFromThisMachine({ remoteAddress: raw.socket.remoteAddress, headers, httpVersion: raw.httpVersion })
  );
}

async function mainAccount({ records, accountSid }: ConsolePorts): Promise<Account> {
  const account = await records.accounts.find(accountSid);
  if (account === undefined) throw new Error(`the main account ${accountSid} is gone`);
  return account;
}

function identityIn(request: FastifyRequest): string {
  const identity = textIn(request, 'identity');
  if (!IDENTITY.test(identity)) throw badParameter(20_001, 'identity: want browser- and 4 to 16 letters or digits');
  return identity;
}

function textIn({ body }: FastifyRequest, key: string): string {
  const value: unknown = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[key] : undefined;
  if (typeof value === 'string' && value.length <= MAX_TEXT_CHARS) return value;
  throw badParameter(20_001, `${key}: want a text of at most ${MAX_TEXT_CHARS} characters`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw badParameter(20_001, 'the body is not JSON');
  }
}
