import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { temporaryFolder } from '../testkit/temporary-folder.ts';
import { openDataFolder, removeRunFile, runFilePath, writeRunFile } from './data-folder.ts';

const RUN = { pid: 1, url: 'http://127.0.0.1:1', accountSid: 'AC1', authToken: 'token' };

suite('the data folder', () => {
  test('is made, for its owner only, and stays', async (context) => {
    const path = join(temporaryFolder(context, 'data'), 'deep', 'folder');
    const folder = await openDataFolder(path, false);
    assert.equal(statSync(path).mode & 0o777, 0o700);
    await folder.remove();
    assert.ok(existsSync(path));
  });

  test('that is ephemeral goes with the program', async () => {
    const folder = await openDataFolder('/never/used', true);
    writeFileSync(join(folder.path, 'file'), '');
    await folder.remove();
    assert.ok(!existsSync(folder.path));
  });

  test('that cannot be made is an error with a way out', async (context) => {
    const file = join(temporaryFolder(context, 'data'), 'file');
    writeFileSync(file, '');
    await assert.rejects(openDataFolder(join(file, 'x'), false), { code: 'bad-config', message: /--data DIR/ });
  });

  test('is refused at once where the system lets nobody make one', { skip: process.platform !== 'linux' }, async () => {
    await assert.rejects(openDataFolder('/proc/nope/data', false), {
      code: 'bad-config',
      message: /ENOENT.*--data DIR/,
    });
  });

  test('tells commands where the server is, in a file for its owner only', async (context) => {
    const folder = temporaryFolder(context, 'data');
    await writeRunFile(folder, { ...RUN, pid: 7 });
    await writeRunFile(folder, RUN);
    assert.deepEqual(JSON.parse(readFileSync(runFilePath(folder), 'utf8')), RUN);
    assert.equal(statSync(runFilePath(folder)).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ['run.json']);
    await removeRunFile(folder);
    await removeRunFile(folder);
    assert.deepEqual(readdirSync(folder), []);
  });
});
