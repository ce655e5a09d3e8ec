import { newSid } from '../../base/sid.ts';
import type { Call } from '../model.ts';
import type { CallEnvironment } from './environment.ts';

/** What is known of a call when its row is made; the rest comes with its life. */
type Beginning = Pick<Call, 'accountSid' | 'to' | 'from' | 'status' | 'stage' | 'direction' | 'plan'> &
  Partial<Pick<Call, 'parentCallSid' | 'phoneNumberSid' | 'callerName'>>;

/** The row of a call that begins now. */
export function newCall(beginning: Beginning, { clock, random }: Pick<CallEnvironment, 'clock' | 'random'>): Call {
  const now = clock.now();
  return {
    sid: newSid('CA', random),
    parentCallSid: null,
    phoneNumberSid: null,
    callerName: null,
    ...beginning,
    startTime: null,
    endTime: null,
    duration: null,
    answeredBy: null,
    forwardedFrom: null,
    queueTime: 0,
    trunkSid: null,
    dateCreated: now,
    dateUpdated: now,
    sipResponseCode: null,
    endReason: null,
    eventsNumbered: 0,
    endUntold: false,
  };
}
