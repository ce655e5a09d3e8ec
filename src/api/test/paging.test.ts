import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ApiUnderTest, START_MS } from './api-under-test.ts';

const CALLS = 2500;
const HOUR_MS = 3_600_000;

describe('lists', () => {
  let api: ApiUnderTest;
  before(async () => (api = await ApiUnderTest.open()));
  after(() => api.close());

  it('thousands of calls arrive once each while more are made', async () => {
    const { records, store, clock } = api.parts;
    const account = await records.accounts.create({ friendlyName: 'Busy' });
    const present = Array.from({ length: CALLS }, () => api.call({ accountSid: account.sid }));
    for (let at = 0; at < CALLS; at += 500) {
      const group = present.slice(at, at + 500);
      await store.write(group.map((call) => records.calls.insertStatement(call)));
    }
    await clock.advance(1);
    const seen: string[] = [];
    let inserted = 0;
    const client = api.client(account.sid, account.authToken, account.sid);
    let page: Awaited<ReturnType<typeof client.calls.page>> | undefined = await client.calls.page({ pageSize: 100 });
    while (page !== undefined) {
      seen.push(...page.instances.map((call) => call.sid));
      await records.calls.insert(api.call({ accountSid: account.sid }));
      inserted += 1;
      page = (await page.nextPage()) as typeof page | undefined;
    }
    assert.equal(inserted, CALLS / 100);
    assert.equal(seen.length, CALLS);
    assert.deepEqual(new Set(seen), new Set(present.map((call) => call.sid)));
    const all = await client.calls.list({ limit: CALLS + inserted });
    assert.equal(all.length, CALLS + inserted);
    assert.equal(new Set(all.map((call) => call.sid)).size, CALLS + inserted);
  });

  it('a page says where it stands, and leads forth and back with its filters', async () => {
    const { records } = api.parts;
    const account = await records.accounts.create({ friendlyName: 'Pages' });
    const authorization = `Basic ${btoa(`${account.sid}:${account.authToken}`)}`;
    for (let n = 0; n < 5; n += 1) {
      await api.parts.clock.advance(1000);
      await api.insertCall({ accountSid: account.sid, status: 'busy' });
    }
    const fetchPage = async (path: string) => {
      const response = await fetch(`${api.parts.url}${path}`, { headers: { authorization } });
      assert.equal(response.status, 200);
      return (await response.json()) as Record<string, string & number> & { calls: { sid: string }[] };
    };
    const list = `/2010-04-01/Accounts/${account.sid}/Calls.json`;
    const first = await fetchPage(`${list}?Status=busy&PageSize=2`);
    const { calls, ...envelope } = first;
    assert.equal(calls.length, 2);
    assert.deepEqual(
      { ...envelope, next_page_uri: '' },
      {
        page: 0,
        page_size: 2,
        start: 0,
        end: 1,
        uri: `${list}?Status=busy&PageSize=2&Page=0`,
        first_page_uri: `${list}?Status=busy&PageSize=2&Page=0`,
        next_page_uri: '',
        previous_page_uri: null,
      },
    );
    const second = await fetchPage(String(first['next_page_uri']));
    const third = await fetchPage(String(second['next_page_uri']));
    assert.deepEqual([second['start'], second['end'], third['start'], third['end']], [2, 3, 4, 4]);
    assert.equal(third['next_page_uri'], null);
    const back = await fetchPage(String(third['previous_page_uri']));
    assert.deepEqual(back.calls, second.calls);
    const byNumber = await fetchPage(`${list}?Status=busy&PageSize=2&Page=1`);
    assert.deepEqual(byNumber.calls, second.calls);
  });

  it('a page size above the largest takes the largest, as the SDK asks for its whole limit', async () => {
    const response = await api.get('/Calls.json?PageSize=5000');
    assert.equal(((await response.json()) as { page_size: number }).page_size, 1000);
    const usual = await api.get('/Calls.json');
    assert.equal(((await usual.json()) as { page_size: number }).page_size, 50);
  });

  it('a bad page size is 20007, a bad page token 21481', async () => {
    const code = async (query: string) => {
      const response = await api.get(`/Calls.json?${query}`);
      return [response.status, ((await response.json()) as { code: number }).code];
    };
    for (const size of ['0', '-1', 'ten', '1e3']) assert.deepEqual(await code(`PageSize=${size}`), [400, 20007]);
    for (const token of ['x', 'PACA1', `PA${'CA'.padEnd(34, 'g')}1`]) {
      assert.deepEqual(await code(`PageToken=${token}`), [400, 21481]);
    }
  });

  describe('filters', () => {
    let client: ReturnType<ApiUnderTest['client']>;
    before(async () => {
      const account = await api.parts.records.accounts.create({ friendlyName: 'Filters' });
      client = api.client(account.sid, account.authToken, account.sid);
      const rows = [
        { to: '+15550000001', status: 'completed', startTime: START_MS, endTime: START_MS + HOUR_MS },
        { to: '+15550000002', status: 'busy', startTime: START_MS + 24 * HOUR_MS, endTime: START_MS + 25 * HOUR_MS },
        { to: 'client:bob', status: 'queued', startTime: null, endTime: null },
      ] as const;
      for (const row of rows) await api.insertCall({ ...row, accountSid: account.sid });
      const parent = (await api.parts.records.calls.list(account.sid, [], { size: 1 })).records[0]?.sid ?? null;
      await api.insertCall({ accountSid: account.sid, to: '+15550000004', parentCallSid: parent });
    });
    const told = async (options: Parameters<typeof client.calls.list>[0]) =>
      (await client.calls.list(options)).map((call) => call.to).sort();

    it('by address, however a number is written', async () => {
      assert.deepEqual(await told({ to: '+15550000001' }), ['+15550000001']);
      assert.deepEqual(await told({ to: '555-000-0001' }), ['+15550000001']);
      assert.deepEqual(await told({ to: 'client:bob' }), ['client:bob']);
      assert.deepEqual(await told({ from: '+19990000000' }), []);
    });

    it('by status and by parent', async () => {
      assert.deepEqual(await told({ status: 'busy' }), ['+15550000002']);
      const [child] = await client.calls.list({ to: '+15550000004' });
      assert.deepEqual(await told({ parentCallSid: child?.parentCallSid ?? '' }), ['+15550000004']);
    });

    it('by day, and before or after a time', async () => {
      assert.deepEqual(await told({ startTime: new Date(Date.UTC(2026, 4, 6)) }), ['+15550000001']);
      assert.deepEqual(await told({ startTimeAfter: new Date(START_MS + 1000) }), ['+15550000002']);
      assert.deepEqual(await told({ startTimeBefore: new Date(START_MS) }), ['+15550000001']);
      assert.deepEqual(
        await told({ endTimeAfter: new Date(START_MS + HOUR_MS), endTimeBefore: new Date(START_MS + 2 * HOUR_MS) }),
        ['+15550000001'],
      );
    });

    it('a value that cannot be one is refused', async () => {
      await assert.rejects(client.calls.list({ status: 'lost' as 'busy' }), { status: 400, code: 20001 });
      const response = await api.get('/Calls.json?StartTime%3E=soon');
      assert.equal(response.status, 400);
      await response.text();
    });
  });
});
