import type { CallSid } from '../../base/sid.ts';
import type { Call } from '../../comms/model.ts';
import type { Records } from '../../comms/records/records.ts';
import type { CallTrace } from '../../trace/call-trace.ts';
import type { TraceBook } from '../../trace/trace-book.ts';

/** Calls of one trace, and how far they may be from the one at its beginning. */
const MAX_FAMILY = 50;
const MAX_GENERATIONS = 10;
/** The latest of a call. */
const MAX_FAULTS = 5;

/** The call, whoever made it and whom it called, with what passed. Undefined: there is no such call. */
export async function traceOf(sid: CallSid, records: Records, book: TraceBook): Promise<CallTrace | undefined> {
  const call = await records.calls.findBySid(sid);
  if (call === undefined) return undefined;
  const family = await below(await firstOf(call, records), records);
  const kept = family.map((each) => book.of(each.sid));
  return {
    calls: await Promise.all(
      family.map(async (each) => {
        const { sid: id, parentCallSid, from, to, direction, status, duration } = each;
        const faults = await faultsOf(each, records);
        return { sid: id, parentCallSid, from, to, direction, status, duration, faults };
      }),
    ),
    messages: kept.flatMap((each) => each?.messages ?? []),
    dropped: kept.reduce((sum, each) => sum + (each?.dropped ?? 0), 0),
  };
}

async function faultsOf({ accountSid, sid }: Call, records: Records): Promise<readonly string[]> {
  const { records: newest } = await records.notifications.list(accountSid, [['callSid', '=', sid]], {
    size: MAX_FAULTS,
  });
  return newest
    .toReversed()
    .map(({ log, errorCode, messageText }) => `${log === '0' ? 'error' : 'warning'} ${errorCode}: ${messageText}`);
}

async function firstOf(call: Call, records: Records): Promise<Call> {
  let first = call;
  for (let up = 0; up < MAX_GENERATIONS && first.parentCallSid !== null; up += 1) {
    const parent = await records.calls.findBySid(first.parentCallSid);
    if (parent === undefined) break;
    first = parent;
  }
  return first;
}

/** Oldest first, each before those that it made. */
async function below(first: Call, records: Records): Promise<readonly Call[]> {
  const family = [first];
  for (const each of family) {
    const room = MAX_FAMILY - family.length;
    if (room <= 0) break;
    const made = await records.calls.list(each.accountSid, [['parentCallSid', '=', each.sid]], { size: room });
    family.push(...made.records.toReversed());
  }
  return family;
}
