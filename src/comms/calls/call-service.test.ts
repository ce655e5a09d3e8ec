import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ACCOUNT_SID, APP, CallWorld, NUMBER } from './test/call-world.ts';
import { answering, ringingOnly } from './test/scripted-user-agent.ts';
import { MAX_RECORDINGS_OF_CALL } from './live-call.ts';
import { BOB, RECORD, WAIT, talking } from './test/talking-call.ts';

suite('creating a call', () => {
  test('wants a From of the account: an owned number or a phone’s', async () => {
    const world = await CallWorld.open();
    world.phone('bob', ringingOnly, '+12025550188');
    for (const from of [NUMBER, '+12025550188', 'sip:anyone@home.tandem']) await world.create(BOB, WAIT, from);
    await assert.rejects(world.create(BOB, WAIT, '+12025550199'), { faultCode: 21_210, httpStatus: 400 });
    await assert.rejects(world.create(BOB, { ...WAIT, callerId: '+12025550199' }, NUMBER), { faultCode: 21_210 });
    assert.equal(world.calls.waiting.length, 3);
  });

  test('wants an application that exists and has a VoiceUrl', async () => {
    const world = await CallWorld.open();
    world.application('AP1', null);
    for (const applicationSid of ['AP1', 'AP2']) {
      await assert.rejects(world.create(BOB, { applicationSid }), { faultCode: 21_218 });
    }
  });

  test('is refused when the disk is full, and when the server is stopping', async () => {
    const world = await CallWorld.open();
    world.calls.full = true;
    await assert.rejects(world.create(BOB, WAIT), { code: 'storage-full', httpStatus: 503 });
    world.calls.full = false;
    await world.service.drain();
    await assert.rejects(world.create(BOB, WAIT), { code: 'overloaded', httpStatus: 503 });
    assert.ok(world.userAgent.draining);
  });

  test('lets emergency calls pass the lane', async () => {
    const world = await CallWorld.open();
    world.trunk('one', ['112']);
    world.userAgent.behaviours.set('112', ringingOnly);
    const call = await world.create('112', WAIT);
    await world.settle();
    assert.equal(call.stage, 'dialling');
    assert.equal(world.row(call.sid).status, 'ringing');
    assert.equal(world.calls.waiting.length, 0);
  });
});

suite('changing a call', () => {
  test('cancels one that waits, and tells it once', async () => {
    const world = await CallWorld.open();
    for (const status of ['canceled', 'completed'] as const) {
      const { sid } = await world.create(BOB, WAIT);
      const changed = await world.service.update(world.account, sid, { status });
      assert.equal(changed.status, 'canceled');
      assert.deepEqual(world.told(sid), ['canceled']);
      assert.equal(world.row(sid).stage, 'ended');
      assert.equal(world.row(sid).duration, 0);
    }
    assert.equal(world.calls.take(), undefined);
    assert.deepEqual(world.leftovers(), []);
  });

  test('finds a call that the lane takes at the same moment, and cancels it at the phone', async () => {
    const world = await CallWorld.open();
    world.phone('bob', ringingOnly);
    const { sid } = await world.create(BOB, WAIT);
    const taken = world.calls.take();
    const updating = world.service.update(world.account, sid, { status: 'canceled' });
    await world.pass(200);
    assert.ok(taken);
    world.service.start(taken);
    await world.pass(200);
    assert.equal((await updating).status, 'canceled');
    assert.ok(world.userAgent.attempts.every((attempt) => attempt.cancelled));
    assert.deepEqual(world.leftovers(), []);
  });

  test('gives up on a call that the lane took and never started', async () => {
    const world = await CallWorld.open();
    const { sid } = await world.create(BOB, WAIT);
    world.calls.take();
    const updating = assert.rejects(world.service.update(world.account, sid, { status: 'canceled' }), {
      faultCode: 21_220,
    });
    await world.pass(6000);
    await updating;
  });

  test('cancels one that rings', async () => {
    for (const status of ['canceled', 'completed'] as const) {
      const world = await CallWorld.open();
      world.phone('bob', ringingOnly);
      const sid = await world.call(BOB, WAIT);
      await world.service.update(world.account, sid, { status });
      await world.settle();
      assert.equal(world.row(sid).status, 'canceled');
      assert.ok(world.attempt('bob').cancelled);
      assert.deepEqual(world.told(sid), ['canceled']);
      assert.deepEqual(world.leftovers(), []);
    }
  });

  test('completes one that talks, and refuses to cancel it', async () => {
    const { world, sid } = await talking();
    await assert.rejects(world.service.update(world.account, sid, { status: 'canceled' }), { faultCode: 21_220 });
    const changed = await world.service.update(world.account, sid, { status: 'completed' });
    assert.equal(changed.status, 'completed');
    assert.equal(changed.duration, 1);
    await world.settle();
    assert.ok(world.attempt('bob').sipCall.ended);
    assert.deepEqual(world.leftovers(), []);
  });

  test('takes one that talks to another document', async () => {
    const { world, sid } = await talking();
    world.app('<Say>new</Say>', 'http://app/new');
    await world.service.update(world.account, sid, { redirect: { url: 'http://app/new', method: 'POST' } });
    await world.settle();
    assert.deepEqual(world.leg(sid).played, ['"new"']);
  });

  test('refuses a document for one that waits or rings', async () => {
    const world = await CallWorld.open();
    world.phone('bob', ringingOnly);
    const redirect = { twiml: '<Response/>' };
    const { sid } = await world.create(BOB, WAIT);
    await assert.rejects(world.service.update(world.account, sid, { redirect }), { faultCode: 21_220 });
    world.letOut();
    await world.settle();
    await assert.rejects(world.service.update(world.account, sid, { redirect }), { faultCode: 21_220 });
  });

  test('changes the status callback and the time limit of one that talks', async () => {
    const { world, sid } = await talking();
    await world.service.update(world.account, sid, { statusCallback: 'http://app/new', timeLimitSeconds: 10 });
    await world.pass(10_000);
    assert.equal(world.row(sid).duration, 10);
    assert.deepEqual(
      world.events.map(({ url }) => url),
      ['http://app/new'],
    );
  });

  test('is refused for one that ended, and for one of another account', async () => {
    const { world, sid } = await talking();
    await assert.rejects(
      world.service.update({ ...world.account, sid: `AC${'9'.repeat(32)}` as never }, sid, { status: 'completed' }),
      { faultCode: 20_404 },
    );
    await world.service.update(world.account, sid, { status: 'completed' });
    await assert.rejects(world.service.update(world.account, sid, { status: 'completed' }), { faultCode: 21_220 });
  });

  test('ends a call once, whatever comes at the same moment', async () => {
    const { world, sid } = await talking();
    const updates = [1, 2].map(() => world.service.update(world.account, sid, { status: 'completed' }));
    world.attempt('bob').sipCall.leave();
    await world.clock.runUntil(Promise.allSettled(updates));
    await world.settle();
    assert.deepEqual(world.told(sid), ['completed']);
    assert.deepEqual(
      world.calls.written.filter((status) => status === 'completed'),
      ['completed'],
    );
  });
});

