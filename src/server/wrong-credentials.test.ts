import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { fastify } from 'fastify';
import type { AddressInfo } from 'node:net';
import { WebSocket } from 'ws';
import { HoldBack, SILENCE } from '../base/hold-back.ts';
import { silentLogger } from '../base/logger.ts';
import { systemClock } from '../base/clock.ts';
import { systemRandom } from '../base/random.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import type { Account } from '../comms/model.ts';
import type { Records } from '../comms/records/records.ts';
import { MemoryDirectory } from '../directory/memory.ts';
import { openWebphoneAgent } from '../webphone/open-webphone-agent.ts';
import { serializeClientMessage } from '../wire/webphone/client-message.ts';
import { ApiError } from '../api/api-error.ts';
import { CredentialGuard } from '../api/authentication.ts';
import { serveSignalling } from '../api/signalling-door.ts';

const SHAPE = { ...SILENCE, burst: 5, forgivenPerSecond: 0.001 };
const SID = `AC${'1'.repeat(32)}`;
const OTHER = `AC${'2'.repeat(32)}`;
const records = {
  accounts: { find: async (sid: string) => ({ sid, authToken: 'right', status: 'active' }) as Account },
} as unknown as Records;

function openGuard(): {
  readonly clock: VirtualClock;
  ask(password: string | undefined, options?: { sid?: string; address?: string }): Promise<number>;
} {
  const clock = new VirtualClock(1_000_000);
  const guard = new CredentialGuard(new HoldBack({ door: 'HTTP', clock, logger: silentLogger, shape: SHAPE }));
  return {
    clock,
    ask: async (password, { sid = SID, address = '203.0.113.9' } = {}) => {
      const header = password === undefined ? undefined : `Basic ${btoa(`${sid}:${password}`)}`;
      try {
        await guard.authenticate({ header, address }, records);
        return 200;
      } catch (error) {
        assert.ok(error instanceof ApiError);
        if (error.status === 429) assert.ok(Number(error.headers['retry-after']) > 0);
        return error.status;
      }
    },
  };
}

test('an address that sends wrong credentials is refused without a look, for a while', async () => {
  const { ask, clock } = openGuard();
  for (let index = 0; index < 5; index += 1) assert.equal(await ask(`wrong${index}`), 401);
  assert.equal(await ask('right'), 429, 'right or wrong is not told');
  assert.equal(await ask('right', { address: '203.0.113.10' }), 200);
  await clock.advance(SILENCE.firstMs);
  assert.equal(await ask('right'), 200);
});

test('credentials that were right from an address go on being right, whatever else comes from there', async () => {
  const { ask } = openGuard();
  assert.equal(await ask('right'), 200);
  for (let index = 0; index < 20; index += 1) await ask('wrong', { sid: OTHER });
  assert.equal(await ask('right', { sid: OTHER }), 429);
  assert.equal(await ask('right'), 200);
});

test('requests without credentials, and those of this machine, are not held against anybody', async () => {
  const { ask } = openGuard();
  for (let index = 0; index < 20; index += 1) assert.equal(await ask(undefined), 401);
  for (let index = 0; index < 20; index += 1) assert.equal(await ask('wrong', { address: '127.0.0.1' }), 401);
  assert.equal(await ask('right', { address: '127.0.0.1' }), 200);
  assert.equal(await ask('right'), 200);
});

test('an address whose browsers show forged tokens gets no more sockets; one that showed a good one does', async (t) => {
  const app = fastify();
  const directory = new MemoryDirectory({ clock: systemClock, logger: silentLogger });
  const webphones = openWebphoneAgent({
    ...{ clock: systemClock, random: systemRandom, log: silentLogger, directory },
    admission: {
      admit: async (token) =>
        token === 'forged'
          ? { kind: 'refused', code: 31202, reason: 'the signature is wrong' }
          : {
              kind: 'ok',
              grant: {
                ...{ accountSid: 'AC1', identity: token, incoming: true, outgoingApplicationSid: undefined },
                ...{ outgoingParameters: {}, expiresAt: systemClock.now() + 60_000 },
              },
            },
    },
  });
  const forgedTokens = new HoldBack({ door: 'tokens', clock: systemClock, logger: silentLogger, shape: SHAPE });
  serveSignalling(app, { webphones, log: silentLogger, forgedTokens, isExempt: () => false });
  t.after(async () => {
    webphones.close();
    forgedTokens.close();
    await app.close();
    directory.close();
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const open = async (localAddress: string): Promise<WebSocket | number> => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/signal`, { localAddress });
    const refused = new Promise<number>((resolve) => {
      socket.once('unexpected-response', (_request, { statusCode = 0 }) => {
        socket.on('error', () => undefined);
        socket.terminate();
        resolve(statusCode);
      });
    });
    return Promise.race([once(socket, 'open').then(() => socket), refused]);
  };
  const listen = async (socket: WebSocket | number, token: string): Promise<void> => {
    assert.ok(socket instanceof WebSocket, `refused with ${typeof socket === 'number' ? socket : ''}`);
    socket.send(serializeClientMessage({ type: 'listen', token, userAgent: 'test' }));
    await once(socket, 'message');
  };
  await listen(await open('127.0.0.3'), 'jenny');
  for (const address of ['127.0.0.2', '127.0.0.3']) {
    for (let forged = 0; forged < 6;) {
      const socket = await open(address);
      if (address === '127.0.0.2' && socket === 429) break;
      assert.ok(socket instanceof WebSocket);
      const closed = once(socket, 'close');
      for (let tries = 0; tries < 3; tries += 1, forged += 1) await listen(socket, 'forged');
      const [code] = (await closed) as [number];
      assert.equal(code, 1008, 'three wrong tokens end a socket');
    }
  }
  assert.deepEqual(
    forgedTokens
      .view()
      .map(({ source }) => source)
      .toSorted(),
    ['127.0.0.2', '127.0.0.3'],
  );
  assert.equal(await open('127.0.0.2'), 429);
  await listen(await open('127.0.0.3'), 'jenny');
});
