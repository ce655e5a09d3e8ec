import assert from 'node:assert/strict';
import { test } from 'node:test';
import twilio from 'twilio';
import { Baresip } from '../src/testkit/baresip.ts';
import { eventually } from '../src/testkit/eventually.ts';
import { everyPeer } from '../src/testkit/peers.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';

const NUMBER = '+12025550142';
const OTHER_NUMBER = '+12025550143';
const CALLS = 11;
const PAGE_SIZE = 4;

test('the call list filters and pages as the SDK expects', async (t) => {
  const tandem = await Tandem.start(t, {
    config: {
      callsPerSecond: 1000,
      numbers: [{ phoneNumber: NUMBER }, { phoneNumber: OTHER_NUMBER }],
      phones: [{ name: 'alice', password: 'secret' }],
    },
  });
  const client = twilio(tandem.ready.accountSid, tandem.ready.authToken);
  client.api.baseUrl = tandem.http;

  const beforeMs = Date.now();
  const created: string[] = [];
  for (let i = 0; i < CALLS; i++) {
    // Nobody is registered under these names.
    const to = i % 2 === 0 ? 'client:nobody' : 'client:noone';
    const call = await client.calls.create({ to, from: NUMBER, twiml: '<Response/>' });
    created.push(call.sid);
  }
  const newestFirst = created.toReversed();
  await eventually(() => client.calls.list(), {
    until: (calls) => calls.length === CALLS && calls.every(({ status }) => status === 'no-answer'),
    what: `${CALLS} calls that nobody answered`,
  });
  const sids = (calls: readonly { readonly sid: string }[]): readonly string[] => calls.map(({ sid }) => sid);

  await t.test('the newest call comes first', async () => {
    assert.deepEqual(sids(await client.calls.list()), newestFirst);
  });

  await t.test('limit and page size bound what is asked for', async () => {
    assert.deepEqual(sids(await client.calls.list({ limit: 3 })), newestFirst.slice(0, 3));
    assert.deepEqual(sids(await client.calls.list({ limit: 7, pageSize: 3 })), newestFirst.slice(0, 7));
  });

  await t.test('pages lead forward and back without a gap', async () => {
    const first = await client.calls.page({ pageSize: PAGE_SIZE });
    const second = await first.nextPage();
    const third = await second?.nextPage();
    assert.deepEqual(sids(first.instances), newestFirst.slice(0, PAGE_SIZE));
    assert.deepEqual(sids(second?.instances ?? []), newestFirst.slice(PAGE_SIZE, 2 * PAGE_SIZE));
    assert.deepEqual(sids(third?.instances ?? []), newestFirst.slice(2 * PAGE_SIZE));
    assert.equal(await third?.nextPage(), undefined);
    assert.deepEqual(sids((await second?.previousPage())?.instances ?? []), sids(first.instances));
  });

  await t.test('a page goes on where it was although new calls come', async () => {
    const first = await client.calls.page({ pageSize: PAGE_SIZE });
    const { sid } = await client.calls.create({ to: 'client:late', from: OTHER_NUMBER, twiml: '<Response/>' });
    const second = await first.nextPage();
    assert.deepEqual(sids(second?.instances ?? []), newestFirst.slice(PAGE_SIZE, 2 * PAGE_SIZE));
    await eventually(() => client.calls(sid).fetch(), {
      until: ({ status }) => status === 'no-answer',
      what: 'its end',
    });
    assert.ok(await client.calls(sid).remove());
  });

  await t.test('each() brings every call', async () => {
    const seen: string[] = [];
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    client.calls.each(
      { pageSize: PAGE_SIZE, done: (error?: Error) => (error ? reject(error) : resolve()) },
      ({ sid }) => {
        seen.push(sid);
      },
    );
    await promise;
    assert.deepEqual(seen, newestFirst);
  });

  await t.test('filters by both ends and the status', async () => {
    const toNobody = await client.calls.list({ to: 'client:nobody' });
    assert.equal(toNobody.length, Math.ceil(CALLS / 2));
    assert.ok(toNobody.every(({ to }) => to === 'client:nobody'));
    assert.equal((await client.calls.list({ from: NUMBER })).length, CALLS);
    assert.equal((await client.calls.list({ from: OTHER_NUMBER })).length, 0);
    assert.equal((await client.calls.list({ status: 'no-answer', to: 'client:noone' })).length, Math.floor(CALLS / 2));
    assert.equal((await client.calls.list({ status: 'completed' })).length, 0);
    assert.deepEqual(await client.calls.list({ parentCallSid: created[0] ?? '' }), []);
  });

  await t.test('filters by the time of the answer and of the end', everyPeer('baresip'), async () => {
    await Baresip.start(t, { user: 'alice', server: tandem.sip });
    const { sid } = await client.calls.create({ to: `sip:alice@${tandem.sip}`, from: NUMBER, twiml: '<Response/>' });
    const { status } = await eventually(() => client.calls(sid).fetch(), {
      until: ({ endTime }) => endTime !== null,
      what: 'its end',
    });
    assert.equal(status, 'completed');
    const [yesterday, tomorrow] = [new Date(beforeMs - 86_400_000), new Date(beforeMs + 86_400_000)];
    assert.deepEqual(sids(await client.calls.list({ startTimeAfter: yesterday, startTimeBefore: tomorrow })), [sid]);
    assert.deepEqual(await client.calls.list({ startTimeBefore: yesterday }), []);
    assert.deepEqual(await client.calls.list({ startTimeAfter: tomorrow }), []);
    assert.equal((await client.calls.list({ endTimeAfter: yesterday })).length, CALLS + 1);
    assert.ok(await client.calls(sid).remove());
  });

  await t.test('a call that is removed is gone', async () => {
    const [victim = ''] = created;
    assert.equal(await client.calls(victim).remove(), true);
    await assert.rejects(client.calls(victim).fetch(), { status: 404, code: 20404 });
    assert.equal((await client.calls.list()).length, CALLS - 1);
  });
});
