import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tandemCommand } from '../../testkit/tandem-process.ts';
import { temporaryFolder } from '../../testkit/temporary-folder.ts';

test('names the line of what others saw that cannot be used, and what is wanted', async (t) => {
  const folder = temporaryFolder(t, 'trace');
  const good = '{"at":1,"from":"browser:mike","to":"tandem","text":"GET /token"}';
  const cases: readonly (readonly [string, RegExp])[] = [
    ['no JSON', /seen\.jsonl:2: want a JSON object on a line/],
    ['7', /seen\.jsonl:2: want "at", milliseconds since 1970/],
    ['{"at":1,"from":"a","to":5,"text":"x"}', /seen\.jsonl:2: want a text as "to"/],
    [
      '{"at":1,"from":"a","to":"b","text":"x","channel":"smoke"}',
      /seen\.jsonl:2: "channel" is one of page, signalling/,
    ],
  ];
  const path = join(folder, 'seen.jsonl');
  for (const [line, wanted] of cases) {
    writeFileSync(path, `${good}\n${line}\n`);
    const { code, stdout, stderr } = await tandemCommand(['trace', 'CA1', '--with', path], { TANDEM_DATA: folder });
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, wanted);
  }
});
