import { transactionTimeoutMs } from '../timers.ts';
import { stay, type MachineContext, type Step } from './machine.ts';

/** RFC 3261 17.2.2, Figure 8. */
export type NonInviteServerState = { readonly name: 'trying' | 'proceeding' | 'completed' | 'terminated' };

export type NonInviteServerEvent =
  /** The request came again. */
  | { readonly kind: 'request' }
  /** The transaction user answers. */
  | { readonly kind: 'respond'; readonly status: number }
  | { readonly kind: 'timer'; readonly timer: 'J' }
  | { readonly kind: 'transport-error' };

export const NON_INVITE_SERVER_START: NonInviteServerState = { name: 'trying' };
const PROCEEDING: NonInviteServerState = { name: 'proceeding' };
const COMPLETED: NonInviteServerState = { name: 'completed' };
const TERMINATED: NonInviteServerState = { name: 'terminated' };

export function stepNonInviteServer(
  state: NonInviteServerState,
  event: NonInviteServerEvent,
  context: MachineContext,
): Step<NonInviteServerState> {
  if (state.name === 'terminated') return stay(state);
  switch (event.kind) {
    case 'request':
      return state.name === 'trying' ? stay(state) : stay(state, { kind: 'send-response' });
    case 'respond':
      if (state.name === 'completed') return stay(state);
      if (event.status < 200) return stay(PROCEEDING, { kind: 'send-response' });
      return stay(
        COMPLETED,
        { kind: 'send-response' },
        { kind: 'arm', timer: 'J', afterMs: context.reliable ? 0 : transactionTimeoutMs(context.timers) },
      );
    case 'timer':
      return state.name === 'completed' ? stay(TERMINATED, { kind: 'terminate' }) : stay(state);
    case 'transport-error':
      return stay(TERMINATED, { kind: 'fail', cause: 'transport' }, { kind: 'terminate' });
  }
}
