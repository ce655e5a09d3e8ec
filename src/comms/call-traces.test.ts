import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { VirtualClock } from '../base/virtual-clock.ts';
import { seededRandom } from '../base/random.ts';
import { newSid } from '../base/sid.ts';
import { CallTraces, type TraceChange } from './call-traces.ts';
import { newCall } from './calls/new-call.ts';
import type { Call } from './model.ts';

function scene(options: { readonly maxCalls?: number; readonly maxSteps?: number } = {}) {
  const clock = new VirtualClock(1000);
  const random = seededRandom(1);
  const traces = new CallTraces({ clock, ...options });
  const call = (): Call =>
    newCall(
      {
        ...{ accountSid: newSid('AC', random), to: 'client:a', from: '+12025550100', plan: {} },
        ...{ status: 'queued', stage: 'queued', direction: 'outbound-api' },
      },
      { clock, random },
    );
  return { clock, traces, call };
}

suite('traces of calls', () => {
  test('a row that changed its status is a step; one that did not is none', async () => {
    const { clock, traces, call } = scene();
    const made = call();
    traces.row(made);
    traces.row({ ...made, queueTime: 5 });
    await clock.advance(250);
    traces.row({ ...made, status: 'busy', sipResponseCode: 486, endReason: 'Busy Here' });
    assert.deepEqual(traces.of(made.sid), [
      { kind: 'state', status: 'queued', sipStatus: null, reason: null, number: 0, at: 1000 },
      { kind: 'state', status: 'busy', sipStatus: 486, reason: 'Busy Here', number: 1, at: 1250 },
    ]);
    assert.equal(traces.latest(made.sid)?.status, 'busy');
  });

  test('who watches hears rows and steps, until it stops', () => {
    const { traces, call } = scene();
    const heard: TraceChange['kind'][] = [];
    const stop = traces.watch((change) => heard.push(change.kind));
    const made = call();
    traces.row(made);
    traces.step(made, { kind: 'digit', digit: '5' });
    stop();
    traces.step(made, { kind: 'digit', digit: '6' });
    assert.deepEqual(heard, ['call', 'entry', 'entry']);
  });

  test('calls and steps are bounded; the oldest call is forgotten', () => {
    const { traces, call } = scene({ maxCalls: 2, maxSteps: 3 });
    const [first, second, third] = [call(), call(), call()];
    for (const made of [first, second, third]) traces.row(made);
    for (let more = 0; more < 10; more += 1) traces.step(third, { kind: 'digit', digit: '1' });
    assert.equal(traces.of(first.sid), undefined);
    assert.equal(traces.of(second.sid)?.length, 1);
    assert.equal(traces.of(third.sid)?.length, 3);
  });
});
