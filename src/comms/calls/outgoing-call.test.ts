import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { CallPlan, CallProgressEvent } from '../model.ts';
import { xml } from '../test/scripted-http.ts';
import { MAX_LOOPS } from './loop.ts';
import { APP, CallWorld, NUMBER } from './test/call-world.ts';
import { answering, refusing, ringingOnly } from './test/scripted-user-agent.ts';

const EVERY_EVENT: readonly CallProgressEvent[] = ['initiated', 'ringing', 'answered', 'completed'];
const CALLBACK = { statusCallback: 'http://app/status', statusCallbackEvents: EVERY_EVENT } as const;
const SAY: CallPlan = { twiml: '<Response><Say>hello</Say></Response>', ...CALLBACK };

suite('a call of the API', () => {
  test('rings, runs its document, ends completed, and leaves nothing behind', async () => {
    const world = await CallWorld.open();
    world.phone('bob', answering(1000));
    const sid = await world.call('sip:bob@home.tandem', SAY);
    assert.equal(world.row(sid).status, 'ringing');
    await world.pass(1500);
    assert.equal(world.row(sid).status, 'in-progress');
    assert.deepEqual(world.leg(sid).played, ['"hello"']);
    await world.pass(5000);
    const { status, stage, duration, startTime, endTime, sipResponseCode } = world.row(sid);
    assert.deepEqual(
      { status, stage, duration, sipResponseCode },
      {
        status: 'completed',
        stage: 'ended',
        duration: 2,
        sipResponseCode: 200,
      },
    );
    assert.equal((endTime ?? 0) - (startTime ?? 0), 2000);
    assert.ok(world.attempt('bob').sipCall.ended, 'the phone hears BYE');
    assert.deepEqual(world.leftovers(), []);
  });

  test('tells its events once each, in order, with contiguous numbers', async () => {
    const world = await CallWorld.open();
    world.phone('bob', answering(1000));
    const sid = await world.call('sip:bob@home.tandem', SAY);
    await world.pass(10_000);
    assert.deepEqual(world.told(sid), ['initiated', 'ringing', 'in-progress', 'completed']);
    assert.deepEqual(
      world.events.map(({ parameters }) => parameters['SequenceNumber']),
      ['0', '1', '2', '3'],
    );
    const last = world.events.at(-1)?.parameters;
    assert.equal(last?.['CallDuration'], '2');
    assert.equal(last?.['Duration'], '1', 'begun minutes');
    assert.equal(last?.['SipResponseCode'], '200');
  });

  test('tells only completed unless events are named', async () => {
    const world = await CallWorld.open();
    world.phone('bob', answering());
    const sid = await world.call('sip:bob@home.tandem', { twiml: '<Response/>', statusCallback: 'http://app/status' });
    await world.pass(5000);
    assert.deepEqual(world.told(sid), ['completed']);
  });

  test('shows each way of not being answered as the API names it', async () => {
    const ways = [
      [486, 'busy'],
      [600, 'busy'],
      [603, 'busy'],
      [480, 'no-answer'],
      [408, 'no-answer'],
      [404, 'failed'],
      [500, 'failed'],
      [488, 'failed'],
    ] as const;
    for (const [code, status] of ways) {
      const world = await CallWorld.open();
      world.phone('bob', refusing(code));
      const sid = await world.call('sip:bob@home.tandem', SAY);
      await world.pass(1000);
      assert.equal(world.row(sid).status, status, `${code}`);
      assert.equal(world.row(sid).sipResponseCode, code);
      assert.equal(world.row(sid).duration, 0);
      assert.deepEqual(world.told(sid), ['initiated', status]);
      assert.deepEqual(world.leftovers(), []);
    }
  });

  test('rings as long as its plan says, a minute by default, and is then no-answer', async () => {
    for (const [timeoutSeconds, ms] of [
      [5, 5000],
      [undefined, 60_000],
    ] as const) {
      const world = await CallWorld.open();
      world.phone('bob', ringingOnly);
      const sid = await world.call('sip:bob@home.tandem', {
        ...SAY,
        ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
      });
      await world.pass(ms - 1);
      assert.equal(world.row(sid).status, 'ringing');
      await world.pass(1);
      assert.equal(world.row(sid).status, 'no-answer');
      assert.deepEqual(world.leftovers(), []);
    }
  });

  test('to a phone that is not registered, or a client, is no-answer with a Notification', async () => {
    const world = await CallWorld.open();
    world.phone('bob', answering());
    world.unregistered.add('bob');
    const phone = await world.call('sip:bob@home.tandem', SAY);
    const client = await world.call('client:jenny', SAY);
    assert.equal(world.row(phone).status, 'no-answer');
    assert.equal(world.row(client).status, 'no-answer');
    assert.deepEqual(world.codes, [32_009, 32_009]);
  });

  test('to a number that nobody takes fails with the reason', async () => {
    const world = await CallWorld.open();
    const sid = await world.call('+441234567890', SAY);
    assert.equal(world.row(sid).status, 'failed');
    assert.match(world.row(sid).endReason ?? '', /no trunk takes it/);
    assert.deepEqual(world.codes, [21_214]);
  });

  test('whose document fails ends failed, in silence, with the fault', async () => {
    const world = await CallWorld.open();
    world.phone('bob', answering());
    world.http.answer(APP, { status: 500 });
    const sid = await world.call('sip:bob@home.tandem', { url: APP, ...CALLBACK });
    await world.pass(5000);
    assert.equal(world.row(sid).status, 'failed');
    assert.deepEqual(world.media.legs[0]?.played, []);
    assert.deepEqual(world.codes, [11_200]);
    assert.equal(world.told(sid).at(-1), 'failed');
  });

  test('presses its first digits before the document, and records from the answer', async () => {
    const world = await CallWorld.open();
    world.phone('bob', answering());
    const sid = await world.call('sip:bob@home.tandem', { ...SAY, sendDigits: '12', record: true });
    await world.pass(1100);
    assert.deepEqual(world.media.legs[0]?.played, ['digits 12']);
    await world.pass(10_000);
    assert.deepEqual(world.media.legs[0]?.played, ['digits 12', '"hello"']);
    const [recording] = [...world.recordings.values()];
    assert.equal(recording?.status, 'completed');
    assert.equal(recording?.source, 'OutboundAPI');
    assert.equal(recording?.duration, world.row(sid).duration);
    assert.equal(world.events.at(-1)?.parameters['RecordingSid'], recording?.sid);
  });

  test('goes on without its recording when the disk is full', async () => {
    const world = await CallWorld.open();
    world.phone('bob', answering());
    world.recordingsFull = true;
    const sid = await world.call('sip:bob@home.tandem', { ...SAY, record: true });
    await world.pass(10_000);
    assert.equal(world.row(sid).status, 'completed');
    assert.deepEqual(world.media.legs[0]?.played, ['"hello"']);
    assert.deepEqual(world.codes, [12_400]);
  });

  test('ends at its time limit, counted from the answer', async () => {
    const world = await CallWorld.open();
    world.phone('bob', answering(1000));
    const plan = { twiml: '<Response><Pause length="600"/></Response>', timeLimitSeconds: 30 };
    const sid = await world.call('sip:bob@home.tandem', plan);
    await world.pass(40_000);
    assert.equal(world.row(sid).duration, 30);
    assert.equal(world.row(sid).status, 'completed');
    assert.equal(world.row(sid).endReason, 'time limit');
  });

  test('is completed when the callee hangs up at once after its answer', async () => {
    const world = await CallWorld.open();
    world.phone('bob', (attempt) => {
      attempt.answer();
      attempt.sipCall.leave();
    });
    const sid = await world.call('sip:bob@home.tandem', SAY);
    await world.pass(100);
    assert.equal(world.row(sid).status, 'completed');
    assert.deepEqual(world.told(sid), ['initiated', 'in-progress', 'completed']);
    assert.deepEqual(world.leftovers(), []);
  });

  test('is told to be over although a phone that is gone never answers its BYE', async () => {
    const world = await CallWorld.open();
    world.phone('bob', answering());
    const sid = await world.call('sip:bob@home.tandem', SAY);
    world.attempt('bob').sipCall.deaf = true;
    await world.pass(5000);
    assert.equal(world.told(sid).at(-1), 'completed');
  });

  test('fails with a word about capacity when no media process takes a leg', async () => {
    const world = await CallWorld.open();
    world.phone('bob', answering());
    world.media.overloaded = true;
    const sid = await world.call('sip:bob@home.tandem', SAY);
    assert.equal(world.row(sid).status, 'failed');
    assert.equal(world.row(sid).sipResponseCode, 503);
    assert.match(world.row(sid).endReason ?? '', /as many calls as it can/);
    assert.deepEqual(
      world.faults.map((each) => each.fault.code),
      [10004],
    );
  });

  test('shows its From, or its CallerId, to the callee', async () => {
    const world = await CallWorld.open();
    world.phone('bob', ringingOnly);
    world.number('+12025550177', null);
    await world.call('sip:bob@home.tandem', SAY);
    assert.equal(world.attempt('bob').from, NUMBER);
    await world.call('sip:bob@home.tandem', { ...SAY, callerId: '+12025550177' });
    assert.equal(world.attempt('bob').from, '+12025550177');
  });

  test('takes the application and its fallback from its ApplicationSid', async () => {
    const world = await CallWorld.open();
    world.phone('bob', answering());
    world.application('AP1', 'http://app/main', { statusCallback: 'http://app/status' });
    world.http.answer('http://app/main', xml('<Response><Say>app</Say></Response>'));
    const sid = await world.call('sip:bob@home.tandem', { applicationSid: 'AP1' });
    await world.pass(10_000);
    assert.deepEqual(world.media.legs[0]?.played, ['"app"']);
    assert.equal(world.posted('http://app/main')[0]?.['ApplicationSid'], 'AP1');
    assert.deepEqual(world.told(sid), ['completed'], 'to the status callback of the application');
  });
});

