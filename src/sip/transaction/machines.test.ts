import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_TIMERS } from '../timers.ts';
import { INVITE_CLIENT_START, stepInviteClient, type InviteClientEvent } from './invite-client.ts';
import { INVITE_SERVER_START, stepInviteServer, type InviteServerEvent } from './invite-server.ts';
import type { MachineContext, Step, TransactionEffect } from './machine.ts';
import { NON_INVITE_CLIENT_START, stepNonInviteClient, type NonInviteClientEvent } from './non-invite-client.ts';
import { NON_INVITE_SERVER_START, stepNonInviteServer, type NonInviteServerEvent } from './non-invite-server.ts';

const UDP: MachineContext = { timers: DEFAULT_TIMERS, reliable: false };
const TCP: MachineContext = { timers: DEFAULT_TIMERS, reliable: true };

function run<State, Event>(
  step: (state: State, event: Event, context: MachineContext) => Step<State>,
  start: State,
  context: MachineContext,
): { take(event: Event): readonly string[]; readonly state: () => State } {
  let state = start;
  return {
    take: (event) => {
      const next = step(state, event, context);
      state = next.state;
      return next.effects.map(describe);
    },
    state: () => state,
  };
}

function describe(effect: TransactionEffect): string {
  if (effect.kind === 'arm') return `${effect.timer} ${effect.afterMs}`;
  if (effect.kind === 'disarm') return `no ${effect.timer}`;
  return effect.kind === 'fail' ? `fail ${effect.cause}` : effect.kind;
}

test('an INVITE client over datagrams repeats at A and gives up at B', () => {
  const machine = run(stepInviteClient, INVITE_CLIENT_START, UDP);
  assert.deepEqual(machine.take({ kind: 'start' }), ['send-request', 'A 500', 'B 32000']);
  assert.deepEqual(machine.take({ kind: 'timer', timer: 'A' }), ['send-request', 'A 1000']);
  assert.deepEqual(machine.take({ kind: 'timer', timer: 'A' }), ['send-request', 'A 2000']);
  assert.deepEqual(machine.take({ kind: 'timer', timer: 'B' }), ['fail timeout', 'terminate']);
});

test('an INVITE client acknowledges a failure each time it comes, for the 32 s of D', () => {
  const machine = run(stepInviteClient, INVITE_CLIENT_START, UDP);
  machine.take({ kind: 'start' });
  assert.deepEqual(machine.take({ kind: 'response', status: 180 }), ['no A', 'no B', 'deliver']);
  assert.deepEqual(machine.take({ kind: 'response', status: 486 }), ['no A', 'no B', 'send-ack', 'D 32000', 'deliver']);
  assert.deepEqual(machine.take({ kind: 'response', status: 486 }), ['send-ack']);
  assert.deepEqual(machine.take({ kind: 'timer', timer: 'D' }), ['terminate']);
});

test('an INVITE client passes every 2xx up until M, on streams too (RFC 6026)', () => {
  const machine = run(stepInviteClient, INVITE_CLIENT_START, TCP);
  assert.deepEqual(machine.take({ kind: 'start' }), ['send-request', 'B 32000']);
  assert.deepEqual(machine.take({ kind: 'response', status: 200 }), ['no A', 'no B', 'M 32000', 'deliver']);
  assert.deepEqual(machine.take({ kind: 'response', status: 200 }), ['deliver']);
  assert.deepEqual(machine.take({ kind: 'response', status: 486 }), []);
  assert.deepEqual(machine.take({ kind: 'timer', timer: 'M' }), ['terminate']);
});

test('a non-INVITE client doubles E up to T2, and stays at T2 once a provisional came', () => {
  const machine = run(stepNonInviteClient, NON_INVITE_CLIENT_START, UDP);
  assert.deepEqual(machine.take({ kind: 'start' }), ['send-request', 'E 500', 'F 32000']);
  for (const expected of [1000, 2000, 4000, 4000]) {
    assert.deepEqual(machine.take({ kind: 'timer', timer: 'E' }), ['send-request', `E ${expected}`]);
  }
  assert.deepEqual(machine.take({ kind: 'response', status: 100 }), ['deliver']);
  assert.deepEqual(machine.take({ kind: 'timer', timer: 'E' }), ['send-request', 'E 4000']);
  assert.deepEqual(machine.take({ kind: 'response', status: 200 }), ['no E', 'no F', 'K 5000', 'deliver']);
  assert.deepEqual(machine.take({ kind: 'response', status: 200 }), []);
  assert.deepEqual(machine.take({ kind: 'timer', timer: 'K' }), ['terminate']);
});

