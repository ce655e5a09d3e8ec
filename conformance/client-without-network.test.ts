import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { onLoopbackAlone } from '../src/testkit/alone.ts';
import { openClientPage } from '../src/testkit/client-page.ts';
import type { PhonePage } from '../src/testkit/phone-page.ts';
import { callsItsApplication } from './application-call.ts';
import { hearEachOther, World } from './browser-world.ts';

onLoopbackAlone('on a machine with only its loopback, sound goes over the socket', import.meta.filename, () => {
  suite('only the loopback is up', () => {
    test('a page calls its application, hears it, is recorded and presses keys', async (t) => {
      const world = await World.start(t);
      const mike = await device(world, 'mike', 900);
      await callsItsApplication(world, mike, { keys: '42' });
      assert.equal(await mike.run('voice.call_.route'), 'frames');
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
