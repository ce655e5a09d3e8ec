import { readdirSync, readFileSync } from 'node:fs';

/** Processes that this one has started and whose command names this word (Linux). */
export function childrenOf(pid: number, word: string): readonly number[] {
  return readdirSync(`/proc/${pid}/task`)
    .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' '))
    .filter((child) => child !== '' && commandOf(child).includes(word))
    .map(Number);
}

/** Files and sockets that a process has open (Linux). */
export function openHandles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    // It has ended since it was listed.
    return '';
  }
}
