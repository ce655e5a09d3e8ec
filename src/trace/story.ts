import { PARTY, TANDEM, type CallTrace, type Channel, type TracedCall, type TraceMessage } from './call-trace.ts';

/** Rows that a picture has room for. */
export const MAX_ROWS = 400;
/** Parties that a picture has room for; the others share one lane. */
export const MAX_LANES = 8;
/** A pause that is drawn as one. */
const GAP_MS = 1500;

export type LaneKind = 'browser' | 'phone' | 'application' | 'rest' | 'tandem' | 'others';

export interface StoryLane {
  readonly id: string;
  readonly kind: LaneKind;
  readonly name: string;
  /** What it is, or where. */
  readonly about: string;
}

export type StoryRow =
  | {
      readonly kind: 'message';
      /** Since the first message. */
      readonly afterMs: number;
      /** Places among the lanes. */
      readonly from: number;
      readonly to: number;
      readonly channel: Channel;
      readonly text: string;
      readonly detail: string;
      readonly reply: boolean;
      /** How often it came, one right after the other. */
      readonly times: number;
      /** Place among the calls. */
      readonly call: number | undefined;
    }
  | { readonly kind: 'gap'; readonly ms: number };

/** A trace in the order and shape in which it is told. */
export interface Story {
  readonly title: string;
  /** In the order of their letters. */
  readonly calls: readonly (TracedCall & { readonly letter: string })[];
  readonly lanes: readonly StoryLane[];
  readonly rows: readonly StoryRow[];
  /** Messages that are not among the rows. */
  readonly leftOut: number;
}

/** Whoever begins stands on the left, then its application, this server, and whom it reaches. */
export function tellStory(trace: CallTrace, more: readonly TraceMessage[] = []): Story {
  const messages = withParties(merged(trace.messages, more));
  const devices = new DeviceNames(messages);
  const laned = messages.map((each) => ({ ...each, from: devices.laneOf(each.from), to: devices.laneOf(each.to) }));
  const lanes = lanesOf(laned, trace.calls);
  const rows = rowsOf(laned, lanes, trace.calls);
  const shown = rows.slice(0, MAX_ROWS);
  return {
    title: titleOf(trace.calls),
    calls: trace.calls.map((call, index) => ({ ...call, letter: letterOf(index) })),
    lanes,
    rows: shown,
    leftOut: trace.dropped + rows.slice(MAX_ROWS).filter((row) => row.kind === 'message').length,
  };
}

export function letterOf(index: number): string {
  return index < 26 ? String.fromCharCode(65 + index) : `#${index + 1}`;
}

function titleOf([first]: readonly TracedCall[]): string {
  return first === undefined ? 'No call' : `${plain(first.from)} calls ${plain(first.to) || 'its application'}`;
}

/** What others saw is told where it belongs in time; what passed before the first of ours by an hour does not belong. */
function merged(own: readonly TraceMessage[], more: readonly TraceMessage[]): readonly TraceMessage[] {
  // A stable sort: what has one time stays in the order in which it was noted.
  const unique = new Set<string>();
  return [...own, ...more]
    .sort((a, b) => a.at - b.at)
    .filter((each) => {
      // A registration is noted for each of the calls that it led to.
      const key = [each.at, each.channel, each.from, each.to, each.text, each.detail].join('\n');
      if (unique.has(key)) return false;
      unique.add(key);
      return true;
    });
}

/** Puts the party of a call where its sound is told: the lane that last signalled in it. */
function withParties(messages: readonly TraceMessage[]): readonly TraceMessage[] {
  const partyOf = new Map<string, string>();
  return messages.flatMap((each) => {
    const { callSid = '' } = each;
    if (each.channel === 'sip' || each.channel === 'signalling') {
      partyOf.set(callSid, each.from === TANDEM ? each.to : each.from);
      return [each];
    }
    const party = partyOf.get(callSid);
    if (each.from !== PARTY && each.to !== PARTY) return [each];
    if (party === undefined) return [];
    const lane = (id: string): string => (id === PARTY ? party : id);
    return [{ ...each, from: lane(each.from), to: lane(each.to) }];
  });
}

/** `browser:mike/DEVICE`: one lane for a client, unless several of its devices take part. */
class DeviceNames {
  readonly #devices = new Map<string, string[]>();
  /** Before its token was taken a browser has no name: it is told by what it is called later. */
  readonly #clientOf = new Map<string, string>();

  constructor(messages: readonly TraceMessage[]) {
    for (const { from, to } of messages) {
      for (const lane of [from, to]) {
        const [client, device] = split(lane);
        if (device === undefined || client === NAMELESS) continue;
        this.#clientOf.set(device, client);
        const known = this.#devices.get(client) ?? [];
        if (!known.includes(device)) this.#devices.set(client, [...known, device]);
      }
    }
  }

