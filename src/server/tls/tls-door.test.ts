import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { suite, test } from 'node:test';
import { fastify } from 'fastify';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { ConnectionLimit } from '../connection-limit.ts';
import { openTlsDoor } from './tls-door.ts';
import { answerToHalfOpen } from '../../testkit/half-open-client.ts';

suite('the door with TLS', () => {
  test(
    'a tunnel that is refused ends its connection, though the client keeps its half',
    { timeout: 10_000 },
    async (t) => {
      const app = fastify();
      const connections = new ConnectionLimit({ clock: systemClock, log: silentLogger });
      const certificates = (): never => assert.fail('nobody asks for a certificate');
      await openTlsDoor(app, { certificates, plan: undefined, log: silentLogger, connections });
      await app.listen({ host: '127.0.0.1', port: 0 });
      const { port } = app.server.address() as AddressInfo;
      t.after(() => connections.close());
      const tunnel = 'CONNECT bank.example:443 HTTP/1.1\r\nHost: bank.example:443\r\n\r\n';
      assert.match(await answerToHalfOpen(t, port, tunnel), /^HTTP\/1\.1 403 /);
      // The server's close waits for every connection that it has handed over.
      await app.close();
    },
  );
});
