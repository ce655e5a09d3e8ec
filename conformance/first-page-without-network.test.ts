import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WELCOME } from '../src/api/console/own-twiml.ts';
import { onLoopbackAlone } from '../src/testkit/alone.ts';
import { Chromium } from '../src/testkit/chromium.ts';
import { eventually } from '../src/testkit/eventually.ts';
import { FirstPage } from '../src/testkit/first-page.ts';
import { alignFollowing } from '../src/testkit/sound-measure.ts';
import { speechReference } from '../src/testkit/speech-reference.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';

const SPEECH_WITHIN_MS = 20_000;

onLoopbackAlone('Call me works on a machine with only its loopback', import.meta.filename, () => {
  test('the page rings, speaks and takes keys without any network and without a flag for loopback candidates', async (t) => {
    const tandem = await Tandem.start(t, { config: { callsPerSecond: 10 } });
    const page = await FirstPage.open(
      await Chromium.start(t, { loopbackCandidates: false }),
      tandem.http.replace('127.0.0.1', 'localhost'),
    );
    await page.callMe();
    await page.talks();
    const reference = speechReference(t, WELCOME);
    await eventually(async () => alignFollowing(await page.heard(), reference), {
      until: ({ correlation }) => correlation >= 0.9,
      what: 'the welcome to be heard with a correlation of 0.9',
      withinMs: SPEECH_WITHIN_MS,
    });
    await page.page.keyboard.press('5');
    await page.shows('You pressed 5. Press another key, or hang up.');
    await page.button('Hang up').click();
    await page.shows('completed');
    assert.equal(await page.button('Call me').count(), 1);
  });
});
