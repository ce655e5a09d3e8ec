import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { sleep, systemClock } from '../src/base/clock.ts';
import { Baresip } from '../src/testkit/baresip.ts';
import { eventually } from '../src/testkit/eventually.ts';
import { everyPeer } from '../src/testkit/peers.ts';
import { secondsOfTone } from '../src/testkit/sound-measure.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';

const HERTZ = { alice: 600, bob: 900, cy: 1300 } as const;
const TALK_MS = 2000;

interface Phones {
  readonly alice: Baresip;
  readonly bob: Baresip;
  readonly cy: Baresip;
  readonly server: string;
}

/** Alice talks with Bob; Cy is there. */
async function talking(t: TestContext): Promise<Phones> {
  const phones = Object.keys(HERTZ).map((name) => ({ name, password: 'secret' }));
  const tandem = await Tandem.start(t, { config: { phones } });
  const start = (user: keyof typeof HERTZ): Promise<Baresip> =>
    Baresip.start(t, { user, hertz: HERTZ[user], server: tandem.sip, trace: user === 'alice' });
  const [alice, bob, cy] = await Promise.all([start('alice'), start('bob'), start('cy')]);
  await alice.dial(`sip:bob@${tandem.sip}`);
  await Promise.all([alice.event('CALL_ESTABLISHED'), bob.event('CALL_ESTABLISHED')]);
  await sleep(systemClock, TALK_MS);
  return { alice, bob, cy, server: tandem.sip };
}

function assertHeard(phone: Baresip, of: keyof typeof HERTZ): void {
  const seconds = secondsOfTone(phone.heard(), HERTZ[of]);
  assert.ok(seconds > 1, `${seconds} s of ${of}'s ${HERTZ[of]} Hz, want more than 1`);
}

test('a phone transfers its call to a third phone', everyPeer('baresip'), async (t) => {
  const { alice, bob, cy, server } = await talking(t);
  await alice.command('transfer', `sip:cy@${server}`);
  await cy.event('CALL_ESTABLISHED');
  await alice.event('CALL_CLOSED');
  await sleep(systemClock, TALK_MS);
  await cy.hangup();
  await bob.event('CALL_CLOSED');
  await Promise.all([bob.quit(), cy.quit()]);
  assertHeard(bob, 'alice');
  assertHeard(bob, 'cy');
  assertHeard(cy, 'bob');
  assert.equal(secondsOfTone(cy.heard(), HERTZ.alice), 0);
});

test('the phone that was called transfers its caller', everyPeer('baresip'), async (t) => {
  const { alice, bob, cy, server } = await talking(t);
  await bob.command('transfer', `sip:cy@${server}`);
  await cy.event('CALL_ESTABLISHED');
  await bob.event('CALL_CLOSED');
  await sleep(systemClock, TALK_MS);
  await alice.hangup();
  await cy.event('CALL_CLOSED');
  await Promise.all([alice.quit(), cy.quit()]);
  assertHeard(alice, 'cy');
  assertHeard(cy, 'alice');
});

/** The tags of a call that the phone made, as its ACK has them. */
async function tagsOf(phone: Baresip, callId: string): Promise<{ readonly to: string; readonly from: string }> {
  const { stdout, stderr } = phone.process;
  const ack = await eventually(
    async () =>
      [...stdout.all, ...stderr.all]
        .join('\n')
        .split(/^(?=ACK sip:)/m)
        // The first ACK is that of the challenge.
        .findLast((message) => message.startsWith('ACK ') && message.slice(0, 800).includes(`Call-ID: ${callId}`)),
    { until: (message) => message !== undefined, what: `the ACK of ${callId}` },
  );
  const tag = (name: string): string => new RegExp(`^${name}:.*;tag=([\\w-]+)`, 'm').exec(ack ?? '')?.[1] ?? '';
  return { to: tag('To'), from: tag('From') };
}

test('a phone asks a third phone first, then joins the two', everyPeer('baresip'), async (t) => {
  const { alice, bob, cy, server } = await talking(t);
  const first = await alice.event('CALL_ESTABLISHED', { from: 0 });
  const mark = alice.events.mark();
  await alice.dial(`sip:cy@${server}`);
  await cy.event('CALL_ESTABLISHED');
  await alice.event('CALL_ESTABLISHED', { from: mark });
  await sleep(systemClock, 500);
  // This baresip has no word for an attended transfer: the header is written by hand.
  const { to, from } = await tagsOf(alice, first.id ?? '');
  const replaces = encodeURIComponent(`${first.id};to-tag=${to};from-tag=${from}`);
  await alice.command('transfer', `<sip:bob@${server}?Replaces=${replaces}>`);
  await alice.event('CALL_CLOSED', { from: mark });
  await sleep(systemClock, TALK_MS);
  await bob.hangup();
  await cy.event('CALL_CLOSED');
  await Promise.all([bob.quit(), cy.quit()]);
  assertHeard(bob, 'cy');
  assertHeard(cy, 'bob');
});
