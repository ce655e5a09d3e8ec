import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { CallWorld } from './test/call-world.ts';
import { ringingOnly } from './test/scripted-user-agent.ts';
import { BOB, RECORD, WAIT, talking } from './test/talking-call.ts';

suite('after a crash', () => {
  test('what was dialled or talked is closed and told, what waits stays', async () => {
    const { world, sid } = await talking();
    world.phone('ann', ringingOnly);
    const ringing = await world.call('sip:ann@home.tandem', WAIT);
    const { sid: waiting } = await world.create(BOB, WAIT);
    const rows = world.all;

    const again = await CallWorld.open();
    for (const row of rows) again.calls.rows.set(row.sid, row);
    assert.equal(await again.service.recover(), 2);
    assert.equal(again.row(sid).status, 'completed');
    assert.equal(again.row(ringing).status, 'failed');
    assert.match(again.row(ringing).endReason ?? '', /interrupted/);
    assert.equal(again.row(waiting).stage, 'queued');
    assert.deepEqual(again.told(ringing), ['failed']);
    assert.deepEqual(again.codes, [12_400, 12_400]);
    assert.equal(again.userAgent.attempts.length, 0, 'nobody is called again');
    assert.equal(await again.service.recover(), 0);
  });

  test('its row stays open until its notification is on disk, and the next start writes no second one', async () => {
    const { world, sid } = await talking();
    const again = await CallWorld.open();
    again.calls.rows.set(sid, world.row(sid));
    const stages: string[] = [];
    again.beforeNotification = async (which) => void stages.push(again.row(which).stage);
    await again.service.recover();
    assert.deepEqual(stages, ['live']);
    // Another crash came between the notification and the row.
    const third = await CallWorld.open();
    third.calls.rows.set(sid, world.row(sid));
    third.faults.push(...again.faults);
    await third.service.recover();
    assert.deepEqual(third.codes, [12_400]);
    assert.equal(third.row(sid).stage, 'ended');
  });

  test('its row stays open while its notification cannot be written, and both are done when it can, once', async () => {
    const { world, sid } = await talking();
    const again = await CallWorld.open();
    again.calls.rows.set(sid, world.row(sid));
    again.beforeNotification = async () => {
      throw new Error('the disk is full');
    };
    await again.service.recover();
    // The lane has kept the call too.
    await again.service.interrupted(again.row(sid));
    assert.equal(again.row(sid).stage, 'live');
    again.beforeNotification = undefined;
    await again.pass(6000);
    assert.equal(again.row(sid).stage, 'ended');
    assert.deepEqual(again.codes, [12_400]);
    assert.deepEqual(again.told(sid), ['completed']);
  });

  test('a call that was up is accounted until the last moment at which the server is known to have lived', async () => {
    const { world, sid } = await talking();
    const row = world.row(sid);
    const answered = row.startTime ?? 0;
    for (const [aliveUntil, duration] of [
      [answered + 7_000, 7],
      [answered - 7_000, 0],
      [undefined, 0],
      // A mark in the future, as after a clock that was set back.
      [answered + 86_400_000, 60],
    ] as const) {
      const again = await CallWorld.open();
      again.calls.rows.set(sid, row);
      await again.clock.advance(answered + 60_000 - again.clock.now());
      await again.service.recover(aliveUntil);
      assert.equal(again.row(sid).duration, duration, String(aliveUntil));
      assert.equal(again.row(sid).endTime, answered + duration * 1000);
      assert.equal(again.events.at(-1)?.parameters['CallDuration'], String(duration));
    }
  });

  test('its events go on with the next number', async () => {
    const { world, sid } = await talking();
    const told = world.events.filter(({ callSid }) => callSid === sid);
    const again = await CallWorld.open();
    again.calls.rows.set(sid, world.row(sid));
    await again.service.recover();
    assert.equal(again.events.at(-1)?.parameters['SequenceNumber'], String(told.length));
  });

  test('an end that was written and not told is told, with its recording, and once', async () => {
    const { world, sid } = await talking();
    world.deliveryHangs = true;
    const recording = await world.service.startRecording(world.account, sid, RECORD);
    await world.pass(1000);
    await world.service.update(world.account, sid, { status: 'completed' });
    const last = world.events.filter(({ callSid }) => callSid === sid).at(-1)?.parameters;
    assert.equal(world.row(sid).endUntold, true);
    const again = await CallWorld.open();
    again.calls.rows.set(sid, world.row(sid));
    for (const row of world.recordings.values()) again.recordings.set(row.sid, row);
    assert.equal(await again.service.recover(), 0);
    await again.service.tellUntoldEnds();
    await again.service.tellUntoldEnds();
    const [event, ...rest] = again.events.filter(({ parameters: { CallStatus } }) => CallStatus !== undefined);
    const { Timestamp: _, ...parameters } = event?.parameters ?? {};
    const { Timestamp: __, ...wanted } = last ?? {};
    assert.deepEqual(parameters, wanted);
    assert.equal(parameters['RecordingSid'], recording.sid);
    assert.deepEqual(rest, []);
    assert.equal(again.row(sid).endUntold, false);
  });

  test('a recording that was running is absent', async () => {
    const { world, sid } = await talking();
    const { sid: recording } = await world.service.startRecording(world.account, sid, RECORD);
    const again = await CallWorld.open();
    for (const row of world.recordings.values()) again.recordings.set(row.sid, row);
    await again.service.recover();
    assert.equal(again.recordings.get(recording)?.status, 'absent');
    assert.equal(again.recordings.get(recording)?.errorCode, 12_400);
  });

  test('the end of a recording is told by the next start as it was asked for, once: absent, or completed', async () => {
    const { world, sid } = await talking();
    const wanting = (...statusCallbackEvents: readonly ('completed' | 'absent')[]) => ({
      ...RECORD,
      statusCallback: `http://app/${statusCallbackEvents.join('-')}`,
      statusCallbackEvents,
    });
    // Stored, and the crash came before the application had heard of it.
    world.deliveryHangs = true;
    const stored = await world.service.startRecording(world.account, sid, wanting('completed'));
    await world.pass(2000);
    await world.service.updateRecording(world.account, sid, stored.sid, {
      status: 'stopped',
      pauseBehavior: 'silence',
    });
    // Two that were running: who wants only completed ones hears nothing.
    const running = await world.service.startRecording(world.account, sid, wanting('completed', 'absent'));
    const unwanted = await world.service.startRecording(world.account, sid, wanting('completed'));
    const again = await CallWorld.open();
    again.calls.rows.set(sid, world.row(sid));
    for (const row of world.recordings.values()) again.recordings.set(row.sid, row);
    await again.service.recover();
    await again.service.tellUntoldEnds();
    await again.service.tellUntoldEnds();
    const told = again.events.filter(({ url }) => url.startsWith('http://app/completed'));
    assert.deepEqual(
      told.map(({ url, parameters }) => [url, parameters['RecordingSid'], parameters['RecordingStatus']]),
      [
        ['http://app/completed', stored.sid, 'completed'],
        ['http://app/completed-absent', running.sid, 'absent'],
      ],
    );
    const before = world.events.find(({ parameters }) => parameters['RecordingStatus'] === 'completed');
    assert.deepEqual(told[0]?.parameters, before?.parameters, 'as the last run told it');
    assert.equal(told[1]?.parameters['ErrorCode'], '12400');
    for (const each of [stored, running, unwanted]) assert.equal(again.recordings.get(each.sid)?.untoldEnd, null);
  });

  test('a call that waited too long fails with the reason', async () => {
    const world = await CallWorld.open();
    const call = await world.create(BOB, WAIT);
    await world.service.expired(call);
    assert.equal(world.row(call.sid).status, 'failed');
    assert.deepEqual(world.told(call.sid), ['failed']);
  });
});
