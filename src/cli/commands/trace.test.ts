import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../../testkit/eventually.ts';
import { Tandem, tandemCommand } from '../../testkit/tandem-process.ts';
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

test('says why a call reached nobody, when no message tells it', async (t) => {
  const data = temporaryFolder(t, 'trace');
  const environment = { TANDEM_DATA: data };
  await Tandem.start(t, { data, config: { phones: [{ name: 'alice', password: 'secret' }] } });
  const document = join(data, 'hello.xml');
  writeFileSync(document, '<Response><Say>Hello</Say></Response>');
  const placed = await tandemCommand(
    ['call', '+12025550100', 'sip:alice@home.tandem', '--twiml', document],
    environment,
  );
  const [sid = ''] = placed.stdout.split(' ');
  const wanted = /no-answer, 0 s\n {5}error 32009: .*the phone alice is not registered\n/;
  await eventually(async () => (await tandemCommand(['trace', sid], environment)).stdout, {
    what: 'the reason',
    until: (told) => wanted.test(told),
  });
});
