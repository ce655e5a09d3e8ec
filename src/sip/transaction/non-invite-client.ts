import { transactionTimeoutMs } from '../timers.ts';
import { stay, type MachineContext, type Step } from './machine.ts';

/** RFC 3261 17.1.2.2, Figure 6. */
export type NonInviteClientState =
  | { readonly name: 'trying'; readonly intervalMs: number }
  | { readonly name: 'proceeding' | 'completed' | 'terminated' };

export type NonInviteClientEvent =
  | { readonly kind: 'start' }
  | { readonly kind: 'response'; readonly status: number }
  | { readonly kind: 'timer'; readonly timer: 'E' | 'F' | 'K' }
  | { readonly kind: 'transport-error' };

export const NON_INVITE_CLIENT_START: NonInviteClientState = { name: 'trying', intervalMs: 0 };
const TERMINATED: NonInviteClientState = { name: 'terminated' };

export function stepNonInviteClient(
  state: NonInviteClientState,
  event: NonInviteClientEvent,
  context: MachineContext,
): Step<NonInviteClientState> {
  if (state.name === 'terminated') return stay(state);
  if (state.name === 'completed') {
    return event.kind === 'timer' && event.timer === 'K' ? stay(TERMINATED, { kind: 'terminate' }) : stay(state);
  }
  switch (event.kind) {
    case 'start':
      return start(context);
    case 'timer':
      return onTimer(state, event.timer, context);
    case 'response':
      return onResponse(event.status, context);
    case 'transport-error':
      return stay(TERMINATED, { kind: 'fail', cause: 'transport' }, { kind: 'terminate' });
  }
}

function start(context: MachineContext): Step<NonInviteClientState> {
  const { t1Ms } = context.timers;
  return stay(
    { name: 'trying', intervalMs: t1Ms },
    { kind: 'send-request' },
    ...(context.reliable ? [] : [{ kind: 'arm', timer: 'E', afterMs: t1Ms } as const]),
    { kind: 'arm', timer: 'F', afterMs: transactionTimeoutMs(context.timers) },
  );
}

function onTimer(
  state: NonInviteClientState,
  timer: 'E' | 'F' | 'K',
  context: MachineContext,
): Step<NonInviteClientState> {
  if (timer === 'F') return stay(TERMINATED, { kind: 'fail', cause: 'timeout' }, { kind: 'terminate' });
  if (timer === 'K') return stay(state);
  const { t2Ms } = context.timers;
  const intervalMs = state.name === 'trying' ? Math.min(state.intervalMs * 2, t2Ms) : t2Ms;
  return stay(
    state.name === 'trying' ? { name: 'trying', intervalMs } : state,
    { kind: 'send-request' },
    { kind: 'arm', timer: 'E', afterMs: intervalMs },
  );
}

function onResponse(status: number, context: MachineContext): Step<NonInviteClientState> {
  if (status < 200) return stay({ name: 'proceeding' }, { kind: 'deliver' });
  return stay(
    { name: 'completed' },
    { kind: 'disarm', timer: 'E' },
    { kind: 'disarm', timer: 'F' },
    { kind: 'arm', timer: 'K', afterMs: context.reliable ? 0 : context.timers.t4Ms },
    { kind: 'deliver' },
  );
}
