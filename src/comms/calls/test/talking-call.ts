import type { CallSid } from '../../../base/sid.ts';
import type { StartRecordingOptions } from '../../call-commands.ts';
import { CallWorld } from './call-world.ts';
import { answering } from './scripted-user-agent.ts';

export const BOB = 'sip:bob@home.tandem';
export const WAIT = { twiml: '<Response><Pause length="600"/></Response>', statusCallback: 'http://app/status' };
export const RECORD: StartRecordingOptions = {
  channels: 'mono',
  track: 'both',
  trim: false,
  statusCallback: 'http://app/recording',
  statusCallbackMethod: 'POST',
  statusCallbackEvents: ['in-progress', 'completed', 'absent'],
};

/** Bob's phone has answered. */
export async function talking(): Promise<{ world: CallWorld; sid: CallSid }> {
  const world = await CallWorld.open();
  world.phone('bob', answering(0));
  const sid = await world.call(BOB, WAIT);
  await world.pass(1000);
  return { world, sid };
}
