import assert from 'node:assert/strict';
import { test } from 'node:test';
import twilio from 'twilio';
import { RINGING_CALLEE } from '../bench/scenarios.ts';
import { startSipp } from '../bench/sipp.ts';
import { eventually } from '../src/testkit/eventually.ts';
import { everyPeer } from '../src/testkit/peers.ts';
import { claimPorts } from '../src/testkit/port-block.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';
import { temporaryFolder } from '../src/testkit/temporary-folder.ts';
import { WebApplication, type WebRequest } from '../src/testkit/web-application.ts';

const NUMBER = '+12025550142';
const CALLS = 50;
const EVERY_EVENT = ['initiated', 'ringing', 'answered', 'completed'];
/** Once more after an answer of 5xx. */
const RETRIED = '#rc=1&rp=5xx';
const SOON_MS = 60_000;
const WHOLE = ['0 initiated', '1 ringing', '2 in-progress', '3 completed'];
/** What is told of a call that the server could not carry: beside other work, a machine may be too busy for all 50. */
const REFUSED = ['0 initiated', '1 failed'];

/** What tells one request to the application from another that is not its repeat. */
function keyOf({ path, params }: WebRequest): string {
  return `${path} ${params['CallSid']} ${params['SequenceNumber']}`;
}

test(
  '50 calls at once, each first try answered with 500: events arrive whole and in order',
  everyPeer('sipp'),
  async (t) => {
    const application = await WebApplication.start(t);
    const tandem = await Tandem.start(t, { config: { callsPerSecond: 1000, numbers: [{ phoneNumber: NUMBER }] } });
    application.authToken = tandem.ready.authToken;
    const client = twilio(tandem.ready.accountSid, tandem.ready.authToken);
    client.api.baseUrl = tandem.http;
    const { first: port } = await claimPorts(t);
    const { process: sipp } = startSipp({
      ...{ target: '', port, scenario: RINGING_CALLEE, folder: temporaryFolder(t, 'sipp'), name: 'callee' },
      ...{ ratePerSecond: CALLS, count: CALLS },
    });
    t.after(() => sipp.end('SIGKILL'));

    const tried = new Set<string>();
    const secondTime = (body: string) => (request: WebRequest) => {
      const key = keyOf(request);
      if (tried.has(key)) return { type: 'text/xml', body };
      tried.add(key);
      return { status: 500, body: 'not yet' };
    };
    const statusCallback = application.on('/status', secondTime('<Response/>')) + RETRIED;
    const url = application.on('/voice', secondTime('<Response><Pause length="1"/></Response>')) + RETRIED;
    const created = await Promise.all(
      Array.from({ length: CALLS }, (_, index) =>
        client.calls.create({
          ...{ to: `sip:callee${index}@127.0.0.1:${port}`, from: NUMBER, url },
          ...{ statusCallback, statusCallbackEvent: EVERY_EVENT },
        }),
      ),
    );
    const answered = (): readonly WebRequest[] => {
      const seen = new Set<string>();
      return application.requests.all.filter((request) => {
        const isRepeat = seen.has(keyOf(request));
        seen.add(keyOf(request));
        return request.path === '/status' && isRepeat;
      });
    };
    const isLast = ({ params }: WebRequest): boolean => ['completed', 'failed'].includes(params['CallStatus'] ?? '');
    await eventually(async () => answered().filter(isLast).length, {
      ...{ until: (count) => count === CALLS, what: `the end of ${CALLS} calls`, withinMs: SOON_MS },
    });

    const bySid = Map.groupBy(answered(), ({ params }) => params['CallSid'] ?? '');
    assert.deepEqual(new Set(bySid.keys()), new Set(created.map(({ sid }) => sid)));
    const told = [...bySid.values()].map((requests) =>
      requests.map(({ params }) => `${params['SequenceNumber']} ${params['CallStatus']}`),
    );
    for (const events of told) assert.deepEqual(events, events.includes('1 failed') ? REFUSED : WHOLE);
    const whole = told.filter((events) => events.length === WHOLE.length).length;
    t.diagnostic(`${whole} of ${CALLS} calls carried`);
    assert.ok(whole > CALLS / 2, `${whole} of ${CALLS} calls were carried`);
    for (const [key, requests] of Map.groupBy(application.requests.all, keyOf)) {
      assert.equal(requests.length, 2, key);
      const [token, again] = requests.map(({ headers }) => headers['i-twilio-idempotency-token']);
      assert.equal(token, again);
    }
    assert.deepEqual(application.unsigned, []);
  },
);
