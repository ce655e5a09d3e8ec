import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { it } from 'node:test';
import { raiseSoundPriority, SOUND_PRIORITY } from './sound-priority.ts';

it('puts every thread of a process and its session before ordinary programs, or says that it may not', async (context) => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true,
  });
  context.after(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  const before = getPriority(pid);
  if (!raiseSoundPriority(pid)) {
    assert.equal(getPriority(pid), before);
    return;
  }
  assert.equal(getPriority(pid), SOUND_PRIORITY);
  if (process.platform !== 'linux') return;
  // proc(5): the 19th field is the nice value; the name in brackets may hold blanks.
  const nice = (thread: string): number =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8').split(') ')[1]?.split(' ')[16]);
  const threads = readdirSync(`/proc/${pid}/task`);
  assert.deepEqual(
    threads.map(nice),
    threads.map(() => SOUND_PRIORITY),
  );
  const autogroup = `/proc/${pid}/autogroup`;
  if (existsSync(autogroup)) assert.match(readFileSync(autogroup, 'utf8'), new RegExp(`nice ${SOUND_PRIORITY}$`, 'm'));
});

it('leaves a session alone in which other programs run', { skip: !existsSync('/proc/self/autogroup') }, () => {
  const before = readFileSync('/proc/self/autogroup', 'utf8');
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'inherit'] });
  raiseSoundPriority(child.pid ?? 0);
  child.kill('SIGKILL');
  assert.equal(readFileSync('/proc/self/autogroup', 'utf8'), before);
});

it('says no of a process that is not there', () => {
  assert.equal(raiseSoundPriority(2 ** 22 + 1), false);
});
