import type { CallTraces, TraceEntry } from '../../comms/call-traces.ts';
import type { Call, Notification } from '../../comms/model.ts';
import type { Records } from '../../comms/records/records.ts';

/** Calls that the page begins with, newest first. */
const SHOWN_CALLS = 100;
const SHOWN_NOTIFICATIONS = 50;

/** A call as the page shows it. */
export function showCall(call: Call): object {
  const { sid, parentCallSid, from, to, direction, status, dateCreated, startTime, endTime, duration } = call;
  const { sipResponseCode, endReason, queueTime } = call;
  return {
    ...{ sid, parentCallSid, from, to, direction, status, dateCreated, startTime, endTime, duration },
    ...{ sipResponseCode, endReason, queueTime },
  };
}

export interface SnapshotPorts {
  readonly records: Pick<Records, 'calls' | 'notifications'>;
  readonly traces: Pick<CallTraces, 'latest' | 'of'>;
  readonly accountSid: Call['accountSid'];
}

/** The newest calls. What is in memory is a write ahead of the disk, so it counts. */
export async function shownCalls({ records, traces, accountSid }: SnapshotPorts): Promise<readonly object[]> {
  const { records: rows } = await records.calls.list(accountSid, [], { size: SHOWN_CALLS });
  return rows.map((row) => showCall(traces.latest(row.sid) ?? row));
}

/** A call with its steps; undefined when the account has none of this sid. */
export async function watchedCall(sid: string, ports: SnapshotPorts): Promise<object | undefined> {
  const { records, traces, accountSid } = ports;
  const row = await records.calls.find(accountSid, sid);
  if (row === undefined) return undefined;
  const call = traces.latest(row.sid) ?? row;
  const legs = await records.calls.list(accountSid, [['parentCallSid', '=', row.sid]], { size: SHOWN_CALLS });
  const steps = traces.of(row.sid);
  return {
    call: showCall(call),
    legs: legs.records.map((leg) => showCall(traces.latest(leg.sid) ?? leg)),
    // Steps are kept in memory for a while; afterwards the row and the notifications still tell the most of it.
    remembered: steps !== undefined,
    entries: steps ?? (await entriesOfRows(call, ports)),
  };
}

async function entriesOfRows(call: Call, { records, accountSid }: SnapshotPorts): Promise<readonly TraceEntry[]> {
  const page = { size: SHOWN_NOTIFICATIONS };
  const { records: told } = await records.notifications.list(accountSid, [['callSid', '=', call.sid]], page);
  const steps = [...statesOf(call), ...told.map(faultOf)].sort((a, b) => a.at - b.at);
  return steps.map((step, number) => ({ ...step, number }));
}

type Step = TraceEntry extends infer Each ? (Each extends unknown ? Omit<Each, 'number'> : never) : never;

function statesOf(call: Call): Step[] {
  const state = (status: Call['status'], at: number, end?: Pick<Call, 'sipResponseCode' | 'endReason'>): Step => ({
    ...{ kind: 'state', status, at, sipStatus: end?.sipResponseCode ?? null, reason: end?.endReason ?? null },
  });
  return [
    state('queued', call.dateCreated),
    ...(call.startTime === null ? [] : [state('in-progress', call.startTime)]),
    ...(call.endTime === null ? [] : [state(call.status, call.endTime, call)]),
  ];
}

function faultOf({ errorCode, log, messageText, messageDate }: Notification): Step {
  return {
    kind: 'fault',
    code: errorCode,
    level: log === '0' ? 'error' : 'warning',
    message: messageText,
    at: messageDate,
  };
}
