import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Clock } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import { HoldBack, SILENCE } from '../base/hold-back.ts';
import type { Logger } from '../base/logger.ts';
import type { CallCommands } from '../comms/call-commands.ts';
import { CommsError } from '../comms/comms-error.ts';
import type { Records } from '../comms/records/records.ts';
import { asApiError, errorBody, resourceNotFound } from './api-error.ts';
import { CredentialGuard, type Caller } from './authentication.ts';
import { answerBrokenClient } from './client-failures.ts';
import { addClientModule } from './client-module.ts';
import { addErrorPages } from './error-pages.ts';
import { refuseForeignPages } from './foreign-pages.ts';
import { parseParameters } from './parameters.ts';
import { addRecordingSound, type SoundOptions } from './recording-sound.ts';
import type { RecordingSounds, ResourceContext } from './resource.ts';
import { addResource, type RequestPace, type RestWatcher, type RouteContext } from './resource-routes.ts';
import { accessControlListResources } from './resources/access-control-lists.ts';
import { accountResources } from './resources/accounts.ts';
import { applicationResources } from './resources/applications.ts';
import { callResources } from './resources/calls.ts';
import { credentialListResources } from './resources/credential-lists.ts';
import { domainMappingResources } from './resources/domain-mappings.ts';
import { keyResources } from './resources/keys.ts';
import { notificationResources } from './resources/notifications.ts';
import { numberResources } from './resources/numbers.ts';
import { recordingResources } from './resources/recordings.ts';
import { sipDomainResources } from './resources/sip-domains.ts';
import { addSdkSounds } from './sdk-sounds.ts';
import { addSdkTelemetry } from './sdk-telemetry.ts';
import { userDefinedMessageResources } from './resources/user-defined-messages.ts';
import { tokenResources } from './resources/tokens.ts';
import { DEFAULT_RELAY, type RelaySettings } from './relay-credentials.ts';
import { routedUrl } from './routed-url.ts';

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null;
  }
}

const FORM = 'application/x-www-form-urlencoded';
const MAX_PATH_PARAMETER_CHARS = 100;
const MAX_HEADER_BYTES = 16_384;

export interface ApiLimits {
  readonly maxBodyBytes: number;
  /** From the first byte of a request to its last. */
  readonly requestTimeoutMs: number;
  readonly headersTimeoutMs: number;
  /** A connection without a request. Longer than clients keep theirs, so that they are the ones who close. */
  readonly keepAliveTimeoutMs: number;
  /** A connection on which nothing moves, while an answer is sent too. */
  readonly idleTimeoutMs: number;
}

export const DEFAULT_API_LIMITS: ApiLimits = {
  maxBodyBytes: 262_144,
  requestTimeoutMs: 30_000,
  headersTimeoutMs: 10_000,
  keepAliveTimeoutMs: 72_000,
  idleTimeoutMs: 120_000,
};

export interface ApiOptions {
  readonly records: Records;
  readonly calls: CallCommands;
  readonly sounds: RecordingSounds;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Base of absolute links. As a function it is asked for each link: port 0 is known only after listening. */
  readonly publicUrl: string | (() => string);
  /** Default: no limit. */
  readonly pace?: RequestPace;
  /** Default true: whoever knows the address of a recording may listen to it. */
  readonly openRecordings?: boolean;
  /** Looks on at what was asked and answered; must not throw. */
  readonly watch?: RestWatcher;
  /** Wrong credentials; the other doors may share it. Default: nobody is held back. */
  readonly guard?: CredentialGuard;
  /** STUN and TURN servers that browsers are told of; default: none. */
  readonly relay?: RelaySettings;
  readonly limits?: Partial<ApiLimits>;
}

