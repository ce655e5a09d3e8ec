import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tandem, tandemCommand } from '../../testkit/tandem-process.ts';
import { temporaryFolder } from '../../testkit/temporary-folder.ts';

test('a number is led to another application, to none, and given up', async (t) => {
  const data = temporaryFolder(t, 'numbers');
  await Tandem.start(t, { data });
  const run = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await tandemCommand(['number', ...args], { TANDEM_DATA: data });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const [number, application] = ['+12025550101', 'http://127.0.0.1:3800/voice'];
  await run('add', number, '--voice-url', 'http://127.0.0.1:3700/voice');
  assert.equal(
    await run('set', number, '--voice-url', application),
    `${number} is changed. Calls go to ${application}.`,
  );
  assert.match(await run('list'), /\+12025550101 +http:\/\/127\.0\.0\.1:3800\/voice/);
  assert.equal(await run('set', number, '--voice-url', ''), `${number} is changed. Calls go to no application yet.`);
  assert.equal(await run('remove', number), `${number} is gone.`);
  assert.doesNotMatch(await run('list'), /0101/);
});

test('what is to change, and a number of the place, are wanted', async (t) => {
  const data = temporaryFolder(t, 'numbers');
  await Tandem.start(t, { data });
  const refused = async (args: readonly string[], wanted: RegExp): Promise<void> => {
    const { code, stderr } = await tandemCommand(['number', ...args], { TANDEM_DATA: data });
    assert.equal(code, 1);
    assert.match(stderr, wanted);
  };
  await refused(['set', '+12025550100'], /give what is to change: --voice-url URL/);
  await refused(['remove', '+1202555'], /\+1202555 is not a number of this place/);
});
