import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { randomInteger, seededRandom, type Random } from '../../src/base/random.ts';
import { eventually } from '../../src/testkit/eventually.ts';
import type { Scope } from '../../src/testkit/scope.ts';
import { launch, Tandem, type TandemOptions } from '../../src/testkit/tandem-process.ts';
import { temporaryFolder } from '../../src/testkit/temporary-folder.ts';
import { CallBook, ResourceBook } from './book.ts';
import { Client } from './client.ts';
import { CountingPhone, MANNERS } from './counting-phone.ts';
import { endsTold, judge, type Verdict } from './judge.ts';
import { Listener } from './listener.ts';

const FROM = '+12025550100';
const CALLS_PER_SECOND = 20;
const CALLERS = 4;
const MAX_CALLS_A_ROUND = 15;
const SILENT_EVERY = 4;
const RING_SECONDS = 3;
const TALK_SECONDS = 2;
const SETTLED_WITHIN_MS = 120_000;
const CHILDREN_GONE_WITHIN_MS = 5_000;
/** Moments of the kill, milliseconds after the callers began. */
const KILL_AFTER_MS = [20, 1_500] as const;
/** Moments of a kill during the start, milliseconds after the launch. */
const START_KILL_AFTER_MS = [100, 1_500] as const;

/** Who is killed: the whole family, the main process alone, one media process and later everything, a server that starts. */
export const KILLS = ['family', 'main', 'media', 'starting'] as const;
export type Kill = (typeof KILLS)[number];

export interface CrashRoundsOptions {
  readonly rounds: number;
  readonly seed: number;
  /** A database to use instead of the embedded store. */
  readonly postgresql?: string;
  say(line: string): void;
}

/**
 * Kills a busy server again and again on one data folder, then lets it finish, and judges what callers, phone and
 * application saw. Throws an AssertionError at the first broken promise.
 */
export async function crashRounds(scope: Scope, options: CrashRoundsOptions): Promise<Verdict> {
  const { rounds, seed, say } = options;
  const random = seededRandom(seed);
  const world = await openWorld(scope, options);
  for (let round = 0; round < rounds; round++) {
    const kill = kindOfKill(random);
    if (kill === 'starting') {
      await killAtStart(world, random);
      say(`round ${round + 1}: killed while it started`);
      continue;
    }
    const life = new Life();
    try {
      const { tandem, client } = await begin(life, world);
      const before = world.calls.calls.size;
      await killWhileBusy(kill, { tandem, client, world, random });
      say(`round ${round + 1}: killed (${kill}) after ${world.calls.calls.size - before} acknowledged calls`);
    } finally {
      await life.end();
    }
  }
  const life = new Life();
  try {
    const { tandem, client } = await begin(life, world);
    await allEnded(client);
    await endsTold(world);
    const verdict = await judge(client, world);
    await tandem.stop();
    return verdict;
  } finally {
    await life.end();
  }
}

/** What goes on over all lives of the server. */
export interface World {
  readonly data: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly phone: CountingPhone;
  readonly listener: Listener;
  readonly calls: CallBook;
  readonly numbers: ResourceBook;
  readonly applications: ResourceBook;
  readonly embedded: boolean;
  /** Lives in which a media process was killed alone. */
  readonly mediaKills: Set<number>;
}

async function openWorld(scope: Scope, { postgresql }: CrashRoundsOptions): Promise<World> {
  const numbers = new ResourceBook();
  numbers.sending(FROM);
  return {
    data: temporaryFolder(scope, 'crash'),
    config: {
      callsPerSecond: CALLS_PER_SECOND,
      mediaProcesses: 2,
      numbers: [{ phoneNumber: FROM, friendlyName: FROM }],
      logLevel: 'warn',
      ...(postgresql === undefined ? {} : { postgresql }),
    },
    phone: await CountingPhone.start(scope),
    listener: await Listener.start(scope),
    calls: new CallBook(),
    numbers,
    applications: new ResourceBook(),
    embedded: postgresql === undefined,
    mediaKills: new Set(),
  };
}

/** What one life of the server holds: ports, files, the process. */
class Life implements Scope {
  readonly #cleanUps: (() => Promise<void>)[] = [];

  after(cleanUp: () => Promise<void>): void {
    this.#cleanUps.push(cleanUp);
  }

