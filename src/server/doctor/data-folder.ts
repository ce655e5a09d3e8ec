import { constants } from 'node:fs';
import { access, mkdtemp, open, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorText } from '../../base/errors.ts';
import { failure, ok, warning, type Finding } from './finding.ts';

/** Below this, recordings end soon; below the other one, calls are refused soon. */
const LITTLE_SPACE_BYTES = 1_073_741_824;
const NO_SPACE_BYTES = 104_857_600;
const MEBIBYTE = 1_048_576;
const OTHERS = 0o077;
const SYNCS = 20;
/** Each acknowledged call waits for a sync: beyond this, callers notice. */
const SLOW_SYNC_MS = 50;
/** Of statfs(2): what lies there is gone when the machine starts again. */
const MEMORY_FILE_SYSTEMS = new Set([0x0102_1994, 0x8584_58f6]);

/** Whether what is acknowledged can be kept, and is read by nobody else. */
export async function examineDataFolder(data: string, masterKey: string | undefined): Promise<readonly Finding[]> {
  const folder = await stat(data).catch(() => undefined);
  if (folder === undefined) return [await absent(data)];
  try {
    await access(data, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    return [failure('data folder', `${data}: ${errorText(error)}; want it to belong to the user that runs tandem`)];
  }
  return [
    isOpen(folder.mode)
      ? warning('data folder', `${data} can be read by others, and with it every account: chmod 700 ${data}`)
      : ok('data folder', `${data} is this user's alone`),
    await keyFinding(data, masterKey),
    ...(await spaceFindings(data)),
    await syncFinding(data),
  ];
}

async function absent(data: string): Promise<Finding> {
  for (let parent = dirname(data); ; parent = dirname(parent)) {
    if ((await stat(parent).catch(() => undefined)) === undefined && parent !== dirname(parent)) continue;
    const mayWrite = await access(parent, constants.W_OK).then(
      () => true,
      () => false,
    );
    return mayWrite
      ? ok('data folder', `${data} is made at the first start`)
      : failure('data folder', `${data} cannot be made: ${parent} is not writable; choose another with --data DIR`);
  }
}

async function keyFinding(data: string, given: string | undefined): Promise<Finding> {
  const subject = 'master key';
  if (given !== undefined) return ok(subject, 'comes from TANDEM_MASTER_KEY');
  const path = join(data, 'master.key');
  const key = await stat(path).catch(() => undefined);
  if (key !== undefined) {
    if (isOpen(key.mode)) return failure(subject, `${path} can be read by others: chmod 600 ${path}`);
    return ok(subject, "is this user's alone; keep a copy apart from the backups of the folder");
  }
  const isUsed = (await stat(join(data, 'tandem.db')).catch(() => undefined)) !== undefined;
  if (!isUsed) return ok(subject, 'is made at the first start');
  return failure(
    subject,
    `${path} is missing: put it back from a copy, the tokens in the database cannot be read without`,
  );
}

/** Windows has no such modes. */
function isOpen(mode: number): boolean {
  return process.platform !== 'win32' && (mode & OTHERS) !== 0;
}

async function spaceFindings(data: string): Promise<readonly Finding[]> {
  const { bavail, bsize, type } = await statfs(data);
  const space = spaceFinding(bavail * bsize);
  if (!MEMORY_FILE_SYSTEMS.has(type)) return [space];
  return [
    space,
    warning('disk', `${data} lies in memory: it is gone when the machine starts again; name another with --data`),
  ];
}

export function spaceFinding(freeBytes: number): Finding {
  const text = `${Math.floor(freeBytes / MEBIBYTE)} MiB are free`;
  if (freeBytes < NO_SPACE_BYTES) {
    return failure('disk space', `${text}: a full disk refuses calls; free some, or delete recordings`);
  }
  if (freeBytes < LITTLE_SPACE_BYTES) return warning('disk space', `${text}: an hour of a recording takes 55 MiB`);
  return ok('disk space', text);
}

async function syncFinding(data: string): Promise<Finding> {
  let folder: string | undefined;
  try {
    folder = await mkdtemp(join(data, 'doctor-'));
    return syncTimeFinding(await syncTimes(join(folder, 'file')));
  } catch (error) {
    return failure('disk sync', `nothing can be written in ${data}: ${errorText(error)}`);
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

async function syncTimes(path: string): Promise<readonly number[]> {
  const file = await open(path, 'w');
  const times: number[] = [];
  try {
    for (let i = 0; i < SYNCS; i++) {
      await file.write(new Uint8Array(4096).fill(i));
      const began = performance.now();
      await file.datasync();
      times.push(performance.now() - began);
    }
  } finally {
    await file.close();
  }
  return times;
}

export function syncTimeFinding(timesMs: readonly number[]): Finding {
  const sorted = timesMs.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const text = `a sync takes ${median.toFixed(1)} ms, at worst ${(sorted.at(-1) ?? 0).toFixed(1)} ms`;
  if (median <= SLOW_SYNC_MS) return ok('disk sync', text);
  return warning('disk sync', `${text}: each acknowledged call waits for one; put the data folder on a quicker disk`);
}
