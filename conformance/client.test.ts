import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { openClientPage } from '../src/testkit/client-page.ts';
import { peer } from '../src/testkit/peers.ts';
import type { PageConnection, PhonePage } from '../src/testkit/phone-page.ts';
import { encodeWav, toneSamples } from '../src/testkit/wav.ts';
import { callsItsApplication } from './application-call.ts';
import { CLEAR, hearEachOther, SILENT, statusOf, World } from './browser-world.ts';

/** A Device of our client, in a page of another origin and a browser of its own. */
async function device(world: World, identity: string, hertz: number, options: object = {}): Promise<PhonePage> {
  const page = await openClientPage(world.context, await world.browser(hertz), world.tandem.http);
  await page.device(world.token(identity), options);
  return page;
}

/** Of each of a key's two tones: they share the power, and there are pauses. */
const KEY_SHARE = 0.2;
const LOOKS = 4;

async function hearsNothing(page: PhonePage, hertz: number): Promise<void> {
  let [share = 1] = await page.hears([hertz]);
  for (let look = 1; look < LOOKS && share > SILENT; look++) [share = 1] = await page.hears([hertz]);
  assert.ok(share < SILENT, `hears ${hertz} Hz with ${share} of the power`);
}

async function hears(page: PhonePage, hertz: number): Promise<void> {
  let share = 0;
  for (let look = 0; look < LOOKS && share < CLEAR; look++) [share = 0] = await page.hears([hertz]);
  assert.ok(share > CLEAR, `hears ${hertz} Hz with ${share} of the power`);
}

const long = process.env['TANDEM_THOROUGH'] === '1' ? {} : { skip: 'takes 20 s: TANDEM_THOROUGH=1' };

