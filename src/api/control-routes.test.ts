import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import Fastify, { type FastifyInstance, type LightMyRequestResponse } from 'fastify';
import { systemClock } from '../base/clock.ts';
import { CommsError } from '../comms/comms-error.ts';
import { atEnd } from '../testkit/scope.ts';
import { registerControlRoutes, type ControlPorts } from './control-routes.ts';

interface Door {
  readonly app: FastifyInstance;
  readonly asked: readonly [string, unknown?][];
  readonly followers: Set<(line: string) => void>;
}

function door(context: TestContext): Door {
  const asked: [string, unknown?][] = [];
  const followers = new Set<(line: string) => void>();
  const note = async (what: string, value?: unknown): Promise<object> => {
    asked.push([what, value]);
    return Promise.resolve({ what });
  };
  const ports: ControlPorts = {
    clock: systemClock,
    authorize: ({ header }) => Promise.resolve(header === 'Basic good'),
    status: () => note('status'),
    limits: () => note('limits'),
    heldBack: () => [{ source: 'a' }],
    free: (address) => (address === '2001:db8::1' ? [{ source: address }] : []),
    stop: () => asked.push(['stop']),
    trust: async () => ({ authority: 'PEM', names: [], endsAt: 0, vendorHosts: [] }),
    phones: async () => [await note('phones')],
    addPhone: (phone) => note('addPhone', phone),
    removePhone: async (name) => {
      if (name === 'nobody') throw new CommsError('not-found', 'no such phone', { faultCode: 20_404, httpStatus: 404 });
      await note('removePhone', name);
    },
    phoneResults: async (name) => [await note('phoneResults', name)],
    trace: async (sid) => (sid === 'unknown' ? undefined : note('trace', sid)),
    runPhone: async (name) => {
      await note('runPhone', name);
      return { call: 1 };
    },
    trunks: async () => [await note('trunks')],
    addTrunk: (trunk) => note('addTrunk', trunk),
    removeTrunk: async (name) => void (await note('removeTrunk', name)),
    logLines: (count) => (count === 0 ? [] : ['{"n":1}', '{"n":2}'].slice(-count)),
    followLogs: (line) => {
      followers.add(line);
      return { stop: () => void followers.delete(line) };
    },
  };
  const app = Fastify();
  app.setErrorHandler((error, _request, reply) => {
    const known = error instanceof CommsError ? error : undefined;
    return reply.code(known?.httpStatus ?? 500).send({ code: known?.faultCode, message: (error as Error).message });
  });
  registerControlRoutes(app, ports);
  atEnd(context, () => app.close());
  return { app, asked, followers };
}

const headers = { authorization: 'Basic good' };

