import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { eventually } from '../../src/testkit/eventually.ts';
import { nameOf, type AcknowledgedCall } from './book.ts';
import type { Client, Row } from './client.ts';
import type { World } from './crash-rounds.ts';
import type { Manner } from './counting-phone.ts';
import type { ToldEvent } from './listener.ts';

/** What the rounds have seen, for people. */
export interface Verdict {
  readonly acknowledged: number;
  readonly dialled: number;
  /** Closed because a crash came while they were dialled or live. */
  readonly interrupted: number;
  /** Of those: `dialling` was on disk and the INVITE had not left. */
  readonly interruptedBeforeInvite: number;
  readonly recordings: number;
  /** Calls whose last event came twice, because the crash came between the event and the note that it was told. */
  readonly toldTwice: number;
}

const INTERRUPTED = '12400';
/** A call whose media process died between its INVITE and the answer fails with this. */
const NO_ROUTE = '21214';
const STATUS: Readonly<Record<Manner, readonly string[]>> = {
  busy: ['busy'],
  talk: ['completed'],
  leave: ['completed'],
  ring: ['no-answer'],
  silent: ['no-answer', 'failed'],
  gone: ['failed'],
};
const FINAL_STATUSES = ['completed', 'busy', 'no-answer', 'failed', 'canceled'];
const TOLD_WITHIN_MS = 20_000;
const WAV_HEADER_BYTES = 44;
/** Recordings that are being stored at one moment. */
const CUT_OFF_A_KILL = 2;

/** Every promise, once no call waits any more. */
export async function judge(client: Client, world: World): Promise<Verdict> {
  const rows = await client.all('Calls');
  world.calls.check(rows);
  const interrupted = new Map<string, number>();
  for (const note of await client.all('Notifications')) {
    const isLost = note['error_code'] === NO_ROUTE && /media process .* is lost/.test(String(note['message_text']));
    if (note['error_code'] !== INTERRUPTED && !isLost) continue;
    const sid = String(note['call_sid']);
    interrupted.set(sid, (interrupted.get(sid) ?? 0) + 1);
  }
  const twice = [...interrupted].filter(([, count]) => count > 1);
  assert.deepEqual(twice, [], 'calls whose owner was notified of one crash twice');
  const recordings = await client.all('Recordings');
  const bySid = new Map(rows.map((row) => [row.sid, row]));
  let interruptedBeforeInvite = 0;
  let toldTwice = 0;
  for (const call of world.calls.calls.values()) {
    const row = bySid.get(call.sid) as Row;
    const isInterrupted = interrupted.has(call.sid);
    const attempts = world.phone.attempts(call.name);
    checkCall(row, { call, attempts, isInterrupted });
    if (isInterrupted && attempts === 0) interruptedBeforeInvite += 1;
    if (checkEvents(world.listener.of(call.sid), row, isInterrupted) > 1) toldTwice += 1;
  }
  await checkRecordings({ client, world, recordings, interrupted });
  if (world.embedded) checkFiles(world, rows, recordings);
  return {
    acknowledged: world.calls.calls.size,
    dialled: rows.filter((row) => world.phone.attempts(nameOf(row)) === 1).length,
    interrupted: interrupted.size,
    interruptedBeforeInvite,
    recordings: recordings.length,
    toldTwice,
  };
}

interface Seen {
  readonly call: AcknowledgedCall;
  readonly attempts: number;
  readonly isInterrupted: boolean;
}

function checkCall(row: Row, { call, attempts, isInterrupted }: Seen): void {
  const what = `${call.name} (${call.sid}, made in life ${call.life}): ${JSON.stringify(row)}`;
  assert.ok(FINAL_STATUSES.includes(String(row['status'])), `has no final status: ${what}`);
  assert.notEqual(row['end_time'], null, `has no end: ${what}`);
  if (isInterrupted) {
    assert.ok(attempts <= 1, `was dialled ${attempts} times: ${what}`);
    assert.ok(['completed', 'failed'].includes(String(row['status'])), `was interrupted: ${what}`);
    return;
  }
  assert.equal(attempts, 1, `was dialled ${attempts} times: ${what}`);
  assert.ok(STATUS[call.manner].includes(String(row['status'])), `has the wrong status: ${what}`);
}

/** Ends are told after the row has them, and on a busy machine late. */
export async function endsTold({ calls, listener }: World): Promise<void> {
  const untold = (): readonly string[] =>
    [...calls.calls.keys()].filter((sid) => !listener.of(sid).some(({ status }) => FINAL_STATUSES.includes(status)));
  await eventually(async () => untold(), {
    until: (left) => left.length === 0,
    what: 'the end of every call to be told',
    withinMs: TOLD_WITHIN_MS,
  });
}