suite('the browser client', peer('chromium').options, () => {
  test('registers, calls its application with its parameters, hears and is heard, and sends keys', async (t) => {
    const world = await World.start(t);
    const page = await device(world, 'mike', 900);
    await callsItsApplication(world, page, { keys: '1w#7', arriveAs: '1#7' });
    assert.equal(await page.run('voice.device_.identity'), 'mike');
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

    await t.test('muted, the other hears nothing', async () => {
      await mike.run('voice.call_.mute(true)');
      await mike.event('call', 'mute');
      await hearsNothing(jenny, 900);
      await mike.run('voice.call_.mute(false)');
      await hearEachOther(mike, jenny);
    });

    await t.test('messages go to the application and come from it', async () => {
      const sid = String(await mike.run('voice.call_.parameters.CallSid'));
      await world.client
        .calls(sid)
        .userDefinedMessageSubscriptions.create({ callback: `${world.application.url}/messages`, method: 'POST' });
      await mike.run("voice.call_.sendMessage({ content: { hello: 'there' } })");
      await mike.event('call', 'messageSent');
      const told = await world.application.request('/messages');
      assert.ok(told.signed);
      assert.deepEqual(JSON.parse(told.params['Content'] ?? ''), { hello: 'there' });
      await world.client.calls(sid).userDefinedMessages.create({ content: '{"and":"back"}' });
      assert.match(String((await mike.event('call', 'messageReceived')).detail), /back/);
    });

    await t.test('a key that one presses is heard by the other as its two tones', async () => {
      await mike.run('voice.call_.mute(true)');
      await hearsNothing(jenny, 900);
      await mike.run(`voice.call_.sendDigits('${'5'.repeat(20)}')`);
      const [low = 0, high = 0] = await jenny.hears([770, 1336]);
      assert.ok(low > KEY_SHARE && high > KEY_SHARE, `jenny hears 770 Hz ${low}, 1336 Hz ${high}`);
      await mike.run('voice.call_.mute(false)');
    });

    await t.test('a cut socket comes back and the call goes on', async () => {
      await mike.cutSockets();
      await mike.event('call', 'reconnecting');
      await mike.event('call', 'reconnected');
      await hearEachOther(mike, jenny);
    });

    await jenny.run('voice.call_.disconnect()');
    await mike.event('call', 'disconnect');
    assert.equal((await world.application.request('/after')).params['DialCallStatus'], 'completed');
  });

  test('two devices of a client ring; who answers stops the other; cancel and reject are told', async (t) => {
    const world = await World.start(t, { callsPerSecond: 10 });
    const chromium = await world.browser(600);
    const open = (): Promise<PhonePage> => openClientPage(t, chromium, world.tandem.http);
    const [one, two] = [await open(), await open()];
    for (const page of [one, two]) {
      await page.device(world.token('jenny'));
      await page.register();
    }
    const ring = async (): Promise<string> => {
      const twiml = '<Response><Pause length="30"/></Response>';
      const { sid } = await world.client.calls.create({ to: 'client:jenny', from: '+12025550100', twiml });
      for (const page of [one, two]) await page.event('device', 'incoming');
      return sid;
    };
    const answered = await ring();
    await two.run('voice.call_.accept()');
    await two.event('call', 'accept');
    await one.event('call', 'cancel');
    await world.client.calls(answered).update({ status: 'completed' });
    await two.event('call', 'disconnect');
    await statusOf(world, answered, 'completed');

    const canceled = await ring();
    await world.client.calls(canceled).update({ status: 'canceled' });
    for (const page of [one, two]) await page.event('call', 'cancel');
    await statusOf(world, canceled, 'canceled');

    const rejected = await ring();
    await one.run('voice.call_.reject()');
    await two.event('call', 'cancel');
    await statusOf(world, rejected, 'busy');
  });

  test('a microphone that is not there is told by its number; an expiring and a forged token are', async (t) => {
    const world = await World.start(t);
    const page = await openClientPage(t, await world.browser(600, { fakeMicrophone: false }), world.tandem.http);
    await page.device(world.token('jenny', { ttl: 6 }), { tokenRefreshMs: 3000 });
    assert.equal(await page.run('voice.device_.connect().then(() => 0, (error) => error.code)'), 31402);
    await page.register();
    await page.event('device', 'tokenWillExpire');
    await page.run(`voice.device_.updateToken(${JSON.stringify(world.token('jenny', { ttl: 4 }))})`);
    await page.event('device', 'tokenWillExpire');
    assert.equal((await page.event('device', 'error')).detail, 20104);
    await page.event('device', 'unregistered');
    const forged = await openClientPage(t, await world.browser(600), world.tandem.http);
    await forged.device(world.token('jenny', { secret: 'x'.repeat(32) }));
    assert.equal(await forged.run('voice.device_.register().then(() => 0, (error) => error.code)'), 31202);
  });

  test('a refused microphone is told; a call that rings goes on ringing, and is taken once it is allowed', async (t) => {
    const world = await World.start(t);
    const chromium = await world.browser(900, { fakeMicrophone: 'by-permission' });
    const page = await openClientPage(t, chromium, world.tandem.http);
    await page.page.context().grantPermissions([]);
    await page.device(world.token('mike'));
    await page.register();
    const refused = await page.run('voice.device_.connect().then(() => [], (error) => [error.code, error.message])');
    assert.deepEqual((refused as unknown[])[0], 31401);
    assert.match(String((refused as unknown[])[1]), /microphone was refused: allow it/);
    assert.equal(await page.run('voice.device_.isBusy'), false);
    assert.deepEqual(await world.client.calls.list(), [], 'the server was not asked for a call');

    const tone = encodeWav(toneSamples({ hertz: 600, seconds: 30 }));
    const url = world.application.on('/tone.wav', { type: 'audio/wav', body: tone });
    const twiml = `<Response><Play>${url}</Play></Response>`;
    const { sid } = await world.client.calls.create({ to: 'client:mike', from: '+12025550100', twiml });
    await page.event('device', 'incoming');
    await page.run('voice.call_.accept()');
    assert.equal((await page.event('call', 'error')).detail, 31401);
    assert.equal(await page.run('voice.call_.status()'), 'pending');
    assert.equal((await world.client.calls(sid).fetch()).status, 'ringing');
    await page.page.context().grantPermissions(['microphone']);
    await page.run('voice.call_.accept()');
    await page.event('call', 'accept');
    const [at600 = 0] = await page.hears([600]);
    assert.ok(at600 > CLEAR, `hears 600 Hz with ${at600} of the power`);
    await page.run('voice.call_.disconnect()');
    await statusOf(world, sid, 'completed');
  });

  test('two browsers that allow it speak past the server, and by it again when it has to hear them', async (t) => {
    const world = await World.start(t);
    world.application.on('/voice', '<Dial action="/after"><Client>jenny</Client></Dial>');
    world.application.on('/after', '<Gather numDigits="1" timeout="20" action="/digits"/>');
    world.application.on('/digits', '<Hangup/>');
    const [mike, jenny] = await callBetweenDirect(world);
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

  test(
    'two browsers that speak past the server are redirected by the API: each hears what its document says',
    long,
    async (t) => {
      const world = await World.start(t);
      const play = (name: string, hertz: number): string => {
        const body = encodeWav(toneSamples({ hertz, seconds: 30 }));
        return `<Play>${world.application.on(`/${name}.wav`, { type: 'audio/wav', body })}</Play>`;
      };
      world.application.on('/voice', `<Dial><Client>jenny</Client></Dial>${play('after', 1300)}`);
      world.application.on('/elsewhere', `<Response>${play('elsewhere', 1700)}</Response>`);
      const [mike, jenny] = await callBetweenDirect(world);
      for (const page of [mike, jenny]) assert.equal((await page.event('call', 'route')).detail, 'direct');
      await hearEachOther(mike, jenny);
      const sid = String(await jenny.run('voice.call_.parameters.CallSid'));
      await world.client.calls(sid).update({ url: `${world.application.url}/elsewhere` });
      for (const page of [mike, jenny]) assert.equal((await page.event('call', 'route')).detail, 'webrtc');
      await hears(jenny, 1700);
      await hears(mike, 1300);
      assert.equal((await world.client.calls(sid).fetch()).status, 'in-progress');
      await mike.run('voice.call_.disconnect()');
      await jenny.run('voice.call_.disconnect()');
    },
  );

  test('a direct way that breaks leaves the call up by the server', async (t) => {
    const world = await World.start(t);
    world.application.on('/voice', '<Dial><Client>jenny</Client></Dial>');
    const [mike, jenny] = await callBetweenDirect(world);
    for (const page of [mike, jenny]) await page.event('call', 'route');
    await jenny.run('voice.connections[1].close()');
    for (const page of [mike, jenny]) assert.equal((await page.event('call', 'route')).detail, 'webrtc');
    await hearEachOther(mike, jenny);
  });
});

/** Two pages that allow direct sound, in a call that was just accepted. */
async function callBetweenDirect(world: World): Promise<readonly [PhonePage, PhonePage]> {
  const direct = { direct: true };
  const [mike, jenny] = [await device(world, 'mike', 900, direct), await device(world, 'jenny', 600, direct)];
  await jenny.register();
  await mike.call({});
  await jenny.event('device', 'incoming');
  await jenny.run('voice.call_.accept()');
  return [mike, jenny];
}

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