suite('the control door', () => {
  test('opens to the place’s own credentials only', async (context) => {
    const { app, asked } = door(context);
    for (const authorization of [undefined, 'Basic bad']) {
      const answer = await app.inject({
        url: '/tandem/v1/status',
        headers: authorization === undefined ? {} : { authorization },
      });
      assert.equal(answer.statusCode, 401);
      assert.match(String(answer.headers['www-authenticate']), /^Basic/);
      assert.equal((JSON.parse(answer.body) as { code: number }).code, 20_003);
    }
    assert.deepEqual(asked, []);
  });

  test('asks for the status, the limits, and to stop', async (context) => {
    const { app, asked } = door(context);
    assert.equal((await app.inject({ url: '/tandem/v1/status', headers })).statusCode, 200);
    const limits = await app.inject({ url: '/tandem/v1/limits', headers });
    assert.deepEqual(JSON.parse(limits.body), { what: 'limits' });
    const held = await app.inject({ url: '/tandem/v1/held-back', headers });
    assert.deepEqual(JSON.parse(held.body), { heldBack: [{ source: 'a' }] });
    assert.equal((await app.inject({ method: 'POST', url: '/tandem/v1/stop', headers, payload: {} })).statusCode, 202);
    assert.deepEqual(asked.at(-1), ['stop']);
  });

  test('frees an address that is held back, and says of another that it is not', async (context) => {
    const { app } = door(context);
    const free = (address: string): Promise<LightMyRequestResponse> =>
      app.inject({ method: 'DELETE', url: `/tandem/v1/held-back/${encodeURIComponent(address)}`, headers });
    assert.deepEqual(JSON.parse((await free('2001:db8::1')).body), { freed: [{ source: '2001:db8::1' }] });
    const unknown = await free('192.0.2.1');
    assert.equal(unknown.statusCode, 404);
    assert.match(unknown.body, /192\.0\.2\.1.* is not held back/);
  });

  test('adds, lists and removes phones and trunks', async (context) => {
    const { app, asked } = door(context);
    const post = (path: string, payload: object): Promise<LightMyRequestResponse> =>
      app.inject({ method: 'POST', url: `/tandem/v1${path}`, headers, payload });
    assert.equal((await post('/phones', { name: 'bob' })).statusCode, 201);
    assert.equal((await post('/trunks', { name: 'out', uri: 'sip:gateway', prefixes: ['+44'] })).statusCode, 201);
    assert.deepEqual(JSON.parse((await app.inject({ url: '/tandem/v1/phones', headers })).body), {
      phones: [{ what: 'phones' }],
    });
    assert.deepEqual(JSON.parse((await app.inject({ url: '/tandem/v1/trunks', headers })).body), {
      trunks: [{ what: 'trunks' }],
    });
    assert.equal((await app.inject({ method: 'DELETE', url: '/tandem/v1/phones/b%C3%B6b', headers })).statusCode, 204);
    assert.equal((await app.inject({ method: 'DELETE', url: '/tandem/v1/trunks/out', headers })).statusCode, 204);
    assert.equal((await app.inject({ method: 'DELETE', url: '/tandem/v1/phones/nobody', headers })).statusCode, 404);
    assert.deepEqual(
      asked.filter(([what]) => what === 'addPhone' || what === 'removePhone'),
      [
        ['addPhone', { name: 'bob' }],
        ['removePhone', 'böb'],
      ],
    );
  });

  test('runs scripted phones and tells what became of their calls', async (context) => {
    const { app, asked } = door(context);
    const run = await app.inject({ method: 'POST', url: '/tandem/v1/phones/b%C3%B6b/run', headers });
    assert.deepEqual([run.statusCode, JSON.parse(run.body)], [202, { call: 1 }]);
    const results = await app.inject({ url: '/tandem/v1/phones/b%C3%B6b/results', headers });
    assert.deepEqual(JSON.parse(results.body), { results: [{ what: 'phoneResults' }] });
    assert.deepEqual(asked, [
      ['runPhone', 'böb'],
      ['phoneResults', 'böb'],
    ]);
  });

  test('tells what passed in a call, and that there is no such call', async (context) => {
    const { app } = door(context);
    const told = await app.inject({ url: '/tandem/v1/calls/CA1/trace', headers });
    assert.deepEqual([told.statusCode, JSON.parse(told.body)], [200, { what: 'trace' }]);
    const unknown = await app.inject({ url: '/tandem/v1/calls/unknown/trace', headers });
    assert.equal(unknown.statusCode, 404);
    assert.match(unknown.body, /no call \\"unknown\\": want its sid, CA/);
    assert.equal((await app.inject({ url: '/tandem/v1/calls/CA1/trace' })).statusCode, 401);
  });

  test('refuses a body with what is wrong in it', async (context) => {
    const { app, asked } = door(context);
    for (const [payload, said] of [
      ['{}', /name/],
      ['{"name":7}', /name/],
      ['{"name":"bob","extra":1}', /extra/],
      ['{"name":', /not JSON/],
      ['[]', /./],
      ['', /./],
    ] as const) {
      const answer = await app.inject({
        method: 'POST',
        url: '/tandem/v1/phones',
        headers: { ...headers, 'content-type': 'application/json' },
        payload,
      });
      assert.equal(answer.statusCode, 400, payload);
      assert.match((JSON.parse(answer.body) as { message: string }).message, said, payload);
    }
    assert.deepEqual(asked, []);
  });

  test('gives the last log lines', async (context) => {
    const { app } = door(context);
    assert.equal((await app.inject({ url: '/tandem/v1/logs', headers })).body, '{"n":1}\n{"n":2}\n');
    assert.equal((await app.inject({ url: '/tandem/v1/logs?lines=1', headers })).body, '{"n":2}\n');
    assert.equal((await app.inject({ url: '/tandem/v1/logs?lines=x', headers })).body, '{"n":1}\n{"n":2}\n');
  });

  test('gives new log lines to whoever follows, and lets go when they leave', async (context) => {
    const { app, followers } = door(context);
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const leave = new AbortController();
    const answer = await fetch(`${url}/tandem/v1/logs?lines=0&follow=true`, { headers, signal: leave.signal });
    const reader = answer.body?.getReader();
    const next = async (): Promise<string> => new TextDecoder().decode((await reader?.read())?.value as Uint8Array);
    assert.equal(await next(), '\n', 'the answer begins before anything is logged');
    for (const follower of followers) follower('{"n":3}');
    assert.equal(await next(), '{"n":3}\n');
    leave.abort();
    while (followers.size > 0) await new Promise((resolve) => setImmediate(resolve));
  });
});
