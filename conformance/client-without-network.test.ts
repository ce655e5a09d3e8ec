import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { onLoopbackAlone } from '../src/testkit/alone.ts';
import { openClientPage } from '../src/testkit/client-page.ts';
import type { PhonePage } from '../src/testkit/phone-page.ts';
import { encodeWav, toneSamples } from '../src/testkit/wav.ts';
import { CLEAR, hearEachOther, World } from './browser-world.ts';

onLoopbackAlone('on a machine with only its loopback, sound goes over the socket', import.meta.filename, () => {
  suite('only the loopback is up', () => {
    test('a page calls its application, hears it, is recorded and presses keys', async (t) => {
      const world = await World.start(t);
      const tone = world.application.on('/tone.wav', {
        type: 'audio/wav',
        body: encodeWav(toneSamples({ hertz: 600, seconds: 30 })),
      });
      world.application.on(
        '/voice',
        `<Gather numDigits="2" timeout="20" action="/digits"><Play>${tone}</Play></Gather>`,
      );
      world.application.on(
        '/digits',
        '<Record action="/recorded" maxLength="2" playBeep="false" trim="trim-silence"/>',
      );
      world.application.on('/recorded', '<Hangup/>');
      const mike = await device(world, 'mike', 900);
      await mike.call({});
      await mike.event('call', 'accept');
      assert.equal(await mike.run('voice.call_.route'), 'frames');
      const [at600 = 0] = await mike.hears([600]);
      assert.ok(at600 > CLEAR, `hears 600 Hz with ${at600} of the power`);
      await mike.run("voice.call_.sendDigits('42')");
      assert.equal((await world.application.request('/digits')).params['Digits'], '42');
      // Trimmed of silence: nothing would be left of a call that carries none.
      assert.equal((await world.application.request('/recorded')).params['RecordingDuration'], '2');
      await mike.event('call', 'disconnect');
    });

    test('two pages talk, also after a socket was cut', async (t) => {
      const world = await World.start(t);
      world.application.on('/voice', '<Dial><Client>jenny</Client></Dial>');
      const [mike, jenny] = [await device(world, 'mike', 900), await device(world, 'jenny', 600)];
      await jenny.register();
      await mike.call({});
      await jenny.event('device', 'incoming');
      await jenny.run('voice.call_.accept()');
      await Promise.all([mike.event('call', 'accept'), jenny.event('call', 'accept')]);
      await hearEachOther(mike, jenny);
      await mike.cutSockets();
      await mike.event('call', 'reconnecting');
      await mike.event('call', 'reconnected');
      await hearEachOther(mike, jenny);
      await jenny.run('voice.call_.disconnect()');
      await mike.event('call', 'disconnect');
    });
  });
});

/** No flag lets this browser use the loopback for WebRTC. */
async function device(world: World, identity: string, hertz: number): Promise<PhonePage> {
  const chromium = await world.browser(hertz, { loopbackCandidates: false });
  const page = await openClientPage(world.context, chromium, world.tandem.http);
  await page.device(world.token(identity));
  return page;
}