/** Gives how often the last event came. */
function checkEvents(events: readonly ToldEvent[], row: Row, isInterrupted: boolean): number {
  const what = `${JSON.stringify(row)}: ${JSON.stringify(events)}`;
  const ends = events.filter(({ status }) => FINAL_STATUSES.includes(status));
  assert.ok(ends.length > 0, `its end was not told: ${what}`);
  assert.ok(
    ends.every(({ status, sequence }) => status === row['status'] && sequence === ends[0]?.sequence),
    `its end was told in two ways: ${what}`,
  );
  assert.equal(new Set(ends.map(({ life }) => life)).size, ends.length, `its end was told twice in one life: ${what}`);
  const numbers = new Map(events.map(({ sequence, status }) => [sequence, status]));
  assert.equal(numbers.size, new Set(events.map(({ status }) => status)).size, `a number stands for two: ${what}`);
  const sorted = [...numbers.keys()].sort((a, b) => a - b);
  assert.deepEqual([...numbers.keys()], sorted, `events came out of order: ${what}`);
  // A crash may take the events along that were on their way.
  const isWhole = !isInterrupted && new Set(events.map(({ life }) => life)).size === 1;
  if (isWhole) assert.deepEqual(sorted, [...sorted.keys()], `a number is missing: ${what}`);
  return ends.length;
}

interface RecordingsSeen {
  readonly client: Client;
  readonly world: World;
  readonly recordings: readonly Row[];
  readonly interrupted: ReadonlyMap<string, number>;
}

async function checkRecordings({ client, world, recordings, interrupted }: RecordingsSeen): Promise<void> {
  const byCall = new Map<string, Row>();
  for (const recording of recordings) {
    const callSid = String(recording['call_sid']);
    assert.ok(!byCall.has(callSid), `call ${callSid} has two recordings`);
    byCall.set(callSid, recording);
    assert.ok(['completed', 'absent'].includes(String(recording['status'])), JSON.stringify(recording));
    if (recording['status'] !== 'completed') continue;
    const sound = await client.bytes(`/Recordings/${recording.sid}.wav`);
    assert.equal(sound.status, 200, `the sound of ${recording.sid} is lost`);
    assert.ok(sound.length > WAV_HEADER_BYTES, `the sound of ${recording.sid} is empty`);
  }
  let cutOff = 0;
  for (const { sid, manner } of world.calls.calls.values()) {
    if (manner !== 'talk' || interrupted.has(sid)) continue;
    const recording = byCall.get(sid);
    if (recording?.['status'] === 'completed') continue;
    // The call had ended, and its sound was still being stored: never told as completed, and closed as absent.
    assert.equal(
      String(recording?.['error_code']),
      INTERRUPTED,
      `the recording of ${sid}: ${JSON.stringify(recording)}`,
    );
    cutOff += 1;
  }
  const atMost = world.listener.life * CUT_OFF_A_KILL;
  assert.ok(cutOff <= atMost, `${cutOff} recordings of ended calls are absent, want at most ${atMost}`);
}

/** What only the data folder shows: the ledger, and that blobs and recordings are the same set. */
function checkFiles({ data }: World, rows: readonly Row[], recordings: readonly Row[]): void {
  const database = new DatabaseSync(join(data, 'tandem.db'), { readOnly: true });
  try {
    const charged = database.prepare("select subject, quantity from ledger_entry where kind = 'call'").all();
    assert.deepEqual(
      charged.map(({ subject }) => subject).sort(),
      rows.map(({ sid }) => sid).sort(),
      'one ledger entry a call',
    );
    const durations = new Map(rows.map(({ sid, ...row }) => [sid, Number(row['duration'])]));
    for (const { subject, quantity } of charged)
      assert.equal(quantity, durations.get(String(subject)), String(subject));
    const held = database.prepare('select id, references_held from blob').all();
    const wanted = recordings.filter(({ status }) => status === 'completed').length;
    const references = held.reduce((sum, { references_held: count }) => sum + Number(count), 0);
    assert.equal(references, wanted, 'references held on blobs, and recordings that have sound');
    const files = readdirSync(join(data, 'blobs'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
    assert.deepEqual(files.sort(), held.map(({ id }) => String(id)).sort(), 'files of blobs, and their rows');
  } finally {
    database.close();
  }
}
