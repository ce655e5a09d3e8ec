import assert from 'node:assert/strict';
import { utimesSync } from 'node:fs';
import { suite, test } from 'node:test';
import { silentLogger } from '../base/logger.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { eventually } from '../testkit/eventually.ts';
import { temporaryFolder } from '../testkit/temporary-folder.ts';
import { ALIVE_EVERY_MS, keepAlive, lastAlive } from './alive-mark.ts';
import { removeRunFile, runFilePath, writeRunFile } from './data-folder.ts';

const RUN = { pid: 1, url: 'http://127.0.0.1:9', accountSid: 'AC1', authToken: 't' };

suite('the mark of a run that lives', () => {
  test('says nothing where no run came to its end by a crash', async (t) => {
    const folder = temporaryFolder(t, 'alive');
    assert.equal(await lastAlive(folder), undefined);
    await writeRunFile(folder, RUN);
    await removeRunFile(folder);
    assert.equal(await lastAlive(folder), undefined);
  });

  test('follows the clock until it is stopped', async (t) => {
    const folder = temporaryFolder(t, 'alive');
    await writeRunFile(folder, RUN);
    utimesSync(runFilePath(folder), 0, 0);
    const clock = new VirtualClock(1_000_000);
    const stop = keepAlive(folder, { clock, log: silentLogger });
    await clock.advance(ALIVE_EVERY_MS);
    await eventually(() => lastAlive(folder), {
      until: (time) => time === 1_000_000 + ALIVE_EVERY_MS,
      what: 'the mark',
    });
    await eventually(async () => clock.pending, { until: (pending) => pending === 1, what: 'the next mark to be due' });
    stop();
    await clock.advance(10 * ALIVE_EVERY_MS);
    assert.equal(await lastAlive(folder), 1_000_000 + ALIVE_EVERY_MS);
  });
});
