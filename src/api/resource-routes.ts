import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Account } from '../comms/model.ts';
import { ApiError, DOOR_FAULTS, resourceNotFound } from './api-error.ts';
import { inactive, type Caller, type CredentialGuard } from './authentication.ts';
import { Parameters, parseParameters } from './parameters.ts';
import { API_VERSION, type Handler, type Resource, type ResourceContext } from './resource.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
const NO_FORM = new Parameters(new Map());

/** How many requests an account may make. Returns 0, or the milliseconds after which a repeat may work. */
export type RequestPace = (accountSid: string) => number;

export interface RouteContext extends ResourceContext {
  readonly pace: RequestPace;
  /** Looks on at what was asked and answered; must not throw. */
  readonly watch?: RestWatcher | undefined;
  readonly guard: CredentialGuard;
}

/** A request that was served, and what it got. */
export type RestWatcher = (served: {
  readonly method: string;
  readonly path: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>> | undefined;
  readonly userAgent: string;
}) => void;

/** Registers a resource: its methods, OPTIONS, and 405 for the rest. */
export function addResource(app: FastifyInstance, resource: Resource, context: RouteContext): void {
  const url = `/${API_VERSION}${resource.path}`;
  const handlers: Partial<Record<string, Handler | undefined>> = {
    GET: resource.get,
    POST: resource.post,
    DELETE: resource.delete,
  };
  const present = METHODS.filter((method) => handlers[method] !== undefined);
  const allow = [...present, ...(resource.get === undefined ? [] : ['HEAD']), 'OPTIONS'].join(', ');
  for (const method of METHODS) {
    const handler = handlers[method];
    app.route({
      method,
      url,
      // Before the body is read: nobody without credentials makes the server take one.
      onRequest: async (request) => {
        request.caller = await context.guard.authenticate(
          { header: request.headers.authorization, address: request.ip },
          context.records,
        );
        checkPace(request.caller, context);
        if (handler === undefined) throw methodNotAllowed(method, allow);
      },
      handler: async (request, reply) => {
        if (handler === undefined) throw methodNotAllowed(method, allow);
        await answer(request, reply, { resource, handler, context });
      },
    });
  }
  app.options(url, async (_request, reply) => reply.code(204).header('allow', allow).send());
}

interface Route {
  readonly resource: Resource;
  readonly handler: Handler;
  readonly context: RouteContext;
}

async function answer(request: FastifyRequest, reply: FastifyReply, route: Route): Promise<void> {
  const { resource, handler, context } = route;
  const caller = request.caller;
  if (caller === null) throw new Error('a route without authentication');
  const [path = '', encodedQuery = ''] = splitOnce(request.url, '?');
  const ids = request.params as Readonly<Record<string, string>>;
  if (Object.values(ids).some((id) => !/^[A-Za-z0-9.]+$/.test(id))) throw resourceNotFound(path);
  const account = await pathAccount(ids['AccountSid'], caller, context, path);
  checkRights(request.method, { resource, caller, account });
  const query = parseParameters(encodedQuery);
  const form = request.body instanceof Parameters ? request.body : NO_FORM;
  const { status, body } = await handler({ caller, account, path, ids, query, form });
  const userAgent = request.headers['user-agent'] ?? '';
  const asked = request.originalUrl.split('?', 1)[0] ?? '';
  context.watch?.({ method: request.method, path: asked, parameters: form.firsts(), status, body, userAgent });
  await reply.code(status).send(body);
}

/** The caller's own account or a sub-account of it; others are not found. */
async function pathAccount(
  sid: string | undefined,
  caller: Caller,
  context: RouteContext,
  path: string,
): Promise<Account> {
  if (sid === undefined || sid === caller.account.sid) return caller.account;
  const account = await context.records.accounts.find(sid);
  if (account === undefined || account.ownerAccountSid !== caller.account.sid) throw resourceNotFound(path);
  return account;
}

function checkRights(
  method: string,
  { resource, caller, account }: { resource: Resource; caller: Caller; account: Account },
): void {
  if (resource.ownerOnly === true && caller.byKey) {
    const message = 'An API key cannot manage accounts and keys: use the account sid with its auth token';
    throw new ApiError({ status: 403, code: 20403, message });
  }
  const reading = method === 'GET' || method === 'HEAD';
  if (account.status !== 'active' && !reading && resource.anyStatus !== true) throw inactive(account);
}

function checkPace(caller: Caller, context: RouteContext): void {
  const waitMs = context.pace(caller.account.sid);
  if (waitMs <= 0) return;
  const headers = { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))) };
  throw new ApiError({ status: 429, code: 20429, message: DOOR_FAULTS[20429], headers });
}

function methodNotAllowed(method: string, allow: string): ApiError {
  return new ApiError({
    status: 405,
    code: 20004,
    message: `${method} is not allowed here: want one of ${allow}`,
    headers: { allow },
  });
}

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
