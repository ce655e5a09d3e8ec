// Run by blocked-udp.test.ts in a network of its own.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { openClientPage } from '../../src/testkit/client-page.ts';
import { settleInside } from '../../src/testkit/own-names.ts';
import { peer } from '../../src/testkit/peers.ts';
import type { PhonePage } from '../../src/testkit/phone-page.ts';
import { encodeWav, toneSamples } from '../../src/testkit/wav.ts';
import { CLEAR, World } from '../browser-world.ts';

const run = promisify(execFile);

/** A firewall that lets TCP through. */
async function udp(verdict: 'blocked' | 'open'): Promise<void> {
  const what = verdict === 'blocked' ? '-A' : '-D';
  await run(peer('iptables').path, [what, 'INPUT', '-p', 'udp', '!', '--dport', '53', '-j', 'DROP']);
}

/** Chromium gives up its checks after about 15 s; the client waits 20 s at most. */
const SOUND_WITHIN_MS = 25_000;
const FRAGMENT = 'voice.everyConnection.at(-1).localDescription.sdp.match(/ice-ufrag:(.*)/)[1]';

test('UDP is blocked in a call', async (t) => {
  await settleInside(t);
  const world = await World.start(t);
  const tone = encodeWav(toneSamples({ hertz: 600, seconds: 90 }));
  const url = world.application.on('/tone.wav', { type: 'audio/wav', body: tone });
  world.application.on('/voice', `<Gather numDigits="1" timeout="90" action="/digits"><Play>${url}</Play></Gather>`);
  world.application.on('/digits', '<Hangup/>');
  const chromium = await world.browser(900);
  const hears = async (page: PhonePage): Promise<void> => {
    let at600 = 0;
    for (let look = 0; look < 4 && at600 < CLEAR; look++) [at600 = 0] = await page.hears([600]);
    assert.ok(at600 > CLEAR, `hears 600 Hz with ${at600} of the power`);
  };
  const mike = await openClientPage(t, chromium, world.tandem.http);
  const hearsAndPresses = async (key: string): Promise<void> => {
    await hears(mike);
    await mike.run(`voice.call_.sendDigits('${key}')`);
    await world.application.request('/digits', { where: ({ params }) => params['Digits'] === key });
    await mike.event('call', 'disconnect');
  };
  await mike.device(world.token('mike'));

  await t.test('it opens again: the sound is back over another ICE connection of the same call', async () => {
    await mike.call({});
    await mike.event('call', 'accept');
    await hears(mike);
    const before = await mike.run(FRAGMENT);
    await udp('blocked');
    await mike.event('call', 'reconnecting');
    await udp('open');
    await mike.event('call', 'reconnected');
    assert.notEqual(await mike.run(FRAGMENT), before, 'other credentials of ICE');
    await hears(mike);
    await mike.run("voice.call_.sendDigits('5')");
    const { params } = await world.application.request('/digits');
    assert.equal(await mike.run('voice.call_.parameters.CallSid'), params['CallSid']);
    await mike.event('call', 'disconnect');
  });

  await t.test('from the beginning: the call goes over to the socket, and the next one begins there', async () => {
    await mike.register();
    await udp('blocked');
    await mike.call({});
    await mike.event('call', 'accept');
    assert.equal((await mike.event('call', 'route', SOUND_WITHIN_MS)).detail, 'frames');
    await hearsAndPresses('6');
    await mike.call({});
    await mike.event('call', 'accept');
    assert.equal(await mike.run('voice.call_.route'), 'frames');
    await hearsAndPresses('7');
  });

  await t.test('whoever calls such a page reaches it over the socket', async () => {
    const twiml = `<Response><Play>${url}</Play></Response>`;
    await world.client.calls.create({ to: 'client:mike', from: '+12025550100', twiml });
    await mike.event('device', 'incoming');
    await mike.run('voice.call_.accept()');
    await mike.event('call', 'accept');
    assert.equal(await mike.run('voice.call_.route'), 'frames');
    await hears(mike);
    await mike.run('voice.call_.disconnect()');
  });
});
