import { TIMER_D_MS, transactionTimeoutMs } from '../timers.ts';
import { stay, type MachineContext, type Step } from './machine.ts';

/** RFC 3261 17.1.1.2, Figure 5, with the Accepted state of RFC 6026 7.2. */
export type InviteClientState =
  | { readonly name: 'calling'; readonly intervalMs: number }
  | { readonly name: 'proceeding' | 'completed' | 'accepted' | 'terminated' };

export type InviteClientEvent =
  | { readonly kind: 'start' }
  | { readonly kind: 'response'; readonly status: number }
  | { readonly kind: 'timer'; readonly timer: 'A' | 'B' | 'D' | 'M' }
  | { readonly kind: 'transport-error' };

export const INVITE_CLIENT_START: InviteClientState = { name: 'calling', intervalMs: 0 };
const TERMINATED: InviteClientState = { name: 'terminated' };

export function stepInviteClient(
  state: InviteClientState,
  event: InviteClientEvent,
  context: MachineContext,
): Step<InviteClientState> {
  switch (state.name) {
    case 'calling':
      return whileCalling(state, event, context);
    case 'proceeding':
      return whileProceeding(state, event, context);
    case 'completed':
      return whileCompleted(state, event);
    case 'accepted':
      return whileAccepted(state, event);
    case 'terminated':
      return stay(state);
  }
}

function whileCalling(
  state: InviteClientState & { readonly name: 'calling' },
  event: InviteClientEvent,
  context: MachineContext,
): Step<InviteClientState> {
  const { t1Ms } = context.timers;
  switch (event.kind) {
    case 'start':
      return stay(
        { name: 'calling', intervalMs: t1Ms },
        { kind: 'send-request' },
        ...(context.reliable ? [] : [{ kind: 'arm', timer: 'A', afterMs: t1Ms } as const]),
        { kind: 'arm', timer: 'B', afterMs: transactionTimeoutMs(context.timers) },
      );
    case 'timer': {
      if (event.timer === 'B') return stay(TERMINATED, { kind: 'fail', cause: 'timeout' }, { kind: 'terminate' });
      if (event.timer !== 'A') return stay(state);
      const intervalMs = state.intervalMs * 2;
      return stay(
        { name: 'calling', intervalMs },
        { kind: 'send-request' },
        { kind: 'arm', timer: 'A', afterMs: intervalMs },
      );
    }
    case 'response':
      return onResponse(event.status, context);
    case 'transport-error':
      return stay(TERMINATED, { kind: 'fail', cause: 'transport' }, { kind: 'terminate' });
  }
}

function whileProceeding(
  state: InviteClientState,
  event: InviteClientEvent,
  context: MachineContext,
): Step<InviteClientState> {
  return event.kind === 'response' ? onResponse(event.status, context) : stay(state);
}

function onResponse(status: number, context: MachineContext): Step<InviteClientState> {
  const still = [{ kind: 'disarm', timer: 'A' } as const, { kind: 'disarm', timer: 'B' } as const];
  if (status < 200) return stay({ name: 'proceeding' }, ...still, { kind: 'deliver' });
  if (status < 300) {
    // RFC 6026 7.2: Timer M leaves time for the 2xx of other forks, on every transport.
    const afterMs = transactionTimeoutMs(context.timers);
    return stay({ name: 'accepted' }, ...still, { kind: 'arm', timer: 'M', afterMs }, { kind: 'deliver' });
  }
  const afterMs = context.reliable ? 0 : Math.max(TIMER_D_MS, transactionTimeoutMs(context.timers));
  return stay(
    { name: 'completed' },
    ...still,
    { kind: 'send-ack' },
    { kind: 'arm', timer: 'D', afterMs },
    { kind: 'deliver' },
  );
}

function whileCompleted(state: InviteClientState, event: InviteClientEvent): Step<InviteClientState> {
  if (event.kind === 'response') return event.status >= 300 ? stay(state, { kind: 'send-ack' }) : stay(state);
  if (event.kind === 'timer' && event.timer === 'D') return stay(TERMINATED, { kind: 'terminate' });
  if (event.kind === 'transport-error') return stay(TERMINATED, { kind: 'terminate' });
  return stay(state);
}

function whileAccepted(state: InviteClientState, event: InviteClientEvent): Step<InviteClientState> {
  if (event.kind === 'response' && event.status >= 200 && event.status < 300) return stay(state, { kind: 'deliver' });
  if (event.kind === 'timer' && event.timer === 'M') return stay(TERMINATED, { kind: 'terminate' });
  return stay(state);
}