  async end(): Promise<void> {
    for (const cleanUp of this.#cleanUps.splice(0)) await cleanUp();
  }
}

function tandemOptions({ data, config }: World): TandemOptions {
  return { data, config };
}

/** Starts the server, and checks at once that it has every acknowledged row and no other. */
async function begin(life: Life, world: World): Promise<{ readonly tandem: Tandem; readonly client: Client }> {
  world.listener.life += 1;
  const tandem = await Tandem.start(life, tandemOptions(world));
  const client = new Client(tandem);
  world.calls.check(await client.all('Calls'));
  world.numbers.check('numbers', await client.all('IncomingPhoneNumbers'));
  world.applications.check('applications', await client.all('Applications'));
  const twice = [...world.calls.names].filter((name) => world.phone.attempts(name) > 1);
  assert.deepEqual(twice, [], 'calls that were dialled more than once');
  return { tandem, client };
}

function kindOfKill(random: Random): Kill {
  const draw = randomInteger(random, 1, 10);
  if (draw <= 5) return 'family';
  if (draw <= 7) return 'main';
  return draw <= 9 ? 'media' : 'starting';
}

async function killAtStart(world: World, random: Random): Promise<void> {
  const life = new Life();
  try {
    world.listener.life += 1;
    const running = await launch(life, tandemOptions(world));
    await pause(randomInteger(random, ...START_KILL_AFTER_MS));
    await running.end('SIGKILL');
  } finally {
    await life.end();
  }
}

interface BusyLife {
  readonly tandem: Tandem;
  readonly client: Client;
  readonly world: World;
  readonly random: Random;
}

async function killWhileBusy(kill: Kill, { tandem, client, world, random }: BusyLife): Promise<void> {
  const stopped = new AbortController();
  const callers = keepBusy({ client, world, random, signal: stopped.signal });
  await pause(randomInteger(random, ...KILL_AFTER_MS));
  const children = childrenOf(tandem.ready.pid);
  assert.ok(children.length > 0, 'the server has no media process');
  if (kill === 'media') {
    world.mediaKills.add(world.listener.life);
    process.kill(children[randomInteger(random, 0, children.length - 1)] as number, 'SIGKILL');
    await pause(randomInteger(random, ...KILL_AFTER_MS));
    await client.all('Calls', { Status: 'queued' });
  }
  if (kill === 'main') {
    process.kill(tandem.ready.pid, 'SIGKILL');
    await eventually(async () => children.filter(isThere), {
      until: (left) => left.length === 0,
      what: 'the media processes to follow their parent',
      withinMs: CHILDREN_GONE_WITHIN_MS,
    });
    await tandem.over();
  } else {
    await tandem.kill();
  }
  stopped.abort();
  await callers;
}

interface Busy {
  readonly client: Client;
  readonly world: World;
  readonly random: Random;
  readonly signal: AbortSignal;
}

async function keepBusy(busy: Busy): Promise<void> {
  let left = MAX_CALLS_A_ROUND;
  const callers = Array.from({ length: CALLERS }, async () => {
    while (!busy.signal.aborted && left-- > 0) if (!(await createCall(busy))) return;
  });
  await Promise.all([...callers, makeAndRemove('IncomingPhoneNumbers', busy), makeAndRemove('Applications', busy)]);
}

/** False when the server did not answer any more. */
async function createCall({ client, world, random }: Busy): Promise<boolean> {
  const drawn = MANNERS[randomInteger(random, 0, MANNERS.length - 1)] as (typeof MANNERS)[number];
  // One that never answers holds its ports until the transaction times out (RFC 3261, timer B): few of them are enough.
  const manner = drawn === 'silent' && world.calls.names.size % SILENT_EVERY !== 0 ? 'busy' : drawn;
  const name = CountingPhone.nameOf(world.calls.names.size, manner);
  world.calls.names.add(name);
  const row = await client.create('Calls', {
    From: FROM,
    To: world.phone.address(name),
    Twiml: `<Response><Pause length="${TALK_SECONDS}"/></Response>`,
    Timeout: String(RING_SECONDS),
    StatusCallback: world.listener.url,
    StatusCallbackEvent: ['initiated', 'ringing', 'answered', 'completed'],
    ...(manner === 'talk' ? { Record: 'true', Trim: 'do-not-trim' } : {}),
  });
  if (row === undefined) return false;
  world.calls.calls.set(row.sid, { sid: row.sid, name, manner, life: world.listener.life });
  return true;
}

async function makeAndRemove(resource: 'IncomingPhoneNumbers' | 'Applications', busy: Busy): Promise<void> {
  const { client, world, signal, random } = busy;
  const book = resource === 'Applications' ? world.applications : world.numbers;
  while (!signal.aborted) {
    const name = `${resource}-${book.count}`;
    const number = `+1303${String(5_000_000 + book.count)}`;
    book.sending(name);
    const row = await client.create(resource, {
      FriendlyName: name,
      ...(resource === 'Applications' ? {} : { PhoneNumber: number }),
    });
    if (row === undefined) return;
    book.created(row.sid);
    if (randomInteger(random, 0, 3) === 0) continue;
    book.removing(row.sid);
    if (!(await client.remove(resource, row.sid))) return;
    book.removed(row.sid);
  }
}

async function allEnded(client: Client): Promise<void> {
  for (const status of ['queued', 'ringing', 'in-progress']) {
    await eventually(() => client.all('Calls', { Status: status }), {
      until: (rows) => rows.length === 0,
      what: `no call to be ${status}`,
      withinMs: SETTLED_WITHIN_MS,
    });
  }
}

function childrenOf(pid: number): readonly number[] {
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return list === '' ? [] : list.split(' ').map(Number);
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
