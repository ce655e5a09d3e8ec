import assert from 'node:assert/strict';
import { test } from 'node:test';
import twilio from 'twilio';
import { Tandem } from '../src/testkit/tandem-process.ts';

const NUMBER = '+12025550142';
const PRESENT = 1000;
const TOGETHER = 50;
const PAGE_SIZE = 20;

test('paging through 1,000 calls while more arrive shows each of them once', async (t) => {
  const tandem = await Tandem.start(t, { config: { callsPerSecond: 1000, numbers: [{ phoneNumber: NUMBER }] } });
  const client = twilio(tandem.ready.accountSid, tandem.ready.authToken);
  client.api.baseUrl = tandem.http;
  const create = async (): Promise<string> => {
    // Nobody is registered under this name.
    const { sid } = await client.calls.create({ to: 'client:nobody', from: NUMBER, twiml: '<Response/>' });
    return sid;
  };
  const present: string[] = [];
  while (present.length < PRESENT) present.push(...(await Promise.all(Array.from({ length: TOGETHER }, create))));

  const late: string[] = [];
  const seen: string[] = [];
  let page: Awaited<ReturnType<typeof client.calls.page>> | undefined = await client.calls.page({
    pageSize: PAGE_SIZE,
  });
  while (page !== undefined) {
    seen.push(...page.instances.map(({ sid }) => sid));
    // However fast the pages are, calls arrive beside each of them.
    const [next, ...arrived] = await Promise.all([page.nextPage(), create(), create()]);
    late.push(...arrived);
    page = next as typeof page;
  }

  assert.equal(new Set(seen).size, seen.length, 'no call twice');
  const known = new Set(seen);
  assert.deepEqual(
    present.filter((sid) => !known.has(sid)),
    [],
    'no call left out',
  );
  assert.ok(seen.length < PRESENT + late.length, 'those that came later are on no page');
  assert.ok(late.length >= (2 * PRESENT) / PAGE_SIZE, `only ${late.length} arrived`);
  const all = await client.calls.list({ pageSize: 1000 });
  assert.deepEqual(new Set(all.map(({ sid }) => sid)), new Set([...present, ...late]));
});
