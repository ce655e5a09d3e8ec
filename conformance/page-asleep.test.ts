import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { openClientPage } from '../src/testkit/client-page.ts';
import { FirstPage } from '../src/testkit/first-page.ts';
import { peer } from '../src/testkit/peers.ts';
import type { PhonePage } from '../src/testkit/phone-page.ts';
import { statusOf, World } from './browser-world.ts';

/** The server gives a silent socket up after 20 s; it looks every 5 s. */
const ASLEEP_MS = 27_000;
const WAIT = '<Response><Pause length="30"/></Response>';
/** Of a page: one that was lost, one that came back. */
const MOST_SOCKETS = 2;

/** No script of the page runs and no timer, as in a tab that its browser has put to sleep; a headless one never does. */
async function fallAsleep(page: Page): Promise<() => Promise<void>> {
  const session = await page.context().newCDPSession(page);
  await session.send('Debugger.enable');
  await session.send('Debugger.pause');
  return async () => {
    await session.send('Debugger.resume');
    await session.detach();
  };
}

const long = process.env['TANDEM_THOROUGH'] === '1' ? {} : { skip: 'sleeps for 27 s: TANDEM_THOROUGH=1' };
const options = peer('chromium').options.skip === undefined ? long : peer('chromium').options;

suite('a page that sleeps longer than the keep-alive', options, () => {
  test('is not rung meanwhile, others of its identity are; awake it registers again by itself', async (t) => {
    const world = await World.start(t, { callsPerSecond: 10 });
    const chromium = await world.browser(600);
    const open = (): Promise<PhonePage> => openClientPage(t, chromium, world.tandem.http);
    const [sleeper, other] = [await open(), await open()];
    for (const page of [sleeper, other]) {
      await page.device(world.token('jenny'));
      await page.register();
    }
    const first = await FirstPage.open(chromium, world.tandem.http);
    await first.shows('No calls yet');
    const wakes = [await fallAsleep(sleeper.page), await fallAsleep(first.page)];
    const ring = async (timeout: number): Promise<string> =>
      (await world.client.calls.create({ to: 'client:jenny', from: '+12025550100', twiml: WAIT, timeout })).sid;

    const takenBy = async (page: PhonePage, sid: string): Promise<void> => {
      await page.event('device', 'incoming');
      await page.run('voice.call_.accept()');
      await page.event('call', 'accept');
      await page.run('voice.call_.disconnect()');
      await statusOf(world, sid, 'completed');
    };

    await takenBy(other, await ring(20));
    await other.run('voice.device_.unregister()');
    const early = await ring(3);
    await statusOf(world, early, 'no-answer');
    await other.register();
    await pause(ASLEEP_MS);
    await takenBy(other, await ring(20));
    await other.run('voice.device_.unregister()');
    const late = await ring(20);
    await statusOf(world, late, 'no-answer');
    assert.match(await world.timeLine(late), /not registered|nobody/i);

    for (const wake of wakes) await wake();
    await sleeper.event('device', 'registering');
    await sleeper.event('device', 'registered');
    assert.ok(Number(await sleeper.run('voice.sockets.length')) <= MOST_SOCKETS);
    // What rang in its sleep comes with its end, late.
    await sleeper.run('voice.events.length = 0');
    await takenBy(sleeper, await ring(20));
    await first.shows('completed');
    const shown = await first.page.locator('body').innerText();
    assert.equal(shown.match(/^no answer$/gm)?.length, 2, shown);
    assert.equal(shown.match(/^made by the API/gm)?.length, 5, shown);
  });
});
