import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Baresip } from './baresip.ts';
import { startKamailio } from './kamailio.ts';
import { everyPeer } from './peers.ts';
import { dominantHertz, secondsOfTone } from './sound-measure.ts';

test(
  'two phones call each other through Kamailio: tones, keys and the end are seen',
  everyPeer('baresip', 'kamailio'),
  async (t) => {
    const kamailio = await startKamailio(t);
    const account = (user: string) => ({ user, password: `pw${user}`, server: kamailio.address });
    const caller = await Baresip.start(t, { ...account('1001'), hertz: 600 });
    const callee = await Baresip.start(t, { ...account('1002'), hertz: 900, answer: 'manual' });

    await caller.dial(`sip:1002@${kamailio.address}`);
    await callee.event('CALL_INCOMING');
    await callee.accept();
    await caller.event('CALL_ESTABLISHED');
    await caller.event('CALL_RTPESTAB');
    await caller.press('12*#');
    await callee.process.stdout.waitFor((line) => line.includes("'#' (end=1)"), { what: 'the last key' });
    await callee.hangup();
    await caller.event('CALL_CLOSED');

    assert.equal(callee.heardDigits, '12*#');
    assert.ok(Math.abs(dominantHertz(callee.heard()) - 600) < 10, `${dominantHertz(callee.heard())}`);
    assert.ok(Math.abs(dominantHertz(caller.heard()) - 900) < 10, `${dominantHertz(caller.heard())}`);
    assert.equal(secondsOfTone(caller.heard(), 600), 0);
  },
);
