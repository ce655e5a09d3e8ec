import { chmod, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { otherLinesFor, withHosts, withoutHosts } from './hosts-block.ts';
import type { Machine } from './machine.ts';
import type { Step } from './step.ts';

/** Puts names into the hosts file; undefined takes them out. */
export async function hostsFileSteps(
  { root }: Machine,
  wanted: { readonly address: string; readonly names: readonly string[] } | undefined,
): Promise<readonly Step[]> {
  const path = join(root, '/etc/hosts');
  const change = (text: string): string =>
    wanted === undefined ? withoutHosts(text) : withHosts(text, wanted.address, wanted.names);
  const text =
    wanted === undefined
      ? `remove the vendor's hosts from ${path}`
      : `lead ${wanted.names.length} hosts of the vendor to ${wanted.address} in ${path}`;
  const others = wanted === undefined ? [] : otherLinesFor(await read(path), wanted.address, wanted.names);
  return [
    {
      kind: 'work',
      text,
      run: async () => {
        const before = await read(path);
        const next = change(before);
        if (next !== before) await replace(path, next);
        return next !== before;
      },
    },
    ...others.map((line): Step => ({ kind: 'note', text: `${path} has a line of somebody else that wins: ${line}` })),
  ];
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/** At once, so that no reader sees half a file; a file that is mounted (in containers) cannot be replaced and is written. */
async function replace(path: string, text: string): Promise<void> {
  const mode = await stat(path).then(
    (found) => found.mode & 0o777,
    () => 0o644,
  );
  const next = `${path}.tandem`;
  try {
    await writeFile(next, text);
    // Whatever the umask of who runs this: every program reads this file.
    await chmod(next, mode);
    await rename(next, path);
  } catch (error) {
    await rm(next, { force: true });
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
    await writeFile(path, text);
  }
}
