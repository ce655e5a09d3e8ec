/** One answer 201 in a trace, and what the disk was told before its first byte. */
export interface TracedAnswer {
  readonly sid: string;
  /** What is missing before the answer; undefined when the row was written, and synced after that. */
  readonly missing: 'the row' | 'the sync' | undefined;
}

interface Trace {
  /** Sids whose row is in the log, and not synced yet. */
  readonly written: Set<string>;
  readonly synced: Set<string>;
  /** By thread: sids that were written when a sync began that has not returned. */
  readonly syncing: Map<string, readonly string[]>;
}

/**
 * Reads what `strace -f -y` saw of a server with the embedded store: for each answer 201 that names a new call, whether
 * the write-ahead log had the call's row, and a sync that began after that had returned. `<unfinished ...>` is a call that
 * has not returned yet.
 */
export function answersOf(lines: readonly string[]): readonly TracedAnswer[] {
  const trace: Trace = { written: new Set(), synced: new Set(), syncing: new Map() };
  return lines.flatMap((line) => {
    const [thread = '', call = ''] = /^(\d+)\s+(.*)$/.exec(line)?.slice(1) ?? [];
    if (/^(?:pwrite64|write|pwritev)\(\d+<[^>]*tandem\.db-wal>/.test(call)) {
      for (const sid of sidsIn(call)) if (!trace.synced.has(sid)) trace.written.add(sid);
    } else if (/^f(?:data)?sync\(\d+<[^>]*tandem\.db-wal>/.test(call)) {
      trace.syncing.set(thread, [...trace.written]);
      if (!call.includes('<unfinished ...>')) syncReturned(trace, thread, call);
    } else if (/^<\.\.\. f(?:data)?sync resumed>/.test(call)) {
      syncReturned(trace, thread, call);
    } else if (/^(?:write|writev|sendto|sendmsg)\(.*HTTP\/1\.1 201 /.test(call)) {
      const sid = /\\"sid\\":\\"(CA[0-9a-f]{32})\\"/.exec(call)?.[1];
      return sid === undefined ? [] : [{ sid, missing: missingBefore(trace, sid) }];
    }
    return [];
  });
}

function syncReturned(trace: Trace, thread: string, call: string): void {
  if (!/= 0(?:\s|$)/.test(call)) return;
  for (const sid of trace.syncing.get(thread) ?? []) trace.synced.add(sid);
  for (const sid of trace.synced) trace.written.delete(sid);
  trace.syncing.delete(thread);
}

function missingBefore({ written, synced }: Trace, sid: string): TracedAnswer['missing'] {
  if (synced.has(sid)) return undefined;
  return written.has(sid) ? 'the sync' : 'the row';
}

function sidsIn(call: string): readonly string[] {
  return call.match(/CA[0-9a-f]{32}/g) ?? [];
}
