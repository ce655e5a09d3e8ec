import type { FastifyInstance } from 'fastify';

/** What SDKs post what they saw to, on a host of its own (`eventgw.…`); with a name server it is this place. */
export const SDK_TELEMETRY_PATHS = ['/v4/EndpointEvents', '/v4/EndpointMetrics'] as const;
const MAX_BODY_BYTES = 65_536;
const PREFLIGHT_SECONDS = 86_400;

/** Takes the telemetry of browser SDKs and keeps nothing of it, so that a page neither fails nor asks another host. */
export function addSdkTelemetry(app: FastifyInstance): void {
  app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES }, async () => undefined);
    for (const path of SDK_TELEMETRY_PATHS) {
      scope.options(path, async (request, reply) =>
        reply
          .headers({
            'access-control-allow-origin': '*',
            'access-control-allow-methods': 'POST',
            'access-control-allow-headers': 'content-type, x-twilio-token',
            'access-control-max-age': PREFLIGHT_SECONDS,
            // A page of the outer network asks a private address (Private Network Access).
            ...(request.headers['access-control-request-private-network'] === undefined
              ? {}
              : { 'access-control-allow-private-network': 'true' }),
          })
          .code(204)
          .send(),
      );
      scope.post(path, { config: { anyPage: true } }, async (_request, reply) =>
        reply.header('access-control-allow-origin', '*').code(204).send(),
      );
    }
    done();
  });
}
