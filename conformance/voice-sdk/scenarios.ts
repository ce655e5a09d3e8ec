import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { Baresip } from '../../src/testkit/baresip.ts';
import type { PhonePage } from '../../src/testkit/phone-page.ts';
import { secondsOfTone } from '../../src/testkit/sound-measure.ts';
import { openVoiceSdkPage, preflight } from '../../src/testkit/voice-sdk-page.ts';
import { eventually } from '../../src/testkit/eventually.ts';
import { callsItsApplication } from '../application-call.ts';
import { CLEAR, hearEachOther, SILENT, statusOf, type World } from '../browser-world.ts';
import { startWorld, type Way } from './way.ts';

export interface Scenario {
  readonly title: string;
  run(context: TestContext, way: Way): Promise<void>;
}

/** The SDK's Device in a page. */
async function device(way: Way, world: World, identity: string, hertz: number): Promise<PhonePage> {
  const page = await openVoiceSdkPage(world.context, await world.browser(hertz, way.browser));
  await page.device(world.token(identity), way.deviceOptions(world.tandem));
  return page;
}

/** What the unmodified SDK does here, whichever way it has come. */
export const SCENARIOS: readonly Scenario[] = [
  {
    title: 'registers, calls its application with its parameters, hears and is heard, and sends keys',
    run: async (t, way) => {
      const world = await startWorld(t, way);
      await callsItsApplication(world, await device(way, world, 'mike', 900), { keys: '1#7' });
    },
  },
  {
    title:
      'two browsers talk: each hears only the other; mute, messages, a cut socket and an ICE restart leave the call up',
    run: async (t, way) => {
      const world = await startWorld(t, way);
      world.application.on(
        '/voice',
        ({ params }) => `<Dial action="/after"><Client>${params['To'] ?? ''}</Client></Dial>`,
      );
      world.application.on('/after', '<Hangup/>');
      world.application.on('/messages', { type: 'text/plain', body: '' });
      const [mike, jenny] = [await device(way, world, 'mike', 900), await device(way, world, 'jenny', 600)];
      await jenny.register();
      await mike.call({ To: 'jenny' });
      assert.equal((await jenny.event('device', 'incoming')).detail, 'client:mike');
      await mike.event('call', 'ringing');
      await jenny.run('voice.call_.accept()');
      await Promise.all([mike.event('call', 'accept'), jenny.event('call', 'accept')]);
      await hearEachOther(mike, jenny);

      await t.test('a browser that talks is busy for others', async () => {
        const [parent] = await world.client.calls.list({ from: 'client:mike' });
        assert.equal(parent?.status, 'in-progress');
        const call = await world.client.calls.create({
          to: 'client:jenny',
          from: '+12025550100',
          twiml: '<Response/>',
        });
        await statusOf(world, call.sid, 'busy');
      });

      await t.test('muted, the other hears nothing', async () => {
        await mike.run('voice.call_.mute(true)');
        await mike.event('call', 'mute');
        await eventually(() => jenny.hears([900]), {
          until: ([at900 = 1]) => at900 < SILENT,
          what: 'jenny to hear no 900 Hz any more',
        });
        await mike.run('voice.call_.mute(false)');
        await hearEachOther(mike, jenny);
      });

      await t.test('messages go to the application and come from it', async () => {
        const sid = String(await mike.run('voice.call_.parameters.CallSid'));
        const subscribed = await world.client
          .calls(sid)
          .userDefinedMessageSubscriptions.create({ callback: `${world.application.url}/messages`, method: 'POST' });
        assert.match(subscribed.sid, /^ZY/);
        await mike.run("voice.call_.sendMessage({ content: { hello: 'there' }, messageType: 'user-defined-message' })");
        await mike.event('call', 'messageSent');
        const told = await world.application.request('/messages');
        assert.ok(told.signed);
        assert.deepEqual(JSON.parse(told.params['Content'] ?? ''), { hello: 'there' });
        const sent = await world.client.calls(sid).userDefinedMessages.create({ content: '{"and":"back"}' });
        assert.match(sent.sid, /^KX/);
        assert.match(String((await mike.event('call', 'messageReceived')).detail), /back/);
        assert.equal(await world.client.calls(sid).userDefinedMessageSubscriptions(subscribed.sid).remove(), true);
      });

      await t.test('a cut socket comes back and the call goes on', async () => {
        // The SDK took the page's WebSocket before the page could count them.
        await mike.run('voice.device_._stream.transport._socket.close()');
        await mike.event('call', 'reconnecting');
        await hearEachOther(mike, jenny);
        await mike.event('call', 'reconnected');
        await hearEachOther(mike, jenny);
      });

      await t.test('ICE is restarted under the call', async () => {
        await mike.run('voice.call_._mediaHandler.iceRestart()');
        await hearEachOther(mike, jenny);
      });

      await jenny.run('voice.call_.disconnect()');
      await mike.event('call', 'disconnect');
      const after = await world.application.request('/after');
      assert.equal(after.params['DialCallStatus'], 'completed');
    },
  },
  {
    title: 'two devices of a client ring; who answers stops the other; cancel, reject and ignore are told',
    run: async (t, way) => {
      const world = await startWorld(t, way, { callsPerSecond: 10 });
      const chromium = await world.browser(600, way.browser);
      const pages = [await openVoiceSdkPage(t, chromium), await openVoiceSdkPage(t, chromium)] as const;
      for (const page of pages) {
        await page.device(world.token('jenny'), way.deviceOptions(world.tandem));
        await page.register();
      }
      const [one, two] = pages;
      const ring = async (timeout = 30): Promise<string> => {
        const twiml = '<Response><Pause length="30"/></Response>';
        const { sid } = await world.client.calls.create({ to: 'client:jenny', from: '+12025550100', twiml, timeout });
        await Promise.all(pages.map((page) => page.event('device', 'incoming')));
        return sid;
      };
      const ends = (sid: string, status: string): Promise<void> => statusOf(world, sid, status);

      const answered = await ring();
      await two.run('voice.call_.accept()');
      await two.event('call', 'accept');
      await one.event('call', 'cancel');
      await world.client.calls(answered).update({ status: 'completed' });
      await two.event('call', 'disconnect');
      await ends(answered, 'completed');

      const canceled = await ring();
      await world.client.calls(canceled).update({ status: 'canceled' });
      await Promise.all(pages.map((page) => page.event('call', 'cancel')));
      await ends(canceled, 'canceled');

      // Longer than the SDK waits for its ringing sound, which it cannot load here.
      const ignored = await ring(6);
      await Promise.all(pages.map((page) => page.event('call', 'cancel')));
      await ends(ignored, 'no-answer');

      const rejected = await ring();
      await one.run('voice.call_.reject()');
      await two.event('call', 'cancel');
      await ends(rejected, 'busy');
    },
  },
  {
    title: 'tokens: a new one is taken, one that expires or is forged is told by its number',
    run: async (t, way) => {
      const world = await startWorld(t, way);
      const page = await openVoiceSdkPage(t, await world.browser(600, way.browser));
      await page.device(world.token('jenny', { ttl: 6 }), { ...way.deviceOptions(world.tandem), tokenRefreshMs: 3000 });
      await page.register();
      await page.event('device', 'tokenWillExpire');
      await page.run(`voice.device_.updateToken(${JSON.stringify(world.token('jenny', { ttl: 4 }))})`);
      await page.event('device', 'tokenWillExpire');
      assert.equal((await page.event('device', 'error')).detail, 20104);
      await page.event('device', 'unregistered');
      const forged = await openVoiceSdkPage(t, await world.browser(600, way.browser));
      const precise = { ...way.deviceOptions(world.tandem), enableImprovedSignalingErrorPrecision: true };
      await forged.device(world.token('jenny', { secret: 'x'.repeat(32) }), precise);
      await forged.run('void voice.device_.register().catch(() => undefined)');
      assert.equal((await forged.event('device', 'error')).detail, 31202);
    },
  },
  {
    title: 'a refused microphone is told by its number; the call that rang ends with a status, the next one goes well',
    run: async (t, way) => {
      const world = await startWorld(t, way);
      world.application.on('/voice', '<Gather timeout="20"/>');
      const chromium = await world.browser(900, { ...way.browser, fakeMicrophone: 'by-permission' });
      const page = await openVoiceSdkPage(t, chromium);
      await page.page.context().grantPermissions([]);
      await page.device(world.token('mike'), way.deviceOptions(world.tandem));
      await page.register();
      await page.call({});
      assert.equal((await page.event('call', 'error')).detail, 31401);
      const twiml = '<Response><Pause length="20"/></Response>';
      const { sid } = await world.client.calls.create({ to: 'client:mike', from: '+12025550100', twiml });
      await page.event('device', 'incoming');
      await page.run('voice.call_.accept()');
      assert.equal((await page.event('call', 'error')).detail, 31401);
      // The SDK hangs up a call that it cannot take.
      await statusOf(world, sid, 'busy');

      await page.page.context().grantPermissions(['microphone']);
      await page.call({});
      await page.event('call', 'accept');
      await page.run('voice.call_.disconnect()');
      await eventually(() => world.client.calls.list({ status: 'completed' }), {
        until: (calls) => calls.length === 1,
        what: 'one completed call',
      });
    },
  },
  {
    title: 'a browser and a SIP phone call each other by TwiML; each hears only the other',
    run: async (t, way) => {
      const world = await startWorld(t, way, { phones: [{ name: 'alice', password: 'secret' }], numbers: [] });
      await world.client.incomingPhoneNumbers.create({
        phoneNumber: '+12025550101',
        voiceUrl: `${world.application.url}/to-mike`,
      });
      world.application.on('/voice', '<Dial><Sip>sip:alice@home.tandem</Sip></Dial>');
      world.application.on(
        '/to-mike',
        '<Dial><Client><Identity>mike</Identity><Parameter name="order" value="7 &amp; 8"/></Client></Dial>',
      );
      const alice = await Baresip.start(t, { user: 'alice', server: world.tandem.sip, hertz: 600 });
      const mike = await device(way, world, 'mike', 900);
      await mike.register();
      const talks = async (): Promise<void> => {
        const [at600 = 0, at900 = 0] = await mike.hears([600, 900]);
        assert.ok(at600 > CLEAR && at900 < SILENT, `mike hears 600 Hz ${at600}, 900 Hz ${at900}`);
      };

      await mike.call({ To: 'alice' });
      await alice.event('CALL_ESTABLISHED');
      await mike.event('call', 'accept');
      await talks();
      await mike.run('voice.call_.disconnect()');
      await alice.event('CALL_CLOSED');
      const from = alice.events.mark();

      await alice.dial(`sip:+12025550101@${world.tandem.sip}`);
      assert.match(String((await mike.event('device', 'incoming')).detail), /alice/);
      assert.equal(await mike.run("voice.call_.customParameters.get('order')"), '7 & 8');
      await mike.run('voice.call_.accept()');
      await mike.event('call', 'accept');
      await alice.event('CALL_ESTABLISHED', { from });
      // Two looks of a second each: what the phone heard is measured in its own file.
      await talks();
      await talks();
      await alice.hangup();
      await mike.event('call', 'disconnect');
      await alice.quit();
      const heard = alice.heard();
      assert.ok(secondsOfTone(heard, 900) > 0.8, 'alice heard the browser');
      assert.ok(secondsOfTone(heard, 600) < 0.3, 'alice did not hear itself');
    },
  },
  {
    title: 'asks no other host for anything',
    run: async (t, way) => {
      const world = await startWorld(t, way);
      world.application.on('/voice', '<Pause length="2"/>');
      const chromium = await world.browser(900, way.browser);
      const page = await openVoiceSdkPage(t, chromium, { soundsUrl: way.soundsUrl(world.tandem) });
      await page.device(world.token('mike'), { ...way.deviceOptions(world.tandem), publishEvents: true });
      await page.call({});
      await page.event('call', 'disconnect');
      const others = chromium.requests
        .map((each) => new URL(each).hostname)
        .filter((host) => !way.hosts.includes(host));
      assert.deepEqual(others, []);
      assert.ok(chromium.requests.some((each) => new URL(each).pathname.endsWith('/outgoing.mp3')));
      const lookedUp = await chromium.hostsLookedUp();
      assert.deepEqual(
        lookedUp.filter((host) => !way.hosts.includes(host)),
        [],
      );
    },
  },
  {
    title: 'its preflight test passes, with an application that plays something',
    run: async (t, way) => {
      const world = await startWorld(t, way);
      world.application.on('/voice', '<Say>One, two, three, four, five, six.</Say>');
      const page = await openVoiceSdkPage(t, await world.browser(900, way.browser));
      const report = await preflight(page, world.token('mike'), way.deviceOptions(world.tandem));
      assert.match(report.callSid, /^CA[0-9a-f]{32}$/);
      assert.equal(report.isTurnRequired, false);
      assert.ok(report.samples.length > 0, 'the quality of the sound was sampled');
      assert.ok((report.networkTiming.signaling?.duration ?? 0) > 0, 'the time until the answer was taken');
      await statusOf(world, report.callSid, 'completed');
    },
  },
];