suite('recording by the API', () => {
  test('records until it is stopped; pauses are left out', async () => {
    const { world, sid } = await talking();
    const recording = await world.service.startRecording(world.account, sid, RECORD);
    assert.equal(recording.status, 'in-progress');
    await world.pass(5000);
    const paused = { status: 'paused', pauseBehavior: 'skip' } as const;
    assert.equal((await world.service.updateRecording(world.account, sid, 'current', paused)).status, 'paused');
    await world.pass(10_000);
    await world.service.updateRecording(world.account, sid, recording.sid, { ...paused, status: 'in-progress' });
    await world.pass(2000);
    const done = await world.service.updateRecording(world.account, sid, 'current', { ...paused, status: 'stopped' });
    assert.equal(done.status, 'completed');
    assert.equal(done.duration, 7);
    const told = world.events.filter(({ url }) => url === 'http://app/recording');
    assert.deepEqual(
      told.map(({ parameters }) => parameters['RecordingStatus']),
      ['in-progress', 'completed'],
    );
    assert.equal(told[1]?.parameters['RecordingDuration'], '7');
  });

  test('that was stopped stays as it is: it is paused no more, and is not the current one', async () => {
    const { world, sid } = await talking();
    const paused = { status: 'paused', pauseBehavior: 'skip' } as const;
    const { sid: first } = await world.service.startRecording(world.account, sid, RECORD);
    const { sid: second } = await world.service.startRecording(world.account, sid, RECORD);
    await world.pass(2000);
    await world.service.updateRecording(world.account, sid, second, { ...paused, status: 'stopped' });
    await assert.rejects(world.service.updateRecording(world.account, sid, second, paused), { faultCode: 21_220 });
    assert.equal(world.recordings.get(second)?.status, 'completed');
    assert.equal((await world.service.updateRecording(world.account, sid, 'current', paused)).sid, first);
  });

  test('is one of a bounded number that a call may have', async () => {
    const { world, sid } = await talking();
    const start = (): Promise<unknown> => world.service.startRecording(world.account, sid, RECORD);
    for (let index = 0; index < MAX_RECORDINGS_OF_CALL - 2; index += 1) await start();
    const last = await Promise.allSettled([start(), start(), start(), start()]);
    assert.deepEqual(
      last.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected', 'rejected'],
    );
    assert.equal(world.recordings.size, MAX_RECORDINGS_OF_CALL);
    await assert.rejects(start(), { faultCode: 21_220 });
  });

  test('ends with the call, before its completed event', async () => {
    const { world, sid } = await talking();
    await world.service.startRecording(world.account, sid, RECORD);
    await world.pass(3000);
    world.attempt('bob').sipCall.leave();
    await world.settle();
    assert.equal([...world.recordings.values()][0]?.status, 'completed');
    assert.equal(world.events.at(-1)?.parameters['RecordingDuration'], '3');
  });

  test('is absent when nothing was heard, when the sound failed, and when it cannot be kept', async () => {
    for (const how of ['silent', 'failing', 'not kept'] as const) {
      const { world, sid } = await talking();
      const recording = await world.service.startRecording(world.account, sid, RECORD);
      const sound = world.media.recorded[0];
      if (sound !== undefined && how === 'failing') sound.failing = true;
      world.adoptFails = how === 'not kept';
      if (how !== 'silent') await world.pass(1000);
      world.attempt('bob').sipCall.leave();
      await world.settle();
      const row = world.recordings.get(recording.sid);
      assert.equal(row?.status, 'absent', how);
      assert.equal(row.errorCode, how === 'silent' ? null : 12_400, how);
      assert.equal(world.events.at(-2)?.parameters['RecordingStatus'], 'absent');
      assert.equal(world.row(sid).status, 'completed', 'the call itself ended as it should');
      assert.deepEqual(world.discarded, ['/tmp/0.wav'], 'no file is left behind');
    }
  });

  test('is refused for a call that does not talk, and for a recording that is not there', async () => {
    const { world, sid } = await talking();
    const change = { status: 'stopped', pauseBehavior: 'skip' } as const;
    await assert.rejects(world.service.updateRecording(world.account, sid, 'current', change), { faultCode: 20_404 });
    await world.service.update(world.account, sid, { status: 'completed' });
    await assert.rejects(world.service.startRecording(world.account, sid, RECORD), { faultCode: 21_220 });
    const { sid: waiting } = await world.create(BOB, WAIT);
    await assert.rejects(world.service.startRecording(world.account, waiting, RECORD), { faultCode: 21_220 });
  });

  test('keeps no row in progress when the sound cannot start', async () => {
    const { world, sid } = await talking();
    await world.leg(sid).close();
    await assert.rejects(world.service.startRecording(world.account, sid, RECORD));
    assert.equal([...world.recordings.values()][0]?.status, 'absent');
  });
});

