import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { afterEvent, callTrees, MAX_CALLS, NO_CALLS } from './live-calls.ts';
import type { Entry, ShownCall } from './model.ts';

function call(sid: string, changes: Partial<ShownCall> = {}): ShownCall {
  return {
    ...{ sid, parentCallSid: null, from: '+12025550100', to: 'client:a', direction: 'outbound-api', status: 'queued' },
    ...{ dateCreated: 1, startTime: null, endTime: null, duration: null, sipResponseCode: null, endReason: null },
    ...changes,
  };
}

const entry = (number: number): Entry => ({ kind: 'digit', digit: '1', number, at: number });
const watching = (entries: readonly Entry[]) =>
  afterEvent(NO_CALLS, {
    kind: 'snapshot',
    now: 1,
    calls: [call('CA1')],
    watched: { call: call('CA1'), legs: [], remembered: true, entries },
  });

suite('live calls', () => {
  test('a snapshot stands for everything before it', () => {
    const state = afterEvent(watching([entry(0)]), { kind: 'snapshot', now: 1, calls: [call('CA2')], watched: null });
    assert.deepEqual(state, { calls: [call('CA2')], watched: null, isKnown: true });
  });

  test('a changed call takes the place of what it was, and the newest stands first', () => {
    const state = afterEvent(watching([]), {
      kind: 'calls',
      calls: [call('CA1', { status: 'ringing' }), call('CA2', { dateCreated: 2 })],
    });
    assert.deepEqual(
      state.calls.map(({ sid, status }) => [sid, status]),
      [
        ['CA2', 'queued'],
        ['CA1', 'ringing'],
      ],
    );
    assert.equal(state.watched?.call.status, 'ringing');
  });

  test('a leg of the watched call joins it', () => {
    const state = afterEvent(watching([]), { kind: 'calls', calls: [call('CA2', { parentCallSid: 'CA1' })] });
    assert.deepEqual(
      state.watched?.legs.map(({ sid }) => sid),
      ['CA2'],
    );
  });

  test('an entry that comes twice is kept once, and one of another call not at all', () => {
    const state = watching([entry(0), entry(1)]);
    const more = afterEvent(state, { kind: 'entries', sid: 'CA1', entries: [entry(1), entry(2)] });
    assert.deepEqual(
      more.watched?.entries.map(({ number }) => number),
      [0, 1, 2],
    );
    assert.equal(afterEvent(state, { kind: 'entries', sid: 'CA9', entries: [entry(5)] }).watched, state.watched);
  });

  test('keeps a bounded number of calls, the newest', () => {
    const many = Array.from({ length: MAX_CALLS + 5 }, (_, at) => call(`CA${at}`, { dateCreated: at }));
    const state = afterEvent(NO_CALLS, { kind: 'calls', calls: many });
    assert.equal(state.calls.length, MAX_CALLS);
    assert.equal(state.calls[0]?.sid, `CA${MAX_CALLS + 4}`);
  });

  test('legs stand with their call; one whose call is unknown stands for itself', () => {
    const trees = callTrees([
      call('CA1'),
      call('CA2', { parentCallSid: 'CA1' }),
      call('CA3', { parentCallSid: 'CA0' }),
    ]);
    assert.deepEqual(
      trees.map((tree) => [tree.call.sid, tree.legs.map(({ sid }) => sid)]),
      [
        ['CA1', ['CA2']],
        ['CA3', []],
      ],
    );
  });
});
