import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Baresip } from '../src/testkit/baresip.ts';
import { openClientPage } from '../src/testkit/client-page.ts';
import { eventually } from '../src/testkit/eventually.ts';
import { everyPeer } from '../src/testkit/peers.ts';
import type { PhonePage } from '../src/testkit/phone-page.ts';
import { childrenOf, openHandles } from '../src/testkit/process-facts.ts';
import { hearEachOther, statusOf, World } from './browser-world.ts';

async function device(world: World, identity: string, hertz: number, options: object = {}): Promise<PhonePage> {
  const page = await openClientPage(world.context, await world.browser(hertz), world.tandem.http);
  await page.device(world.token(identity), options);
  await page.register();
  return page;
}

/** Mike calls Jenny, and they hear each other; gives the sid of Mike's leg. */
async function talk(world: World, mike: PhonePage, jenny: PhonePage): Promise<string> {
  await mike.call({});
  await jenny.event('device', 'incoming');
  await jenny.run('voice.call_.accept()');
  await Promise.all([mike.event('call', 'accept'), jenny.event('call', 'accept')]);
  await hearEachOther(mike, jenny);
  return String(await mike.run('voice.call_.parameters.CallSid'));
}

/** From the end of a media process until a page knows of it. */
const TOLD_WITHIN_MS = 5000;
/** HTTP connections of the SDK and of the pages stay open for a while. */
const HANDLES_WITHIN_MS = 10_000;
const LOST = /the process that carried its sound ended/;

suite('when a media process dies', everyPeer('chromium', 'baresip'), () => {
  test('its calls end with a reason that page and API tell; the next ones go well in the same page', async (t) => {
    const world = await World.start(t, { phones: [{ name: 'alice', password: 'secret' }], mediaProcesses: 2 });
    const toAlice = '<Dial><Sip>sip:alice@home.tandem</Sip></Dial>';
    world.application.on('/voice', ({ params }) =>
      params['To'] === 'alice' ? toAlice : '<Dial><Client>jenny</Client></Dial>',
    );
    const alice = await Baresip.start(t, { user: 'alice', server: world.tandem.sip, hertz: 600 });
    const [mike, jenny] = [await device(world, 'mike', 900), await device(world, 'jenny', 600)];
    const { pid } = world.tandem.ready;
    const processes = (): readonly number[] => childrenOf(pid, 'media-process');
    const count = (): ReadonlyMap<number, number> => new Map(processes().map((child) => [child, openHandles(child)]));
    /** The one that has more open than before the call. */
    const killBusy = (before: ReadonlyMap<number, number>): void => {
      const busy = processes().filter((child) => openHandles(child) > (before.get(child) ?? Infinity));
      assert.equal(busy.length, 1, 'both legs of a call are in one process');
      for (const child of busy) process.kill(child, 'SIGKILL');
    };
    const both = (): Promise<unknown> =>
      eventually(async () => processes().length, { until: (found) => found === 2, what: 'two media processes again' });

    const ended = async (page: PhonePage): Promise<void> => {
      assert.equal((await page.event('call', 'error', TOLD_WITHIN_MS)).detail, 31_005);
      assert.match(String(await page.run('voice.lastError')), LOST);
      await page.event('call', 'disconnect', TOLD_WITHIN_MS);
      assert.equal(await page.run('voice.device_.isBusy'), false);
    };
    /** A call and its only leg. */
    const told = async (sid: string): Promise<void> => {
      await statusOf(world, sid, 'completed');
      const [leg] = await world.client.calls.list({ parentCallSid: sid });
      assert.equal(leg?.status, 'completed');
      for (const each of [sid, leg?.sid ?? '']) {
        const [notification] = await world.client.calls(each).notifications.list();
        assert.match(notification?.messageText ?? '', LOST);
        assert.match(await world.timeLine(each), LOST);
      }
    };

    const beforeFirst = count();
    const sid = await talk(world, mike, jenny);
    killBusy(beforeFirst);
    await Promise.all([ended(mike), ended(jenny)]);
    await told(sid);
    // At once, in the other process.
    await talk(world, mike, jenny);
    await mike.run('voice.call_.disconnect()');
    await jenny.event('call', 'disconnect');
    await both();

    const beforeSecond = count();
    const handles = openHandles(pid);
    await mike.call({ To: 'alice' });
    await Promise.all([mike.event('call', 'accept'), alice.event('CALL_ESTABLISHED')]);
    const sidWithPhone = String(await mike.run('voice.call_.parameters.CallSid'));
    killBusy(beforeSecond);
    await Promise.all([ended(mike), alice.event('CALL_CLOSED')]);
    await told(sidWithPhone);
    await both();
    await eventually(async () => openHandles(pid), {
      until: (open) => open <= handles,
      what: `${handles} handles of the server as after the first round`,
      withinMs: HANDLES_WITHIN_MS,
    });
  });
});