suite('stopping', () => {
  test('ends every call, and waits for what is told last', async () => {
    const { world, sid } = await talking();
    world.phone('ann', ringingOnly);
    const ringing = await world.call('sip:ann@home.tandem', WAIT);
    world.app(`<Record action="http://app/recorded"/>`);
    await world.incoming({ uri: `sip:${NUMBER}@127.0.0.1` });
    await world.pass(3000);
    await world.clock.runUntil(world.service.drain());
    assert.equal(world.row(sid).status, 'completed');
    assert.equal(world.row(ringing).status, 'canceled');
    assert.match(world.row(sid).endReason ?? '', /stopped/);
    assert.equal(world.posted('http://app/recorded').length, 1, 'the action of a Record that was cut off');
    assert.deepEqual(world.leftovers(), []);
  });

  test('sends a call away that comes in meanwhile', async () => {
    const world = await CallWorld.open();
    world.app('<Pause length="60"/>');
    const draining = world.service.drain();
    const caller = await world.incoming({ uri: `sip:${NUMBER}@127.0.0.1` });
    await draining;
    assert.match(caller.final ?? '', /^480/);
    assert.deepEqual(world.leftovers(), []);
  });
});

test('calls on a media process that died end with the reason', async () => {
  const { world, sid } = await talking();
  world.service.mediaLost(world.media.node, 'killed');
  await world.settle();
  assert.equal(world.row(sid).status, 'completed');
  assert.match(world.row(sid).endReason ?? '', /killed/);
  assert.deepEqual(world.codes, [12_400]);
});

test('a caller and whom it called both end with the reason when their media process died', async () => {
  const world = await CallWorld.open();
  world.phone('bob', answering(0));
  world.phone('ann', answering(0));
  world.app('<Dial><Sip>sip:ann@home.tandem</Sip></Dial>');
  await world.call(BOB, { url: 'http://app/voice' });
  await world.pass(1000);
  world.service.mediaLost(world.media.node, 'killed');
  await world.settle();
  const legs = [...world.calls.rows.values()];
  assert.equal(legs.length, 2);
  for (const { status, endReason } of legs) {
    assert.equal(status, 'completed');
    assert.match(endReason ?? '', /killed/);
  }
  assert.deepEqual(world.codes, [12_400, 12_400]);
});

test('a live call goes on while the disk is full, and its row is right afterwards', async () => {
  const world = await CallWorld.open();
  world.phone('bob', answering(1000));
  const sid = await world.call(BOB, WAIT);
  world.calls.full = true;
  await world.pass(5000);
  assert.equal(world.row(sid).status, 'ringing', 'the disk is behind');
  world.attempt('bob').sipCall.leave();
  await world.pass(1000);
  assert.deepEqual(world.told(sid), ['completed']);
  world.calls.full = false;
  await world.pass(6000);
  const { status, stage, startTime, duration, accountSid } = world.row(sid);
  assert.deepEqual(
    { status, stage, duration, accountSid },
    {
      status: 'completed',
      stage: 'ended',
      duration: 4,
      accountSid: ACCOUNT_SID,
    },
  );
  assert.notEqual(startTime, null);
  assert.equal(world.clock.pending, 0, 'nothing is tried any more');
  assert.ok(APP);
});
