import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** Some thirty times the weight of an ordinary program; what the system itself needs at once is at -20. */
export const SOUND_PRIORITY = -15;

/**
 * Has a process's threads run before those of ordinary programs, so that a busy machine does not make its sound late.
 * Says whether it may: as root, with CAP_SYS_NICE, or with a limit that allows it (systemd: `LimitNICE=-15`).
 */
export function raiseSoundPriority(pid: number): boolean {
  try {
    for (const thread of threadsOf(pid)) setPriority(thread, SOUND_PRIORITY);
    raiseSession(pid);
    return true;
  } catch {
    return false;
  }
}

/** On Linux each thread has a priority of its own, and a beat that waits for its garbage collector is late, too. */
function threadsOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [pid];
  }
}

/**
 * sched(7), autogroup: where it is on, priorities count only within a session, and sessions share the processors by a
 * priority of their own. Nothing is done to a session that others have made: it holds their programs, too.
 */
function raiseSession(pid: number): void {
  try {
    if (sessionOf(pid) === pid) writeFileSync(`/proc/${pid}/autogroup`, String(SOUND_PRIORITY));
  } catch {
    // A kernel without autogroups.
  }
}

/** proc(5): the name in brackets may hold blanks; behind it come state, parent, group and session. */
function sessionOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[3]);
}
