import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { fastify } from 'fastify';
import { addSdkSounds, SDK_SOUNDS_PATH } from './sdk-sounds.ts';

suite('sounds of the browser SDK', () => {
  test('each name that the SDK asks for is a sound; every page may fetch it', async () => {
    const app = fastify();
    addSdkSounds(app);
    const names = ['incoming', 'outgoing', 'disconnect', 'dtmf0', 'dtmf9', 'dtmfh', 'dtmfs'];
    for (const name of names) {
      const answer = await app.inject(`${SDK_SOUNDS_PATH}/${name}.mp3`);
      assert.equal(answer.statusCode, 200, name);
      assert.equal(answer.headers['access-control-allow-origin'], '*');
      assert.equal(answer.rawPayload.subarray(0, 4).toString(), 'RIFF');
      assert.ok(answer.rawPayload.readUInt32LE(40) === answer.rawPayload.length - 44);
    }
    assert.equal((await app.inject(`${SDK_SOUNDS_PATH}/nothing.mp3`)).statusCode, 404);
    await app.close();
  });
});
