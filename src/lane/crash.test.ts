import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';

describe('a lane whose process is killed', () => {
  let folder = '';
  before(() => (folder = mkdtempSync(join(tmpdir(), 'tandem-lane-test-'))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs the lane and gives what it said; kills it after that many lines. */
  async function run(killAfter?: number): Promise<readonly string[]> {
    const program = join(import.meta.dirname, 'run-lane.fixture.ts');
    const child = spawn(process.execPath, [program, join(folder, 'lane.db')], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
      if (lines.length === killAfter) child.kill('SIGKILL');
    }
    return lines;
  }
  const having = (word: string, lines: readonly string[]): readonly string[] =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));

  it('lets every queued job out once afterwards, in order, and repeats none that may have acted', async () => {
    const first = having('handled', await run(30));
    const second = await run();
    const again = having('handled', second);
    const interrupted = having('interrupted', second);
    const jobs = Array.from({ length: 100 }, (_, n) => `job-${n}`);
    assert.ok(first.length >= 30 && first.length < 100);
    assert.deepEqual(first, jobs.slice(0, first.length));
    assert.deepEqual(
      again.filter((id) => first.includes(id) || interrupted.includes(id)),
      [],
    );
    const told = new Set([...first, ...interrupted, ...again]);
    assert.deepEqual(
      jobs.filter((id) => !told.has(id)),
      [],
    );
    assert.deepEqual(again, jobs.slice(jobs.length - again.length));
    assert.equal(second.length, again.length + interrupted.length);
  });
});
