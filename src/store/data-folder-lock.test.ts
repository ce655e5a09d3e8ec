import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { lockDataFolder } from './data-folder-lock.ts';

describe('the data folder lock', () => {
  let root = '';
  before(() => (root = mkdtempSync(join(tmpdir(), 'tandem-lock-test-'))));
  after(() => rmSync(root, { recursive: true, force: true }));

  it('is taken once, names its holder, and is free again after its release', () => {
    const folder = join(root, 'one', 'deep');
    const lock = lockDataFolder(folder);
    assert.throws(() => lockDataFolder(folder), { code: 'locked', message: new RegExp(`pid ${process.pid}\\b`) });
    lock.release();
    lock.release();
    lockDataFolder(folder).release();
  });

  it('names the pid of another process and dies with it, even when it is killed', async (test) => {
    const folder = join(root, 'two');
    const program = `
      const { lockDataFolder } = await import(process.argv[1]);
      lockDataFolder(process.argv[2]);
      gc();
      process.stdout.write('held');
      setInterval(() => undefined, 1000);`;
    const module = join(import.meta.dirname, 'data-folder-lock.ts');
    const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', program, module, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    test.after(() => child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    assert.throws(() => lockDataFolder(folder), { code: 'locked', message: new RegExp(`pid ${child.pid}\\b`) });
    child.kill('SIGKILL');
    await once(child, 'exit');
    lockDataFolder(folder).release();
  });
});
