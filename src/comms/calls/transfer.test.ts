import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { CallSid } from '../../base/sid.ts';
import { ACCOUNT_SID, APP, CallWorld, NUMBER } from './test/call-world.ts';
import { ScriptedNode } from './test/scripted-media.ts';
import { answering, refusing, ringingOnly, type Caller } from './test/scripted-user-agent.ts';

const CY = 'sip:cy@127.0.0.1';
const ACTION = 'http://app/action';

interface Joined {
  readonly world: CallWorld;
  readonly alice: Caller;
}

/** Alice talks with Bob, directly or by the Dial of an application. */
async function joined(by: 'directly' | 'Dial' = 'directly'): Promise<Joined> {
  const world = await CallWorld.open();
  world.phone('bob', answering(0));
  world.phone('cy', answering(2000));
  world.app(`<Dial action="${ACTION}"><Sip>sip:bob@home.tandem</Sip></Dial>`).app('<Hangup/>', ACTION);
  const alice = await world.incoming({ uri: by === 'Dial' ? `sip:${NUMBER}@127.0.0.1` : 'sip:bob@127.0.0.1' });
  await world.pass(1000);
  return { world, alice };
}

const sidOf = (world: CallWorld, index: number): CallSid => world.all[index]?.sid as CallSid;
const statuses = (world: CallWorld): readonly string[] => world.all.map(({ status }) => status);

function joinedLegs(world: CallWorld, one: number, other: number): boolean {
  const [left, right] = [world.leg(sidOf(world, one)), world.leg(sidOf(world, other))];
  return left.partners.length === 1 && left.partners[0] === right;
}

suite('a blind transfer', () => {
  test('by the caller joins the callee with a third phone, and ends the caller', async () => {
    const { world, alice } = await joined();
    const log = alice.sipCall.refers(CY);
    await world.pass(1000);
    assert.deepEqual(log, ['202', 'notify 180 Ringing']);
    assert.ok(joinedLegs(world, 0, 1), 'they talk on while it rings');
    await world.pass(1500);
    assert.equal(log.at(-1), 'notify 200 OK');
    assert.deepEqual(statuses(world), ['completed', 'in-progress', 'in-progress']);
    assert.ok(joinedLegs(world, 1, 2));
    assert.ok(alice.sipCall.ended);
    world.attempt('cy').sipCall.leave();
    await world.pass(100);
    assert.deepEqual(statuses(world), ['completed', 'completed', 'completed']);
    assert.deepEqual(world.leftovers(), []);
  });

  test('by the callee joins the caller with a third phone; the Dial lasts until they are done', async () => {
    const { world } = await joined('Dial');
    const log = world.attempt('bob').sipCall.refers(CY);
    await world.pass(3000);
    assert.equal(log.at(-1), 'notify 200 OK');
    assert.ok(joinedLegs(world, 0, 2));
    assert.deepEqual(world.posted(ACTION), []);
    await world.pass(6000);
    world.attempt('cy').sipCall.leave();
    await world.pass(100);
    const [action] = world.posted(ACTION);
    assert.equal(action?.['DialCallStatus'], 'completed');
    assert.equal(action?.['DialCallDuration'], '10');
    assert.equal(action?.['DialCallSid'], sidOf(world, 1));
    assert.deepEqual(world.leftovers(), []);
  });

  test('shows the one who stays to the new callee', async () => {
    const { world, alice } = await joined();
    alice.sipCall.refers(CY);
    await world.settle();
    assert.equal(world.attempt('cy').from, 'bob');
    const other = await joined();
    other.world.attempt('bob').sipCall.refers(CY);
    await other.world.settle();
    assert.equal(other.world.attempt('cy').from, 'alice');
  });

  test('goes on when the transferrer hangs up at once, as many phones do', async () => {
    const { world, alice } = await joined();
    const bob = sidOf(world, 1);
    alice.sipCall.refers(CY);
    alice.leave();
    await world.pass(1000);
    assert.equal(world.row(bob).status, 'in-progress');
    await world.pass(1500);
    assert.ok(joinedLegs(world, 1, 2));
    world.attempt('bob').sipCall.leave();
    await world.pass(100);
    assert.deepEqual(world.leftovers(), []);
  });

  test('that fails is told, and the two talk on; who has left meanwhile leaves nobody behind', async () => {
    for (const [behaviour, told] of [
      [refusing(486), 'notify 486 status 486'],
      [ringingOnly, 'notify 408 Request Timeout'],
    ] as const) {
      const { world, alice } = await joined();
      world.phone('cy', behaviour);
      const log = alice.sipCall.refers(CY);
      await world.pass(61_000);
      assert.equal(log.at(-1), told);
      assert.ok(joinedLegs(world, 0, 1));
      alice.sipCall.refers(CY);
      alice.leave();
      await world.pass(61_000);
      assert.deepEqual(world.leftovers(), []);
    }
  });

  test('calls nobody on when the one who stays hangs up', async () => {
    const { world, alice } = await joined();
    world.phone('cy', ringingOnly);
    alice.sipCall.refers(CY);
    await world.settle();
    world.attempt('bob').sipCall.leave();
    await world.pass(100);
    assert.ok(world.attempt('cy').cancelled);
    assert.deepEqual(world.leftovers(), []);
  });

  test('to nowhere is told as such', async () => {
    const { world, alice } = await joined();
    const log = alice.sipCall.refers('sip:nobody@127.0.0.1');
    await world.settle();
    assert.match(log.at(-1) ?? '', /^notify 404/);
    assert.ok(joinedLegs(world, 0, 1));
  });

  test('a second one meanwhile, and one without an address, are refused', async () => {
    const { world, alice } = await joined();
    alice.sipCall.refers(CY);
    assert.deepEqual(alice.sipCall.refers(CY), ['refused 491']);
    const other = await joined();
    assert.deepEqual(other.alice.sipCall.refers('tel:'), ['refused 400']);
    assert.ok(world);
  });

  test('is for phones only, and only while two talk', async () => {
    const world = await CallWorld.open();
    world.phone('bob', answering(0));
    world.phone('cy', answering(0));
    const trunk = { kind: 'trunk', accountSid: ACCOUNT_SID, name: 'one' } as const;
    const stranger = await world.incoming({ uri: 'sip:bob@127.0.0.1', caller: trunk });
    await world.settle();
    assert.deepEqual(stranger.sipCall.refers(CY), ['refused 403']);
    world.app('<Say>alone</Say>', APP);
    const alone = await world.incoming({ uri: `sip:${NUMBER}@127.0.0.1` });
    assert.deepEqual(alone.sipCall.refers(CY), ['refused 603']);
  });

  test('can be done again with the new party', async () => {
    const { world, alice } = await joined();
    world.phone('dee', answering(0));
    alice.sipCall.refers(CY);
    await world.pass(3000);
    const log = world.attempt('cy').sipCall.refers('sip:dee@127.0.0.1');
    await world.pass(1000);
    assert.equal(log.at(-1), 'notify 200 OK');
    assert.deepEqual(statuses(world), ['completed', 'in-progress', 'completed', 'in-progress']);
    assert.ok(joinedLegs(world, 1, 3));
  });
});

