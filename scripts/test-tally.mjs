// Reporter for node:test: one JSON line per thing that scripts/test.mjs must know (files begun, ended, empty; the counts).
import { resolve } from 'node:path';

export default async function* tally(events) {
  for await (const { type, data } of events) {
    const line = lineOf(type, data);
    if (line !== undefined) yield `${JSON.stringify(line)}\n`;
  }
}

function lineOf(type, data) {
  // Node reports a file as a test of its own, named by its path: while it runs, and as a pass when it holds no test.
  const isFile = data?.file !== undefined && data.name !== undefined && resolve(data.name) === data.file;
  if (isFile && type === 'test:dequeue') return { kind: 'begun', file: data.name };
  if (isFile && type === 'test:complete') return { kind: 'ended', file: data.name };
  if (isFile && type === 'test:pass') return { kind: 'empty', file: data.name };
  if (type === 'test:summary' && data.file === undefined) return { kind: 'counts', ...data.counts };
  return undefined;
}
