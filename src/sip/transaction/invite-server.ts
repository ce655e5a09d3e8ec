import { transactionTimeoutMs } from '../timers.ts';
import { stay, type MachineContext, type Step } from './machine.ts';

/** RFC 3261 17.2.1, Figure 7, with the Accepted state of RFC 6026 7.1. */
export type InviteServerState =
  | { readonly name: 'proceeding'; readonly responded: boolean }
  | { readonly name: 'completed'; readonly intervalMs: number }
  | { readonly name: 'accepted' | 'confirmed' | 'terminated' };

export type InviteServerEvent =
  /** The INVITE came again. */
  | { readonly kind: 'request' }
  | { readonly kind: 'ack' }
  /** The transaction user answers. */
  | { readonly kind: 'respond'; readonly status: number }
  | { readonly kind: 'timer'; readonly timer: 'G' | 'H' | 'I' | 'L' }
  | { readonly kind: 'transport-error' };

export const INVITE_SERVER_START: InviteServerState = { name: 'proceeding', responded: false };
const TERMINATED: InviteServerState = { name: 'terminated' };

export function stepInviteServer(
  state: InviteServerState,
  event: InviteServerEvent,
  context: MachineContext,
): Step<InviteServerState> {
  switch (state.name) {
    case 'proceeding':
      return whileProceeding(state, event, context);
    case 'completed':
      return whileCompleted(state, event, context);
    case 'accepted':
      return whileAccepted(state, event);
    case 'confirmed':
      if (event.kind === 'timer' && event.timer === 'I') return stay(TERMINATED, { kind: 'terminate' });
      return stay(state);
    case 'terminated':
      return stay(state);
  }
}

function whileProceeding(
  state: InviteServerState & { readonly name: 'proceeding' },
  event: InviteServerEvent,
  context: MachineContext,
): Step<InviteServerState> {
  if (event.kind === 'request') return state.responded ? stay(state, { kind: 'send-response' }) : stay(state);
  if (event.kind === 'transport-error') return failed('transport');
  if (event.kind !== 'respond') return stay(state);
  if (event.status < 200) return stay({ name: 'proceeding', responded: true }, { kind: 'send-response' });
  const afterMs = transactionTimeoutMs(context.timers);
  if (event.status < 300) {
    return stay({ name: 'accepted' }, { kind: 'send-response' }, { kind: 'arm', timer: 'L', afterMs });
  }
  const { t1Ms } = context.timers;
  return stay(
    { name: 'completed', intervalMs: t1Ms },
    { kind: 'send-response' },
    ...(context.reliable ? [] : [{ kind: 'arm', timer: 'G', afterMs: t1Ms } as const]),
    { kind: 'arm', timer: 'H', afterMs },
  );
}

function whileCompleted(
  state: InviteServerState & { readonly name: 'completed' },
  event: InviteServerEvent,
  context: MachineContext,
): Step<InviteServerState> {
  switch (event.kind) {
    case 'request':
      return stay(state, { kind: 'send-response' });
    case 'ack':
      return stay(
        { name: 'confirmed' },
        { kind: 'disarm', timer: 'G' },
        { kind: 'disarm', timer: 'H' },
        { kind: 'arm', timer: 'I', afterMs: context.reliable ? 0 : context.timers.t4Ms },
      );
    case 'timer': {
      if (event.timer === 'H') return failed('timeout');
      if (event.timer !== 'G') return stay(state);
      const intervalMs = Math.min(state.intervalMs * 2, context.timers.t2Ms);
      return stay(
        { name: 'completed', intervalMs },
        { kind: 'send-response' },
        { kind: 'arm', timer: 'G', afterMs: intervalMs },
      );
    }
    case 'transport-error':
      return failed('transport');
    case 'respond':
      return stay(state);
  }
}

/** Repeats of the INVITE are absorbed; the transaction user itself repeats its 2xx (RFC 6026 7.1). */
function whileAccepted(state: InviteServerState, event: InviteServerEvent): Step<InviteServerState> {
  if (event.kind === 'ack') return stay(state, { kind: 'deliver' });
  if (event.kind === 'respond' && event.status >= 200 && event.status < 300) {
    return stay(state, { kind: 'send-response' });
  }
  if (event.kind === 'timer' && event.timer === 'L') return stay(TERMINATED, { kind: 'terminate' });
  return stay(state);
}

function failed(cause: 'timeout' | 'transport'): Step<InviteServerState> {
  return stay(TERMINATED, { kind: 'fail', cause }, { kind: 'terminate' });
}
