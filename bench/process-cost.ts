import { readFileSync, readdirSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

interface Stat {
  readonly parent: number;
  readonly cpuSeconds: number;
  /** Of children that ended and were waited for, and of theirs. */
  readonly endedCpuSeconds: number;
}

/** CPU time (user and system) of a process and all its descendants, ended ones too, in seconds; Linux only. */
export function cpuSeconds(pid: number): number {
  return family(pid)
    .map((each) => readStat(each))
    .reduce((sum, stat) => sum + (stat === undefined ? 0 : stat.cpuSeconds + stat.endedCpuSeconds), 0);
}

/** CPU time of the process alone, of its media processes, and of its other descendants, in seconds. */
export function cpuSecondsByRole(pid: number): {
  readonly main: number;
  readonly media: number;
  readonly other: number;
} {
  const role = { main: 0, media: 0, other: 0 };
  for (const each of family(pid)) {
    const name = each === pid ? 'main' : isMediaProcess(each) ? 'media' : 'other';
    role[name] += readStat(each)?.cpuSeconds ?? 0;
  }
  return role;
}

/** CPU time of the process's first thread, which runs the event loop, in seconds. */
export function eventLoopCpuSeconds(pid: number): number {
  return readStat(pid, `task/${pid}/`)?.cpuSeconds ?? 0;
}

function isMediaProcess(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('media-process');
  } catch {
    return false;
  }
}

/** CPU time of the whole machine, all cores together, in seconds since it started. */
export function machineCpuSeconds(): number {
  // proc(5): user nice system idle iowait irq softirq
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, softInterrupts = 0] = readFileSync('/proc/stat', 'utf8')
    .replace(/^cpu +/, '')
    .split(' ')
    .slice(0, 7)
    .map(Number.parseFloat);
  return (user + nice + system + interrupts + softInterrupts) / TICKS_PER_SECOND;
}

/** How often the disks of this machine wrote their caches through (what fsync asks for), since it started. */
export function diskFlushes(): number {
  // Documentation/admin-guide/iostats.rst: the 16th figure after the name. Partitions and loops pass theirs on and count none.
  return readFileSync('/proc/diskstats', 'utf8')
    .trim()
    .split('\n')
    .reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[18] ?? 0), 0);
}

/** Memory of a process and its descendants in MiB: resident (shared pages counted in each), and proportional (once). */
export function memory(pid: number): { readonly residentMiB: number; readonly proportionalMiB: number } {
  let resident = 0;
  let proportional = 0;
  for (const each of family(pid)) {
    const rollup = readFileSync(`/proc/${each}/smaps_rollup`, 'utf8');
    resident += kibibytes(rollup, 'Rss');
    proportional += kibibytes(rollup, 'Pss');
  }
  return { residentMiB: resident / 1024, proportionalMiB: proportional / 1024 };
}

function kibibytes(rollup: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(rollup)?.[1] ?? 0);
}

function family(root: number): readonly number[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const members = new Set([root]);
  // A child has a higher pid than its parent except after a wrap; a few rounds find all.
  for (let before = 0; before !== members.size;) {
    before = members.size;
    for (const pid of all) {
      const parent = readStat(pid)?.parent;
      if (parent !== undefined && members.has(parent)) members.add(pid);
    }
  }
  return [...members];
}

/** proc(5): the name in brackets may hold blanks; fields are counted behind it. */
function readStat(pid: number, thread = ''): Stat | undefined {
  try {
    const fields = (readFileSync(`/proc/${pid}/${thread}stat`, 'utf8').split(') ').at(-1) ?? '').split(' ');
    const seconds = (first: number): number => (Number(fields[first]) + Number(fields[first + 1])) / TICKS_PER_SECOND;
    return { parent: Number(fields[1]), cpuSeconds: seconds(11), endedCpuSeconds: seconds(13) };
  } catch {
    return undefined;
  }
}
