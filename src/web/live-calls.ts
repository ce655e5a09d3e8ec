import type { CallStatus, LiveEvent, ShownCall, WatchedCall } from './model.ts';

/** Calls that the page keeps; the oldest leave first. */
export const MAX_CALLS = 200;
/** Entries of the watched call. */
const MAX_ENTRIES = 600;

export interface LiveCalls {
  /** Newest first, legs of other calls among them. */
  readonly calls: readonly ShownCall[];
  readonly watched: WatchedCall | null;
  /** Something has come already. */
  readonly isKnown: boolean;
}

export const NO_CALLS: LiveCalls = { calls: [], watched: null, isKnown: false };

/** The calls after an event of the server. */
export function afterEvent(state: LiveCalls, event: LiveEvent): LiveCalls {
  switch (event.kind) {
    case 'snapshot':
      return { calls: sorted(event.calls), watched: event.watched, isKnown: true };
    case 'calls':
      return { ...state, calls: merged(state.calls, event.calls), watched: withCalls(state.watched, event.calls) };
    case 'entries':
      return { ...state, watched: withEntries(state.watched, event) };
  }
}

function merged(known: readonly ShownCall[], changed: readonly ShownCall[]): readonly ShownCall[] {
  const bySid = new Map([...known, ...changed].map((call) => [call.sid, call]));
  return sorted([...bySid.values()]).slice(0, MAX_CALLS);
}

function sorted(calls: readonly ShownCall[]): readonly ShownCall[] {
  return [...calls].sort((a, b) => b.dateCreated - a.dateCreated || (a.sid < b.sid ? 1 : -1));
}

function withCalls(watched: WatchedCall | null, changed: readonly ShownCall[]): WatchedCall | null {
  if (watched === null) return null;
  const call = changed.find(({ sid }) => sid === watched.call.sid) ?? watched.call;
  const legs = changed.filter(({ parentCallSid }) => parentCallSid === call.sid);
  return { ...watched, call, legs: legs.length === 0 ? watched.legs : merged(watched.legs, legs) };
}

/** An entry that came with the snapshot may come once more. */
function withEntries(
  watched: WatchedCall | null,
  { sid, entries }: Extract<LiveEvent, { kind: 'entries' }>,
): WatchedCall | null {
  if (watched?.call.sid !== sid) return watched;
  const last = watched.entries.at(-1)?.number ?? -1;
  const fresh = entries.filter(({ number }) => number > last);
  return { ...watched, entries: [...watched.entries, ...fresh].slice(-MAX_ENTRIES) };
}

/** Calls with those that they made; a leg whose call is not known stands for itself. */
export function callTrees(calls: readonly ShownCall[]): readonly { call: ShownCall; legs: readonly ShownCall[] }[] {
  const sids = new Set(calls.map(({ sid }) => sid));
  const isLeg = ({ parentCallSid }: ShownCall): boolean => parentCallSid !== null && sids.has(parentCallSid);
  return calls
    .filter((call) => !isLeg(call))
    .map((call) => ({ call, legs: calls.filter(({ parentCallSid }) => parentCallSid === call.sid).reverse() }));
}

const LIVE: readonly CallStatus[] = ['queued', 'ringing', 'in-progress'];

export function isLive({ status }: Pick<ShownCall, 'status'>): boolean {
  return LIVE.includes(status);
}
