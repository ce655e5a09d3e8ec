import type { CallPlan } from '../model.ts';
import type { CallEnvironment } from './environment.ts';
import type { LiveCall } from './live-call.ts';
import { sharedBreadth } from './loop.ts';
import { newCall } from './new-call.ts';
import { openLiveCall } from './open-live-call.ts';

export interface ChildCall {
  readonly to: string;
  /** What the callee sees. */
  readonly from: string;
  readonly plan: CallPlan;
  /** Calls that are made with it at the same time, itself included; default 1. */
  readonly branches?: number;
}

/**
 * Writes the row of a call that another one makes, and opens it; it can be commanded from now on. Rejects with a
 * CommsError when the row cannot be written.
 */
export async function openChildCall(
  parent: LiveCall,
  { to, from, plan, branches = 1 }: ChildCall,
  environment: CallEnvironment,
): Promise<LiveCall> {
  const { accountSid, sid: parentCallSid } = parent.call;
  const callerName = from === parent.call.from ? parent.call.callerName : null;
  const call = newCall(
    {
      ...{ accountSid, parentCallSid, to, from, callerName, plan },
      status: 'queued',
      // On disk before the INVITE leaves: a crash closes it, nothing dials it again.
      stage: 'dialling',
      direction: 'outbound-dial',
    },
    environment,
  );
  await environment.calls.insert(call);
  const child = openLiveCall(call, environment, {
    loopDepth: parent.loopDepth,
    hopsLeft: parent.hopsLeft - 1,
    breadthLeft: sharedBreadth(parent.breadthLeft, branches),
  });
  environment.liveCalls.add(child);
  return child;
}