suite('trunks', () => {
  test('the longest prefix is tried first, the next after a 503', async () => {
    const world = await CallWorld.open();
    const [wide, narrow] = [world.trunk('wide', ['+']), world.trunk('narrow', ['+44'])];
    const hosts: string[] = [];
    world.userAgent.behaviours.set('+441234567890', (attempt) => {
      hosts.push(attempt.options.target.uri.split('@')[1] ?? '');
      if (hosts.length === 1) attempt.fail({ cause: 'rejected', status: 503, reason: 'Service Unavailable' });
      else attempt.answer();
    });
    const sid = await world.call('+441234567890', SAY);
    assert.deepEqual(hosts, ['narrow.example', 'wide.example']);
    assert.equal(world.row(sid).trunkSid, wide.sid);
    assert.ok(narrow);
    await world.pass(5000);
    assert.deepEqual(world.leftovers(), []);
  });

  test("the callee's own refusal ends the search", async () => {
    const world = await CallWorld.open();
    world.trunk('one', ['+']);
    world.trunk('two', ['+44']);
    world.userAgent.behaviours.set('+441234567890', refusing(486));
    const sid = await world.call('+441234567890', SAY);
    await world.pass(1000);
    assert.equal(world.row(sid).status, 'busy');
    assert.equal(world.userAgent.attempts.length, 1);
  });

  test('a full trunk takes no more, and takes again after the end of a call, however it ends', async () => {
    const world = await CallWorld.open();
    world.trunk('one', ['+'], 1);
    const number = '+441234567890';
    world.userAgent.behaviours.set(number, refusing(486));
    const refused = await world.call(number, SAY);
    await world.pass(1000);
    assert.equal(world.row(refused).status, 'busy', 'its room was given back');
    world.userAgent.behaviours.set(number, answering(0));
    const first = await world.call(number, { twiml: '<Response><Pause length="60"/></Response>' });
    await world.pass(1000);
    const second = await world.call(number, SAY);
    assert.equal(world.row(second).status, 'failed');
    assert.match(world.row(second).endReason ?? '', /as many calls as it may/);
    assert.equal(world.row(first).status, 'in-progress');
    world.attempt(number).sipCall.leave();
    const third = await world.call(number, SAY);
    await world.pass(10_000);
    assert.equal(world.row(third).status, 'completed');
  });
});