suite('an attended transfer', () => {
  test('joins the far sides of both calls and ends the transferrer’s', async () => {
    const { world, alice } = await joined();
    const consulting = await world.incoming({ uri: CY });
    await world.pass(2500);
    const log = alice.sipCall.refers(CY, consulting.dialogId);
    await world.pass(100);
    assert.deepEqual(log, ['202', 'notify 200 OK']);
    assert.deepEqual(statuses(world), ['completed', 'in-progress', 'completed', 'in-progress']);
    assert.ok(joinedLegs(world, 1, 3));
    assert.ok(alice.sipCall.ended && consulting.sipCall.ended);
    world.attempt('bob').sipCall.leave();
    await world.pass(100);
    assert.deepEqual(world.leftovers(), []);
  });

  test('goes on when the transferrer ends both calls at once', async () => {
    const { world, alice } = await joined();
    const consulting = await world.incoming({ uri: CY });
    await world.pass(2500);
    alice.sipCall.refers(CY, consulting.dialogId);
    consulting.leave();
    alice.leave();
    await world.pass(100);
    assert.deepEqual(statuses(world), ['completed', 'in-progress', 'completed', 'in-progress']);
    assert.ok(joinedLegs(world, 1, 3));
    world.attempt('bob').sipCall.leave();
    await world.pass(100);
    assert.deepEqual(world.leftovers(), []);
  });

  test('joins two callers when the transferrer was called twice', async () => {
    const { world, alice } = await joined();
    const cy = await world.incoming({ uri: 'sip:bob@127.0.0.1', from: CY });
    await world.pass(1000);
    const [first, second] = world.userAgent.attempts;
    const log = first?.sipCall.refers('sip:cy@127.0.0.1', second?.sipCall.dialogId);
    await world.pass(100);
    assert.deepEqual(log, ['202', 'notify 200 OK']);
    assert.ok(joinedLegs(world, 0, 2));
    cy.leave();
    await world.pass(100);
    assert.ok(alice.sipCall.ended);
    assert.deepEqual(world.leftovers(), []);
  });

  test('joins legs of two media processes by a line between them', async () => {
    const { world, alice } = await joined();
    world.media.nextNode = new ScriptedNode('two', world.media);
    const consulting = await world.incoming({ uri: CY });
    await world.pass(2500);
    const log = alice.sipCall.refers(CY, consulting.dialogId);
    await world.pass(100);
    assert.deepEqual(log.at(-1), 'notify 200 OK');
    const [bob, cy] = [world.leg(sidOf(world, 1)), world.leg(sidOf(world, 3))];
    assert.equal(bob.partners[0]?.node, bob.node);
    assert.equal(cy.partners[0]?.node, cy.node);
    assert.deepEqual(bob.partners[0]?.answers, [`answer of ${cy.partners[0]?.id}`]);
    world.attempt('bob').sipCall.leave();
    await world.pass(100);
    assert.deepEqual(world.leftovers(), []);
  });

  test('naming another call by its Call-ID alone, with wrong tags, is refused', async () => {
    const { world, alice } = await joined();
    const consulting = await world.incoming({ uri: CY });
    await world.pass(2500);
    for (const tags of ['ours|other', 'other|theirs', 'theirs|ours']) {
      assert.deepEqual(alice.sipCall.refers(CY, `${consulting.callId}|${tags}`), ['refused 481']);
    }
    assert.deepEqual(statuses(world), ['in-progress', 'in-progress', 'in-progress', 'in-progress']);
  });

  test('naming no call of ours, or itself, is refused', async () => {
    const { alice } = await joined();
    assert.deepEqual(alice.sipCall.refers(CY, 'unknown'), ['refused 481']);
    assert.deepEqual(alice.sipCall.refers(CY, alice.dialogId), ['refused 481']);
  });
});
