import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { silentLogger } from '../../base/logger.ts';
import type { CallSid } from '../../base/sid.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { CommsError } from '../comms-error.ts';
import type { Call, CallPlan } from '../model.ts';
import { CallJournal, MAX_REWRITES, REWRITE_MS, type CallChanges, type StatusEvent } from './call-journal.ts';
import { storageFull } from './test/memory-calls.ts';

class Disk {
  readonly clock = new VirtualClock();
  readonly writes: CallChanges[] = [];
  readonly events: StatusEvent[] = [];
  readonly toldEnds: CallSid[] = [];
  failure: Error | undefined;
  /** The next write waits until it is let go. */
  gate: Promise<void> | undefined;

  journal(plan: CallPlan = {}): CallJournal {
    const call = {
      sid: 'CA1' as CallSid,
      status: 'queued',
      plan,
      eventsNumbered: 0,
      duration: null,
      sipResponseCode: null,
    } as Call;
    return new CallJournal(call, {
      clock: this.clock,
      log: silentLogger,
      update: async (_sid, changes) => {
        await this.gate;
        if (this.failure !== undefined) throw this.failure;
        this.writes.push(changes);
      },
      deliver: (_call, event) => void this.events.push(event),
      endTold: (sid) => {
        this.toldEnds.push(sid);
        return Promise.resolve();
      },
    });
  }
}

suite('changes of a call', () => {
  test('are seen at once and reach the disk in order', async () => {
    const disk = new Disk();
    const journal = disk.journal();
    const first = journal.change({ status: 'ringing' });
    assert.equal(journal.call.status, 'ringing');
    await first;
    await journal.change({ status: 'in-progress' });
    assert.deepEqual(disk.writes, [{ status: 'ringing' }, { status: 'in-progress' }]);
  });

  test('that were made while another is written go together', async () => {
    const disk = new Disk();
    const gate = Promise.withResolvers<void>();
    disk.gate = gate.promise;
    const journal = disk.journal();
    const changes = [
      journal.change({ status: 'ringing' }),
      journal.change({ status: 'in-progress', startTime: 5 }),
      journal.change({ stage: 'live' }),
    ];
    gate.resolve();
    await Promise.all(changes);
    assert.equal(disk.writes.length <= 2, true);
    assert.deepEqual(Object.assign({}, ...disk.writes), { status: 'in-progress', startTime: 5, stage: 'live' });
  });

  test('that were refused are written with the next one, the later value winning', async () => {
    const disk = new Disk();
    disk.failure = storageFull();
    const journal = disk.journal();
    await journal.change({ status: 'in-progress', startTime: 5 });
    disk.failure = undefined;
    await journal.change({ status: 'completed', endTime: 9 });
    assert.deepEqual(disk.writes, [{ status: 'completed', startTime: 5, endTime: 9 }]);
  });

  test('that were refused at the end are written by themselves, as soon as the disk takes them', async () => {
    const disk = new Disk();
    disk.failure = storageFull();
    const journal = disk.journal();
    await journal.change({ status: 'completed' });
    await disk.clock.advance(3 * REWRITE_MS);
    assert.deepEqual(disk.writes, []);
    disk.failure = undefined;
    await disk.clock.advance(REWRITE_MS);
    assert.deepEqual(disk.writes, [{ status: 'completed' }]);
    assert.equal(disk.clock.pending, 0);
  });

  test('are given up in the end, and at once when there is no row any more', async () => {
    const disk = new Disk();
    disk.failure = storageFull();
    await disk.journal().change({ status: 'completed' });
    await disk.clock.advance((MAX_REWRITES + 1) * REWRITE_MS);
    assert.equal(disk.clock.pending, 0);
    disk.failure = new CommsError('not-found', 'deleted', { faultCode: 20_404, httpStatus: 404 });
    await disk.journal().change({ status: 'completed' });
    assert.equal(disk.clock.pending, 0);
  });
});

suite('events of a call', () => {
  const url = 'http://app/status';

  test('are told once each, numbered without a gap, only those that were asked for', async () => {
    const disk = new Disk();
    const journal = disk.journal({ statusCallback: url, statusCallbackEvents: ['ringing', 'completed'] });
    for (const event of ['initiated', 'ringing', 'ringing', 'answered', 'completed', 'completed'] as const) {
      journal.tell(event);
    }
    await journal.settled();
    assert.deepEqual(
      disk.events.map(({ parameters }) => parameters['SequenceNumber']),
      ['0', '1'],
    );
    assert.equal(disk.events[0]?.method, 'POST');
  });

  test('are nobody’s without a status callback', async () => {
    const disk = new Disk();
    const journal = disk.journal();
    journal.tell('completed');
    await journal.settled();
    assert.deepEqual(disk.events, []);
  });

  test('carry the moment, and the end its length and recording', async () => {
    const disk = new Disk();
    const journal = disk.journal({ statusCallback: url, statusCallbackMethod: 'GET' });
    journal.recorded({ url: 'http://tandem/RE1', sid: 'RE1', durationSeconds: 61 });
    void journal.change({ status: 'completed', duration: 61, sipResponseCode: 200 });
    journal.tell('completed');
    await journal.settled();
    const [event] = disk.events;
    assert.equal(event?.method, 'GET');
    assert.equal(event.parameters['Timestamp'], 'Thu, 01 Jan 1970 00:00:00 +0000');
    assert.equal(event.parameters['CallDuration'], '61');
    assert.equal(event.parameters['Duration'], '2');
    assert.equal(event.parameters['RecordingDuration'], '61');
    assert.equal(event.parameters['CallStatus'], 'completed');
  });
});

suite('an event', () => {
  const plan: CallPlan = { statusCallback: 'http://app/', statusCallbackEvents: ['initiated', 'ringing', 'completed'] };

  test('leaves only when what it says, and its number, are on disk', async () => {
    const disk = new Disk();
    const gate = Promise.withResolvers<void>();
    disk.gate = gate.promise;
    const journal = disk.journal(plan);
    void journal.change({ status: 'ringing' });
    journal.tell('ringing');
    await disk.clock.advance(1000);
    assert.deepEqual(disk.events, []);
    gate.resolve();
    await journal.settled();
    assert.deepEqual(disk.writes, [{ status: 'ringing', eventsNumbered: 1 }]);
    assert.deepEqual(
      disk.events.map(({ parameters }) => parameters['SequenceNumber']),
      ['0'],
    );
  });

  test('leaves all the same when the disk refuses', async () => {
    const disk = new Disk();
    disk.failure = storageFull();
    const journal = disk.journal(plan);
    journal.tell('initiated');
    await journal.settled();
    assert.equal(disk.events.length, 1);
  });

  test('that is the last is noted as untold with the end, and as told afterwards', async () => {
    const disk = new Disk();
    const journal = disk.journal(plan);
    await journal.change({ status: 'completed', stage: 'ended' });
    assert.deepEqual(disk.writes, [{ status: 'completed', stage: 'ended', endUntold: true }]);
    journal.tell('completed');
    await journal.settled();
    assert.deepEqual(disk.toldEnds, []);
    await disk.events[0]?.afterwards?.();
    assert.deepEqual(disk.toldEnds, ['CA1']);
  });
});
