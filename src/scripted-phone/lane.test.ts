import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import { WebApplication, type WebRequest } from '../testkit/web-application.ts';
import { openPhone, type Phone, type PhoneEvent, type PhoneOptions } from './phone.ts';

const TOKEN = 'a'.repeat(32);
const EVERY_EVENT = ['initiated', 'ringing', 'answered', 'completed'] as const;
const DAY_SECONDS = 24 * 3600;

async function open(context: TestContext, options: PhoneOptions = {}): Promise<Phone> {
  const phone = await openPhone({ authToken: TOKEN, ...options });
  context.after(() => phone.close());
  return phone;
}

async function application(context: TestContext): Promise<WebApplication> {
  const app = await WebApplication.start(context);
  app.authToken = TOKEN;
  return app;
}

/** Answers the first request of each kind and call with 500, the second with the body, each after up to `slowMs`. */
function secondTime(app: WebApplication, path: string, body: string, slowMs = 0): string {
  const seen = new Set<string>();
  return app.on(path, async ({ params }) => {
    if (slowMs > 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * slowMs));
    const key = `${params['CallSid']} ${params['SequenceNumber'] ?? 'document'}`;
    if (seen.has(key)) return body;
    seen.add(key);
    return { status: 500, body: 'not yet' };
  });
}

const RETRIED = '#rc=1&rp=5xx';

function numberOf(index: number): string {
  return `+1555${String(2_000_000 + index)}`;
}

function rung(events: readonly PhoneEvent[]): readonly { readonly at: number; readonly to: string }[] {
  return events.flatMap((event) => (event.kind === 'called' ? [{ at: event.at, to: event.to }] : []));
}

function byCall(requests: readonly WebRequest[]): ReadonlyMap<string, readonly WebRequest[]> {
  return Map.groupBy(requests, ({ params }) => params['CallSid'] ?? '');
}

suite('the lane of a scripted phone', () => {
  test('lets 1,000 calls out 1.00 s apart, in order', async (context) => {
    const CALLS = 1000;
    const app = await application(context);
    const phone = await open(context, { callsPerSecond: 1 });
    const document = app.on('/voice', '<Hangup/>');
    const numbers = Array.from({ length: CALLS }, (_, index) => numberOf(index));
    const before = process.cpuUsage();
    const created = await Promise.all(numbers.map((to) => phone.create(document, { to })));
    assert.equal(await created.at(-1)?.status(), 'queued');
    await phone.settled();
    const { user, system } = process.cpuUsage(before);
    context.diagnostic(`${((user + system) / 1e6).toFixed(1)} CPU seconds`);
    assert.deepEqual(
      rung(phone.transcript),
      numbers.map((to, index) => ({ at: index, to })),
    );
    assert.equal(await created.at(-1)?.status(), 'completed');
    assert.deepEqual(app.unsigned, []);
  });

  test('keeps the rate that it is given', async (context) => {
    const phone = await open(context, { callsPerSecond: 30 });
    await Promise.all(Array.from({ length: 61 }, (_, index) => phone.create('<Response/>', { to: numberOf(index) })));
    await phone.settled();
    assert.equal(rung(phone.transcript).at(-1)?.at, 2);
  });

  test('never calls what is canceled while it waits', async (context) => {
    const app = await application(context);
    const statusCallback = app.on('/status', '');
    const phone = await open(context);
    const calls = await Promise.all(
      [0, 1, 2].map((index) => phone.create('<Response/>', { to: numberOf(index), statusCallback })),
    );
    await phone.dialled();
    await calls[1]?.cancel();
    await phone.settled();
    assert.deepEqual(rung(phone.transcript), [
      { at: 0, to: numberOf(0) },
      { at: 1, to: numberOf(2) },
    ]);
    assert.deepEqual(await Promise.all(calls.map((call) => call.status())), ['completed', 'canceled', 'completed']);
    assert.deepEqual(app.requests.all.map(({ params }) => params['CallStatus']).toSorted(), [
      'canceled',
      'completed',
      'completed',
    ]);
  });

  test('refuses a call that would wait for more than 24 hours', async (context) => {
    const phone = await open(context, { callsPerSecond: 1 / (DAY_SECONDS - 1) });
    const calls = [await phone.create('<Response/>'), await phone.create('<Response/>')];
    await assert.rejects(phone.create('<Response/>'), { code: 'overloaded' });
    await phone.settled();
    assert.deepEqual(await Promise.all(calls.map((call) => call.status())), ['completed', 'completed']);
    assert.equal(rung(phone.transcript).at(-1)?.at, DAY_SECONDS - 1);
  });
});

suite('50 calls at once whose application answers each first try with 500', () => {
  test('tell every event, in order, under contiguous numbers', async (context) => {
    const app = await application(context);
    const statusCallback = secondTime(app, '/status', '') + RETRIED;
    const document = secondTime(app, '/voice', '<Pause length="1"/>') + RETRIED;
    const phone = await open(context, { callsPerSecond: 1000 });
    await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        phone.create(document, { to: numberOf(index), statusCallback, statusCallbackEvents: EVERY_EVENT }),
      ),
    );
    await phone.settled();
    const calls = byCall(app.requests.all.filter(({ path }) => path === '/status'));
    assert.equal(calls.size, 50);
    for (const requests of calls.values()) {
      assert.deepEqual(
        requests.map(({ params }) => `${params['SequenceNumber']} ${params['CallStatus']}`),
        ['0 initiated', '0 initiated', '1 ringing', '1 ringing'].concat([
          '2 in-progress',
          '2 in-progress',
          '3 completed',
          '3 completed',
        ]),
      );
    }
    assert.deepEqual(app.unsigned, []);
  });
});

suite('many calls, with retries', () => {
  const REPEATED = 40;

  /** The transcript, byte for byte but for the port of the application, which the system chose. */
  async function run(context: TestContext, seed: number, slowMs: number): Promise<string> {
    const app = await application(context);
    const statusCallback = secondTime(app, '/status', '', slowMs) + RETRIED;
    const documents = secondTime(app, '/voice', '<Say>Hello.</Say>', slowMs) + RETRIED;
    const phone = await open(context, { seed, callsPerSecond: 20 });
    await Promise.all(
      Array.from({ length: REPEATED }, (_, index) =>
        phone.create(documents, { to: numberOf(index), statusCallback, statusCallbackEvents: EVERY_EVENT }),
      ),
    );
    await phone.settled();
    return JSON.stringify(phone.transcript).replaceAll(app.url, 'http://application');
  }

  test('have the same transcript for the same seed, whatever the application takes; other sids for another', async (context) => {
    const first = await run(context, 7, 0);
    assert.equal(await run(context, 7, 0), first);
    assert.equal(await run(context, 7, 8), first);
    const sids = (transcript: string): readonly string[] => transcript.match(/CA[0-9a-f]{32}/g) ?? [];
    const others = new Set(sids(await run(context, 8, 0)));
    assert.equal(new Set(sids(first)).size, REPEATED);
    assert.equal(others.size, REPEATED);
    assert.ok(sids(first).every((sid) => !others.has(sid)));
  });
});
