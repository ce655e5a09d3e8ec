import type { Call } from '../model.ts';
import type { Party } from '../party.ts';
import { CallJournal } from './call-journal.ts';
import type { CallEnvironment } from './environment.ts';
import { LiveCall, type LiveCallOptions } from './live-call.ts';

/** A call whose row is on disk, as something that can be dialled, answered and ended. */
export function openLiveCall(
  call: Call,
  environment: CallEnvironment,
  origin: Pick<LiveCallOptions, 'loopDepth' | 'hopsLeft' | 'breadthLeft' | 'extraParameters'> = {},
): LiveCall {
  const { clock, log, calls, observer } = environment;
  observer?.row(call);
  const journal = new CallJournal(call, {
    clock,
    log,
    update: (sid, changes) => calls.update(sid, changes),
    deliver: (about, event) => environment.deliver(about, event),
    endTold: (sid) => calls.endTold(sid),
    changed: (changed) => observer?.row(changed),
  });
  const joined = (party: Party): void => environment.partyJoined?.(call.sid, party);
  return new LiveCall(journal, { clock, log, joined, ...origin });
}
