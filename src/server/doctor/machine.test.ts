import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { temporaryFolder } from '../../testkit/temporary-folder.ts';
import { leftoversFinding, nodeFinding, openFilesFinding, processorsFinding, receiveBufferFinding } from './machine.ts';

suite('doctor, of the machine', () => {
  test('wants the Node that the program is written for', () => {
    assert.deepEqual(
      ['22.1.0', '26.10.0', '27.0.0'].map((version) => nodeFinding(version).level),
      ['error', 'ok', 'warning'],
    );
  });

  test('warns of a limit of open files that calls would reach', async () => {
    const limits = (soft: string): string =>
      `Limit   Soft Limit\nMax open files            ${soft}     4096    files\n`;
    assert.equal((await openFilesFinding(limits('256'))).level, 'warning');
    assert.match((await openFilesFinding(limits('256'))).text, /LimitNOFILE/);
    assert.equal((await openFilesFinding(limits('unlimited'))).level, 'ok');
    assert.equal((await openFilesFinding(limits('1048576'))).level, 'ok');
    assert.equal((await openFilesFinding('')).level, 'ok');
  });

  test('warns when the system grants smaller buffers than packets need', async () => {
    assert.equal((await receiveBufferFinding(4096)).level, 'ok');
    const { level, text } = await receiveBufferFinding(2_000_000_000);
    assert.equal(level, 'warning');
    assert.match(text, /net\.core\.rmem_max=2000000000/);
  });

  test('warns of more media processes than processors', () => {
    assert.equal(processorsFinding(4, 2).level, 'warning');
    assert.equal(processorsFinding(2, 2).level, 'ok');
    assert.equal(processorsFinding(undefined, 1).level, 'ok');
  });

  test('finds media processes whose server is gone, and no others', async (t) => {
    const folder = temporaryFolder(t, 'processes');
    const add = (pid: number, parent: number, command: string): void => {
      mkdirSync(join(folder, String(pid)));
      writeFileSync(join(folder, String(pid), 'cmdline'), command.replaceAll(' ', '\0'));
      writeFileSync(join(folder, String(pid), 'status'), `Name:\tnode\nPPid:\t${parent}\n`);
    };
    add(10, 9, 'node /tandem/src/media/media-process.ts ');
    add(11, 1, 'less /tandem/media-process.txt ');
    assert.equal((await leftoversFinding(folder)).level, 'ok');
    add(12, 1, 'node /tandem/dist/media/media-process.js ');
    assert.match((await leftoversFinding(folder)).text, /kill 12$/);
    assert.equal((await leftoversFinding(join(folder, 'nowhere'))).level, 'ok');
  });
});