  laneOf(lane: string): string {
    const [named, device] = split(lane);
    if (device === undefined) return lane;
    const client = named === NAMELESS ? (this.#clientOf.get(device) ?? named) : named;
    const place = (this.#devices.get(client) ?? []).indexOf(device);
    return place <= 0 ? client : `${client} (${place + 1})`;
  }
}

const NAMELESS = 'browser:';

function split(lane: string): readonly [string, string | undefined] {
  if (!lane.startsWith('browser:')) return [lane, undefined];
  const at = lane.lastIndexOf('/');
  return at < 0 ? [lane, undefined] : [lane.slice(0, at), lane.slice(at + 1)];
}

type Ranked = StoryLane & { readonly rank: number };

function lanesOf(messages: readonly TraceMessage[], calls: readonly TracedCall[]): readonly StoryLane[] {
  const callOf = new Map<string, TracedCall>();
  const ids = new Set<string>();
  for (const { from, to, callSid, channel } of messages) {
    for (const id of [from, to]) {
      ids.add(id);
      const call = calls.find((each) => each.sid === callSid);
      if (call !== undefined && channel === 'sip' && id !== TANDEM && !callOf.has(id)) callOf.set(id, call);
    }
  }
  ids.add(TANDEM);
  const [first] = calls;
  const ranked = [...ids].map((id): Ranked => {
    const lane = describeLane(id, callOf.get(id));
    return { ...lane, rank: rankOf(lane, first, callOf.get(id)) };
  });
  const sorted = ranked.sort((a, b) => a.rank - b.rank);
  const shown = sorted.length > MAX_LANES ? sorted.slice(0, MAX_LANES - 1) : sorted;
  const lanes = shown.map(({ id, kind, name, about }) => ({ id, kind, name, about }));
  const more = sorted.length - shown.length;
  return more === 0
    ? lanes
    : [...lanes, { id: 'others', kind: 'others', name: 'others', about: `${more} more parties` }];
}

function describeLane(id: string, call: TracedCall | undefined): StoryLane {
  const at = id.indexOf(':');
  const [kind, rest] = at < 0 ? [id, ''] : [id.slice(0, at), id.slice(at + 1)];
  switch (kind) {
    case TANDEM:
      return { id, kind: 'tandem', name: 'Tandem', about: 'this server' };
    case 'rest':
      return { id, kind: 'rest', name: 'script', about: rest === '' ? 'REST client' : rest };
    case 'browser':
      return { id, kind: 'browser', name: rest || 'unknown', about: 'browser' };
    case 'application':
      return { id, kind: 'application', name: 'application', about: rest.replace(/^https?:\/\//, '') };
    case 'phone': {
      const party = call === undefined ? '' : call.direction === 'inbound' ? call.from : call.to;
      return { id, kind: 'phone', name: plain(party) || 'phone', about: `SIP ${rest}` };
    }
    default:
      return { id, kind: 'others', name: id, about: '' };
  }
}

function rankOf({ id, kind, name }: StoryLane, first: TracedCall | undefined, call: TracedCall | undefined): number {
  if (kind === 'rest') return 0;
  if (kind === 'application') return 2;
  if (kind === 'tandem') return 3;
  const isInbound = first?.direction === 'inbound';
  const isCaller =
    kind === 'browser'
      ? isInbound && `client:${name}` === first?.from
      : isInbound && (call?.sid === first?.sid || id === 'others');
  return isCaller ? 1 : 4;
}

/** `client:mike` as mike, `sip:alice@home.tandem` as alice. */
export function plain(address: string): string {
  return address.replace(/^client:/, '').replace(/^sips?:([^@;]+)@home\.tandem.*$/i, '$1');
}

function rowsOf(
  messages: readonly TraceMessage[],
  lanes: readonly StoryLane[],
  calls: readonly TracedCall[],
): readonly StoryRow[] {
  const rows: StoryRow[] = [];
  const [first] = messages;
  const place = (id: string): number => {
    const found = lanes.findIndex((lane) => lane.id === id);
    return found < 0 ? lanes.length - 1 : found;
  };
  let last = first?.at ?? 0;
  for (const each of messages) {
    const { at, channel, text, detail, reply = false } = each;
    const previous = rows.at(-1);
    const from = place(each.from);
    const to = place(each.to);
    if (
      previous?.kind === 'message' &&
      previous.text === text &&
      previous.detail === detail &&
      previous.from === from &&
      previous.to === to
    ) {
      rows[rows.length - 1] = { ...previous, times: previous.times + 1 };
      last = at;
      continue;
    }
    if (at - last >= GAP_MS) rows.push({ kind: 'gap', ms: at - last });
    last = at;
    const index = calls.findIndex((call) => call.sid === each.callSid);
    const call = index < 0 ? undefined : index;
    const afterMs = at - (first?.at ?? at);
    rows.push({ kind: 'message', afterMs, from, to, channel, text, detail, reply, times: 1, call });
  }
  return rows;
}
