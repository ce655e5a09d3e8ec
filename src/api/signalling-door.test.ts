import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { suite, test } from 'node:test';
import { fastify } from 'fastify';
import { systemClock } from '../base/clock.ts';
import { HoldBack, SILENCE } from '../base/hold-back.ts';
import { silentLogger } from '../base/logger.ts';
import type { WebphoneAgent } from '../webphone/webphone.ts';
import { serveSignalling } from './signalling-door.ts';
import { answerToHalfOpen } from '../testkit/half-open-client.ts';

const NOBODY = {} as WebphoneAgent;

suite('the door of browsers', () => {
  test(
    'an upgrade that is refused ends its connection, though the client keeps its half',
    { timeout: 10_000 },
    async (t) => {
      const app = fastify();
      const shape = { ...SILENCE, burst: 1, forgivenPerSecond: 1 };
      const forgedTokens = new HoldBack({ door: 'tokens', clock: systemClock, logger: silentLogger, shape });
      serveSignalling(app, { webphones: NOBODY, log: silentLogger, forgedTokens });
      await app.listen({ host: '127.0.0.1', port: 0 });
      const { port } = app.server.address() as AddressInfo;
      t.after(() => forgedTokens.close());
      const upgrade = 'GET /elsewhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
      assert.match(await answerToHalfOpen(t, port, upgrade), /^HTTP\/1\.1 404 /);
      // The server's close waits for every connection that it has handed over.
      await app.close();
    },
  );
});
