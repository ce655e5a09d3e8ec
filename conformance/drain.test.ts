import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../src/testkit/eventually.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';
import { temporaryFolder } from '../src/testkit/temporary-folder.ts';
import { WebApplication } from '../src/testkit/web-application.ts';
import { Client, type Row } from './crash-rounds/client.ts';
import { CountingPhone } from './crash-rounds/counting-phone.ts';

const FROM = '+12025550100';
const DRAIN_SECONDS = 3;
/** The process has this long beside the drain to close what it holds. */
const CLOSED_WITHIN_MS = 7_000;
const CALLS_PER_SECOND = 5;
const QUEUED = 15;
const WITHIN_MS = 30_000;

test('a stop in the middle of everything is bounded, told, written, and takes the queue along', async (t) => {
  const phone = await CountingPhone.start(t);
  const application = await WebApplication.start(t);
  const data = temporaryFolder(t, 'drain');
  const config = { callsPerSecond: CALLS_PER_SECOND, drain: DRAIN_SECONDS, numbers: [{ phoneNumber: FROM }] };
  const tandem = await Tandem.start(t, { data, config });
  const client = new Client(tandem);
  application.authToken = tandem.ready.authToken;
  application.on('/status', { body: '' });
  application.on('/deaf', { misbehave: 'hang' });
  application.on('/document', { misbehave: 'hang' });

  const dial = async (name: string, fields: Readonly<Record<string, string>>): Promise<string> => {
    const StatusCallback = `${application.url}/status`;
    const call = await client.create('Calls', { From: FROM, To: phone.address(name), StatusCallback, ...fields });
    assert.ok(call, `${name} is acknowledged`);
    return call.sid;
  };
  const Twiml = '<Response><Pause length="60"/></Response>';
  const ringing = await dial('a-ring', { Twiml });
  const talking = await dial('b-talk', { Twiml });
  const fetching = await dial('c-talk', { Url: `${application.url}/document` });
  const untold = await dial('d-talk', { Twiml, StatusCallback: `${application.url}/deaf` });
  await eventually(() => client.all('Calls'), {
    until: (rows) => rows.filter(({ status }) => status === 'in-progress').length === 3,
    what: 'three calls to be up',
    withinMs: WITHIN_MS,
  });
  await application.request('/document');
  const names = Array.from({ length: QUEUED }, (_, n) => `queued${n}-leave`);
  const queued = await Promise.all(names.map((name) => dial(name, { Twiml: '<Response/>' })));

  const askedAt = performance.now();
  tandem.process.send('SIGTERM');
  const end = await tandem.over();
  const tookMs = performance.now() - askedAt;
  assert.deepEqual(end, { code: 0, signal: null });
  assert.ok(tookMs < DRAIN_SECONDS * 1000 + CLOSED_WITHIN_MS, `it took ${tookMs} ms`);
  const told = (sid: string): readonly (string | undefined)[] =>
    application.requests.all
      .filter(({ params }) => params['CallSid'] === sid && params['CallbackSource'] === 'call-progress-events')
      .map(({ params }) => params['CallStatus']);
  assert.deepEqual([ringing, talking, fetching].map(told), [['canceled'], ['completed'], ['completed']]);
  const before = names.filter((name) => phone.attempts(name) > 0);
  assert.ok(before.length < QUEUED, 'nothing waited in the queue');

  application.on('/deaf', { body: '' });
  const mark = application.requests.mark();
  const again = await Tandem.start(t, { data, config });
  const client2 = new Client(again);
  await application.request('/deaf', { from: mark, where: ({ params }) => params['CallSid'] === untold });
  const rows = await eventually(() => client2.all('Calls'), {
    until: (all) => all.every(({ end_time: ended }) => ended !== null),
    what: 'what waited in the queue to go out',
    withinMs: WITHIN_MS,
  });
  const statusOf = (sid: string): unknown => rows.find((row: Row) => row.sid === sid)?.['status'];
  assert.deepEqual([ringing, talking, fetching, untold].map(statusOf), [
    'canceled',
    'completed',
    'completed',
    'completed',
  ]);
  assert.ok(queued.every((sid) => ['completed', 'canceled'].includes(String(statusOf(sid)))));
  assert.deepEqual(
    names.filter((name) => phone.attempts(name) !== 1),
    [],
    'every queued call is dialled once',
  );
  assert.deepEqual(await client2.all('Notifications', { ErrorCode: '12400' }).then(only12400), []);
});

/** A stop that was asked for is no crash. */
function only12400(rows: readonly Row[]): readonly Row[] {
  return rows.filter((row) => row['error_code'] === '12400');
}
