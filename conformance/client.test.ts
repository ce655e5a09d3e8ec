import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { openClientPage } from '../src/testkit/client-page.ts';
import { peer } from '../src/testkit/peers.ts';
import type { PageConnection, PhonePage } from '../src/testkit/phone-page.ts';
import { encodeWav, toneSamples } from '../src/testkit/wav.ts';
import { CLEAR, hearEachOther, World } from './browser-world.ts';

/** A Device of our client, in a page of another origin and a browser of its own. */
async function device(world: World, identity: string, hertz: number, options: object = {}): Promise<PhonePage> {
  const page = await openClientPage(world.context, await world.browser(hertz), world.tandem.http);
  await page.device(world.token(identity), options);
  return page;
}

suite('the browser client', peer('chromium').options, () => {
  test('registers, calls its application with its parameters, hears and is heard, and sends keys', async (t) => {
    const world = await World.start(t);
    const tone = world.application.on('/tone.wav', {
      type: 'audio/wav',
      body: encodeWav(toneSamples({ hertz: 600, seconds: 30 })),
    });
    world.application.on(
      '/voice',
      `<Gather numDigits="3" finishOnKey="" timeout="20" action="/digits"><Play>${tone}</Play></Gather>`,
    );
    world.application.on('/digits', '<Record action="/recorded" maxLength="2" playBeep="false" trim="do-not-trim"/>');
    world.application.on('/recorded', '<Hangup/>');
    const page = await device(world, 'mike', 900);
    await page.register();
    assert.equal(await page.run('voice.device_.identity'), 'mike');
    await page.call({ To: '+15551234', team: 'red' });
    await page.event('call', 'ringing');
    await page.event('call', 'accept');
    const asked = await world.application.request('/voice');
    assert.ok(asked.signed);
    const { From, To, team } = asked.params;
    assert.deepEqual({ From, To, team }, { From: 'client:mike', To: '+15551234', team: 'red' });
    assert.equal(await page.run('voice.call_.parameters.CallSid'), asked.params['CallSid']);
    const [at600 = 0] = await page.hears([600]);
    assert.ok(at600 > CLEAR, `hears 600 Hz with ${at600} of the power`);
    await page.run("voice.call_.sendDigits('1w#7')");
    assert.equal((await world.application.request('/digits')).params['Digits'], '1#7');
    const recorded = await world.application.request('/recorded');
    assert.equal(recorded.params['RecordingDuration'], '2');
    await page.event('call', 'disconnect');
    assert.equal(await page.run('voice.call_.status()'), 'closed');
  });

  test('two browsers talk: each hears only the other; mute, messages and a cut socket leave the call up', async (t) => {
    const world = await World.start(t);
    world.application.on(
      '/voice',
      ({ params }) => `<Dial action="/after"><Client>${params['To'] ?? ''}</Client></Dial>`,
    );
    world.application.on('/after', '<Hangup/>');
    world.application.on('/messages', { type: 'text/plain', body: '' });
    const [mike, jenny] = [await device(world, 'mike', 900), await device(world, 'jenny', 600)];
    await jenny.register();
    await mike.call({ To: 'jenny' });
    assert.equal((await jenny.event('device', 'incoming')).detail, 'client:mike');
    await mike.event('call', 'ringing');
    await jenny.run('voice.call_.accept()');
    await Promise.all([mike.event('call', 'accept'), jenny.event('call', 'accept')]);
    await hearEachOther(mike, jenny);
  });

  test('two browsers that allow it speak past the server, and by it again when it has to hear them', async (t) => {
    const world = await World.start(t);
    world.application.on('/voice', '<Dial action="/after"><Client>jenny</Client></Dial>');
    world.application.on('/after', '<Gather numDigits="1" timeout="20" action="/digits"/>');
    world.application.on('/digits', '<Hangup/>');
    const direct = { direct: true };
    const [mike, jenny] = [await device(world, 'mike', 900, direct), await device(world, 'jenny', 600, direct)];
    await jenny.register();
    await mike.call({});
    await jenny.event('device', 'incoming');
    await jenny.run('voice.call_.accept()');
    for (const page of [mike, jenny]) assert.equal((await page.event('call', 'route')).detail, 'direct');
    await hearEachOther(mike, jenny);
    for (const page of [mike, jenny]) {
      const before = await page.connections();
      await hearEachOther(mike, jenny);
      const [toServer, toBrowser] = differences(before, await page.connections());
      assert.deepEqual(toServer, { sent: 0, received: 0 }, 'the way by the server carries nothing');
      assert.ok((toBrowser?.sent ?? 0) > 30 && (toBrowser?.received ?? 0) > 30, JSON.stringify(toBrowser));
    }
    const [mikes, jennys] = [await mike.connections(), await jenny.connections()];
    assert.equal(mikes[1]?.remote, jennys[1]?.local, 'the pair of one is the pair of the other');
    assert.equal(mikes[1]?.local, jennys[1]?.remote);

    await t.test('a recording brings the sound back to the server', async () => {
      const sid = String(await mike.run('voice.call_.parameters.CallSid'));
      await world.client.calls(sid).recordings.create();
      for (const page of [mike, jenny]) assert.equal((await page.event('call', 'route')).detail, 'webrtc');
      await hearEachOther(mike, jenny);
    });

    await jenny.run('voice.call_.disconnect()');
    await world.application.request('/after');
    await mike.run("voice.call_.sendDigits('5')");
    assert.equal((await world.application.request('/digits')).params['Digits'], '5');
    await mike.event('call', 'disconnect');
  });

  test('a direct way that breaks leaves the call up by the server', async (t) => {
    const world = await World.start(t);
    world.application.on('/voice', '<Dial><Client>jenny</Client></Dial>');
    const direct = { direct: true };
    const [mike, jenny] = [await device(world, 'mike', 900, direct), await device(world, 'jenny', 600, direct)];
    await jenny.register();
    await mike.call({});
    await jenny.event('device', 'incoming');
    await jenny.run('voice.call_.accept()');
    for (const page of [mike, jenny]) await page.event('call', 'route');
    await jenny.run('voice.connections[1].close()');
    for (const page of [mike, jenny]) assert.equal((await page.event('call', 'route')).detail, 'webrtc');
    await hearEachOther(mike, jenny);
  });
});

/** Packets of each connection since then: the first is that to the server. */
function differences(
  before: readonly PageConnection[],
  after: readonly PageConnection[],
): readonly { readonly sent: number; readonly received: number }[] {
  return after.map(({ sent, received }, index) => ({
    sent: sent - (before[index]?.sent ?? 0),
    received: received - (before[index]?.received ?? 0),
  }));
}
