import { newSid } from '../../base/sid.ts';
import type { Call } from '../model.ts';
import type { CallEnvironment } from './environment.ts';
import type { LiveCall } from './live-call.ts';
import { openLiveCall } from './open-live-call.ts';

export interface ChildCall {
  readonly to: string;
  /** What the callee sees. */
  readonly from: string;
  readonly plan: Call['plan'];
}

/**
 * Writes the row of a call that another one makes, and opens it; it can be commanded from now on. Rejects with a
 * CommsError when the row cannot be written.
 */
export async function openChildCall(
  parent: LiveCall,
  { to, from, plan }: ChildCall,
  environment: CallEnvironment,
): Promise<LiveCall> {
  const { clock, random } = environment;
  const now = clock.now();
  const { accountSid, sid: parentCallSid, callerName } = parent.call;
  const call: Call = {
    sid: newSid('CA', random),
    accountSid,
    parentCallSid,
    to,
    from,
    phoneNumberSid: null,
    status: 'queued',
    // On disk before the INVITE leaves: a crash closes it, nothing dials it again.
    stage: 'dialling',
    direction: 'outbound-dial',
    startTime: null,
    endTime: null,
    duration: null,
    answeredBy: null,
    forwardedFrom: null,
    callerName: from === parent.call.from ? callerName : null,
    queueTime: 0,
    trunkSid: null,
    dateCreated: now,
    dateUpdated: now,
    sipResponseCode: null,
    endReason: null,
    plan,
  };
  await environment.calls.insert(call);
  const child = openLiveCall(call, environment, { loopDepth: parent.loopDepth });
  environment.liveCalls.add(child);
  return child;
}