test('an INVITE server repeats a failure at G until its ACK, absorbs for I', () => {
  const machine = run(stepInviteServer, INVITE_SERVER_START, UDP);
  assert.deepEqual(machine.take({ kind: 'request' }), []);
  assert.deepEqual(machine.take({ kind: 'respond', status: 180 }), ['send-response']);
  assert.deepEqual(machine.take({ kind: 'request' }), ['send-response']);
  assert.deepEqual(machine.take({ kind: 'respond', status: 486 }), ['send-response', 'G 500', 'H 32000']);
  for (const expected of [1000, 2000, 4000, 4000]) {
    assert.deepEqual(machine.take({ kind: 'timer', timer: 'G' }), ['send-response', `G ${expected}`]);
  }
  assert.deepEqual(machine.take({ kind: 'ack' }), ['no G', 'no H', 'I 5000']);
  assert.deepEqual(machine.take({ kind: 'ack' }), []);
  assert.deepEqual(machine.take({ kind: 'timer', timer: 'I' }), ['terminate']);
});

test('an INVITE server without an ACK for its failure gives up at H', () => {
  const machine = run(stepInviteServer, INVITE_SERVER_START, TCP);
  assert.deepEqual(machine.take({ kind: 'respond', status: 500 }), ['send-response', 'H 32000']);
  assert.deepEqual(machine.take({ kind: 'timer', timer: 'H' }), ['fail timeout', 'terminate']);
});

test('an INVITE server that was answered with 2xx absorbs the INVITE and lets its user repeat (RFC 6026)', () => {
  const machine = run(stepInviteServer, INVITE_SERVER_START, UDP);
  assert.deepEqual(machine.take({ kind: 'respond', status: 200 }), ['send-response', 'L 32000']);
  assert.deepEqual(machine.take({ kind: 'request' }), []);
  assert.deepEqual(machine.take({ kind: 'respond', status: 200 }), ['send-response']);
  assert.deepEqual(machine.take({ kind: 'respond', status: 486 }), []);
  assert.deepEqual(machine.take({ kind: 'timer', timer: 'L' }), ['terminate']);
});

test('a non-INVITE server answers repeats for J, and on streams not at all', () => {
  const machine = run(stepNonInviteServer, NON_INVITE_SERVER_START, UDP);
  assert.deepEqual(machine.take({ kind: 'request' }), []);
  assert.deepEqual(machine.take({ kind: 'respond', status: 200 }), ['send-response', 'J 32000']);
  assert.deepEqual(machine.take({ kind: 'request' }), ['send-response']);
  assert.deepEqual(machine.take({ kind: 'respond', status: 500 }), []);
  assert.deepEqual(machine.take({ kind: 'timer', timer: 'J' }), ['terminate']);
  const stream = run(stepNonInviteServer, NON_INVITE_SERVER_START, TCP);
  assert.deepEqual(stream.take({ kind: 'respond', status: 200 }), ['send-response', 'J 0']);
});

const status = fc.integer({ min: 100, max: 699 });
const timer = <T extends string>(...names: T[]): fc.Arbitrary<{ readonly kind: 'timer'; readonly timer: T }> =>
  fc.record({ kind: fc.constant('timer' as const), timer: fc.constantFrom(...names) });
const kinds = <T extends string>(...names: T[]): fc.Arbitrary<{ readonly kind: T }> =>
  fc.constantFrom(...names).map((kind) => ({ kind }));
const response = fc.record({ kind: fc.constant('response' as const), status });
const respond = fc.record({ kind: fc.constant('respond' as const), status });

/** Nothing happens after the end, and the end is told once. */
function endsOnce<State, Event>(
  step: (state: State, event: Event, context: MachineContext) => Step<State>,
  start: State,
  event: fc.Arbitrary<Event>,
): void {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), fc.boolean(), (events, reliable) => {
      const machine = run(step, start, reliable ? TCP : UDP);
      const ends: number[] = [];
      events.forEach((each, index) => {
        const effects = machine.take(each);
        if (ends.length > 0) assert.deepEqual(effects, []);
        if (effects.includes('terminate')) ends.push(index);
      });
      assert.ok(ends.length <= 1);
    }),
  );
}

test('whatever happens in whatever order, a transaction ends at most once and is silent afterwards', () => {
  endsOnce(
    stepInviteClient,
    INVITE_CLIENT_START,
    fc.oneof<fc.Arbitrary<InviteClientEvent>[]>(kinds('start', 'transport-error'), response, timer('A', 'B', 'D', 'M')),
  );
  endsOnce(
    stepNonInviteClient,
    NON_INVITE_CLIENT_START,
    fc.oneof<fc.Arbitrary<NonInviteClientEvent>[]>(kinds('start', 'transport-error'), response, timer('E', 'F', 'K')),
  );
  endsOnce(
    stepInviteServer,
    INVITE_SERVER_START,
    fc.oneof<fc.Arbitrary<InviteServerEvent>[]>(
      kinds('request', 'ack', 'transport-error'),
      respond,
      timer('G', 'H', 'I', 'L'),
    ),
  );
  endsOnce(
    stepNonInviteServer,
    NON_INVITE_SERVER_START,
    fc.oneof<fc.Arbitrary<NonInviteServerEvent>[]>(kinds('request', 'transport-error'), respond, timer('J')),
  );
});
