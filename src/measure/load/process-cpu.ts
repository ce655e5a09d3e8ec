import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts in ticks of 10 ms toward programs, whatever the kernel's own (proc(5), USER_HZ). */
const TICKS_PER_SECOND = 100;

/** CPU seconds, user and system, of a process with its living descendants; undefined where the system does not say. */
export function processCpuSeconds(pid: number): number | undefined {
  const root = readStat(pid);
  if (root === undefined) return undefined;
  const stats = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : undefined;
    if (stat !== undefined) stats.set(Number(name), stat);
  }
  let sum = 0;
  for (const [each, stat] of stats) if (descends(each, pid, stats)) sum += stat.cpuSeconds;
  return sum;
}

/** CPU seconds of the whole machine with what other machines took of it (steal); undefined where nobody says. */
export function machineCpuSeconds(): number | undefined {
  try {
    // proc(5): user nice system idle iowait irq softirq steal
    const [user = 0, nice = 0, system = 0, , , interrupts = 0, softInterrupts = 0, stolen = 0] = readFileSync(
      '/proc/stat',
      'utf8',
    )
      .replace(/^cpu +/, '')
      .split(' ', 8)
      .map(Number);
    return (user + nice + system + interrupts + softInterrupts + stolen) / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}

interface Stat {
  readonly parent: number;
  readonly cpuSeconds: number;
}

function descends(pid: number, root: number, stats: ReadonlyMap<number, Stat>): boolean {
  for (let at: number | undefined = pid; at !== undefined && at > 0; at = stats.get(at)?.parent) {
    if (at === root) return true;
  }
  return false;
}

/** proc(5): the name in brackets may hold blanks; fields are counted behind it. */
function readStat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    // State, ppid, …, utime and stime are fields 14 and 15 of the line.
    return { parent: Number(fields[1]), cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND };
  } catch {
    return undefined;
  }
}