suite('numbers of the place itself', () => {
  test('are called over its own SIP door, with a proof that counts the chain', async () => {
    const world = await CallWorld.open();
    world.number('+12025550101', APP);
    world.userAgent.behaviours.set('+12025550101', answering());
    const sid = await world.call('+12025550101', SAY);
    const { options } = world.attempt('+12025550101');
    assert.deepEqual(options.target.flow?.remote, { address: '127.0.0.1', port: 5060 });
    await world.pass(1000);
    const legOptions = world.leg(sid).options;
    assert.ok(legOptions.kind === 'rtp');
    assert.equal(legOptions.signallingPeer, '127.0.0.1', 'its sound may come from where it was reached');
    assert.deepEqual(options.headers, [{ name: 'X-Tandem-Loop', value: 'secret;1' }]);
  });

  test(`a chain of ${MAX_LOOPS} numbers that dial each other ends`, async () => {
    const world = await CallWorld.open();
    world.app(`<Dial>${NUMBER}</Dial>`);
    const caller = await world.incoming({
      uri: `sip:${NUMBER}@127.0.0.1`,
      caller: { kind: 'anonymous' },
      headers: [{ name: 'X-Tandem-Loop', value: `secret;${MAX_LOOPS}` }],
    });
    await world.pass(1000);
    assert.deepEqual(world.codes, [21_214]);
    assert.equal(world.userAgent.attempts.length, 0);
    assert.equal(caller.final, '200');
  });

  test('a header with a wrong secret proves nothing', async () => {
    const world = await CallWorld.open();
    world.app(`<Dial>${NUMBER}</Dial>`);
    world.userAgent.behaviours.set(NUMBER, ringingOnly);
    await world.incoming({
      uri: `sip:${NUMBER}@127.0.0.1`,
      headers: [{ name: 'X-Tandem-Loop', value: `guess;${MAX_LOOPS}` }],
    });
    assert.deepEqual(world.attempt(NUMBER).options.headers, [{ name: 'X-Tandem-Loop', value: 'secret;1' }]);
  });
});