/** The REST API of 2010-04-01, with `/health` and the pages of errors. Not listening yet; `close()` ends it. */
export function buildApi(options: ApiOptions): FastifyInstance {
  const { records, calls, sounds, clock, logger, publicUrl } = options;
  const baseUrl = (): string => (typeof publicUrl === 'string' ? publicUrl : publicUrl()).replace(/\/+$/, '');
  const context: SoundOptions & RouteContext = {
    records,
    calls,
    sounds,
    clock,
    logger,
    publicUrl: baseUrl,
    pace: options.pace ?? (() => 0),
    openRecordings: options.openRecordings ?? true,
    watch: options.watch,
    guard: options.guard ?? openGuard(clock, logger),
  };
  const app = createApp(context, { ...DEFAULT_API_LIMITS, ...options.limits });
  app.decorateRequest('caller', null);
  refuseForeignPages(app);
  readForms(app);
  answerErrors(app, context);
  app.get('/health', async () => ({ status: 'ok' }));
  addErrorPages(app);
  addSdkSounds(app);
  addClientModule(app);
  addSdkTelemetry(app);
  addRecordingSound(app, context);
  const resources = [...resourcesOf(context), ...tokenResources(context, options.relay ?? DEFAULT_RELAY)];
  for (const resource of resources) addResource(app, resource, context);
  return app;
}

function openGuard(clock: Clock, logger: Logger): CredentialGuard {
  const shape = { ...SILENCE, burst: 1, forgivenPerSecond: 1, firstMs: 0 };
  return new CredentialGuard(new HoldBack({ door: 'HTTP', clock, logger, shape }));
}

function resourcesOf(context: ResourceContext): ReturnType<typeof accountResources> {
  return [
    ...accountResources(context),
    ...keyResources(context),
    ...numberResources(context),
    ...applicationResources(context),
    ...callResources(context),
    ...userDefinedMessageResources(context),
    ...recordingResources(context),
    ...notificationResources(context),
    ...sipDomainResources(context),
    ...credentialListResources(context),
    ...domainMappingResources(context),
    ...accessControlListResources(context),
  ];
}

function createApp(context: ResourceContext, limits: ApiLimits): FastifyInstance {
  return fastify({
    logger: false,
    bodyLimit: limits.maxBodyBytes,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionTimeout: limits.idleTimeoutMs,
    forceCloseConnections: 'idle',
    http: {
      headersTimeout: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs),
      connectionsCheckingInterval: Math.min(1000, limits.requestTimeoutMs / 4),
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    // Queries are read by their handlers, with the same rules as forms.
    routerOptions: { maxParamLength: MAX_PATH_PARAMETER_CHARS, querystringParser: () => ({}) },
    rewriteUrl: (request) => routedUrl(request.method ?? 'GET', request.url ?? '/'),
    clientErrorHandler: (error, socket) => answerBrokenClient(error, socket, context.publicUrl()),
    frameworkErrors: (error, request, reply) => sendError(error, request, reply, context),
  });
}

/** Only forms are taken. They are parsed inside the promise: what a parser throws there becomes an answer. */
function readForms(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(FORM, { parseAs: 'string' }, async (_request: FastifyRequest, body: string) =>
    parseParameters(body),
  );
}

function answerErrors(app: FastifyInstance, context: ResourceContext): void {
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply, context));
  app.setNotFoundHandler((request, reply) => sendError(resourceNotFound(pathOf(request)), request, reply, context));
}

function sendError(thrown: unknown, request: FastifyRequest, reply: FastifyReply, context: ResourceContext): void {
  const error = asApiError(thrown);
  // What the service refuses itself (a full disk, overload) is no fault of this door, and told where it arises.
  if (error.status >= 500 && !(thrown instanceof CommsError)) {
    const details = { error: errorText(thrown), stack: thrown instanceof Error ? thrown.stack : undefined };
    context.logger.error({ method: request.method, path: pathOf(request), ...details }, 'a request failed');
  }
  void reply.code(error.status).headers(error.headers).type('application/json; charset=utf-8');
  void reply.send(JSON.stringify(errorBody(error, context.publicUrl())));
}

function pathOf(request: FastifyRequest): string {
  return (request.originalUrl.split('?', 1)[0] ?? '').slice(0, 200);
}
