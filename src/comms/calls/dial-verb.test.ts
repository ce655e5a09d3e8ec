import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { CallSid } from '../../base/sid.ts';
import { APP, CallWorld, NUMBER, OTHER_ACCOUNT_SID } from './test/call-world.ts';
import type { ScriptedLeg } from './test/scripted-media.ts';
import { answering, refusing, ringingOnly, type Caller, type Attempt } from './test/scripted-user-agent.ts';

const ACTION = 'http://app/action';

interface Dialled {
  readonly world: CallWorld;
  readonly caller: Caller;
  readonly parent: CallSid;
}

/** Alice calls the number whose application answers with this Dial. */
async function dialled(dial: string, prepare: (world: CallWorld) => void): Promise<Dialled> {
  const world = await CallWorld.open();
  world.app(dial).app('<Hangup/>', ACTION);
  prepare(world);
  const caller = await world.incoming({ uri: `sip:${NUMBER}@127.0.0.1` });
  return { world, caller, parent: world.all[0]?.sid as CallSid };
}

const dialTo = (noun: string, attributes = ''): string => `<Dial action="${ACTION}" ${attributes}>${noun}</Dial>`;
const sip = (name: string, attributes = ''): string => `<Sip ${attributes}>sip:${name}@home.tandem</Sip>`;
const hears = (leg: ScriptedLeg | undefined): readonly string[] => (leg?.partners ?? []).map(({ id }) => id);

suite('Dial', () => {
  test('joins the caller with who answers, and tells the action status and duration', async () => {
    const { world, caller, parent } = await dialled(dialTo(sip('bob')), (place) => place.phone('bob', answering(1000)));
    await world.pass(1000);
    const child = world.all[1];
    assert.equal(child?.direction, 'outbound-dial');
    assert.equal(child.parentCallSid, parent);
    assert.deepEqual(hears(world.leg(parent)), [world.leg(child.sid).id], 'they hear each other');
    await world.pass(12_400);
    world.attempt('bob').sipCall.leave();
    await world.pass(100);
    const [action] = world.posted(ACTION);
    assert.equal(action?.['DialCallStatus'], 'completed');
    assert.equal(action?.['DialCallSid'], child.sid);
    assert.equal(action?.['DialBridged'], 'true');
    assert.equal(action?.['DialCallDuration'], '12');
    assert.equal(world.row(child.sid).duration, 12);
    assert.ok(caller.sipCall.ended, 'the action hung up');
    assert.deepEqual(world.leftovers(), []);
  });

  test('tells busy, no-answer and failed as they were, without a duration', async () => {
    const ways = [
      [refusing(486), 'busy'],
      [ringingOnly, 'no-answer'],
      [refusing(404), 'failed'],
    ] as const;
    for (const [behaviour, status] of ways) {
      const { world } = await dialled(dialTo(sip('bob'), 'timeout="5"'), (place) => place.phone('bob', behaviour));
      await world.pass(6000);
      const [action] = world.posted(ACTION);
      assert.equal(action?.['DialCallStatus'], status);
      assert.equal(action?.['DialBridged'], 'false');
      assert.equal(action?.['DialCallDuration'], undefined);
      assert.equal(world.all[1]?.status, status);
      assert.deepEqual(world.leftovers(), []);
    }
  });

  test('goes on with the next verb when there is no action', async () => {
    const { world, parent } = await dialled(`<Dial>${sip('bob')}</Dial><Say>sorry</Say>`, (place) =>
      place.phone('bob', refusing(486)),
    );
    await world.pass(500);
    assert.equal(world.leg(parent).played.at(-1), '"sorry"');
  });

  test('ends the callee when the caller hangs up: while it rings, and while they talk', async () => {
    const ringing = await dialled(dialTo(sip('bob')), (place) => place.phone('bob', ringingOnly));
    ringing.caller.leave();
    await ringing.world.pass(100);
    assert.equal(ringing.world.all[1]?.status, 'canceled');
    assert.ok(ringing.world.attempt('bob').cancelled);
    assert.equal(ringing.world.posted(ACTION)[0]?.['DialCallStatus'], 'canceled');
    assert.deepEqual(ringing.world.leftovers(), []);

    const talking = await dialled(dialTo(sip('bob')), (place) => place.phone('bob', answering(0)));
    await talking.world.pass(3000);
    talking.caller.leave();
    await talking.world.pass(100);
    assert.equal(talking.world.all[1]?.status, 'completed');
    assert.ok(talking.world.attempt('bob').sipCall.ended);
    const [action] = talking.world.posted(ACTION);
    assert.equal(action?.['DialCallStatus'], 'completed');
    assert.equal(action?.['CallStatus'], 'completed');
    assert.deepEqual(talking.world.leftovers(), []);
  });

  test('is cut off by an update of the call: the callee ends, the new document runs', async () => {
    for (const behaviour of [ringingOnly, answering(0)]) {
      const { world, parent } = await dialled(dialTo(sip('bob')), (place) => place.phone('bob', behaviour));
      await world.pass(3000);
      await world.service.update(world.account, parent, { redirect: { twiml: '<Response><Say>new</Say></Response>' } });
      await world.pass(100);
      assert.equal(world.all[1]?.stage, 'ended');
      assert.equal(world.leg(parent).played.at(-1), '"new"');
      assert.deepEqual(hears(world.leg(parent)), []);
      assert.deepEqual(world.posted(ACTION), []);
    }
  });

  test('lets an update of the callee take it to a document of its own; the caller goes on', async () => {
    const { world, parent } = await dialled(dialTo(sip('bob')), (place) => place.phone('bob', answering(0)));
    world.app('<Pause length="60"/>', ACTION);
    await world.pass(3000);
    const child = world.all[1]?.sid as CallSid;
    await world.service.update(world.account, child, { redirect: { twiml: '<Response><Say>you</Say></Response>' } });
    await world.pass(100);
    assert.deepEqual(world.leg(child).played, ['"you"']);
    assert.equal(world.posted(ACTION)[0]?.['DialCallStatus'], 'completed');
    await world.pass(3000);
    assert.equal(world.row(child).status, 'completed');
    assert.equal(world.row(parent).status, 'in-progress');
  });

  test('rings several at once: the first answer wins, the others are cancelled', async () => {
    const { world, parent } = await dialled(dialTo(sip('ann') + sip('bob') + sip('cy')), (place) => {
      place.phone('ann', ringingOnly);
      place.phone('bob', answering(2000));
      place.phone('cy', answering(2500));
    });
    assert.equal(world.userAgent.attempts.length, 3);
    await world.pass(2100);
    assert.deepEqual(
      world.all.slice(1).map(({ status }) => status),
      ['canceled', 'in-progress', 'canceled'],
    );
    assert.deepEqual(hears(world.leg(parent)), [world.leg(world.all[2]?.sid as CallSid).id]);
  });

  test('joins one of two that answer at the same moment, and sends the other away', async () => {
    const { world, parent } = await dialled(dialTo(sip('ann') + sip('bob')), (place) => {
      place.phone('ann', ringingOnly);
      place.phone('bob', ringingOnly);
    });
    world.attempt('ann').answer();
    world.attempt('bob').answer();
    await world.pass(100);
    assert.equal(hears(world.leg(parent)).length, 1);
    const ended = ['ann', 'bob'].filter((name) => world.attempt(name).sipCall.ended);
    assert.equal(ended.length, 1);
    assert.equal(world.media.open.length, 2);
  });

  test('sends an answer away that crosses the cancellation', async () => {
    const { world, caller } = await dialled(dialTo(sip('bob')), (place) => place.phone('bob', ringingOnly));
    caller.leave();
    world.attempt('bob').answerInSpiteOfCancel();
    await world.pass(100);
    assert.ok(world.attempt('bob').sipCall.ended);
    assert.deepEqual(world.leftovers(), []);
  });

  test('tells busy before no-answer before failed when several do not answer', async () => {
    const { world } = await dialled(dialTo(sip('ann') + sip('bob') + sip('cy'), 'timeout="5"'), (place) => {
      place.phone('ann', refusing(404));
      place.phone('bob', ringingOnly);
      place.phone('cy', refusing(486));
    });
    await world.pass(6000);
    assert.equal(world.posted(ACTION)[0]?.['DialCallStatus'], 'busy');
  });

  test('rings one after another when sequential, each for its own time', async () => {
    const { world } = await dialled(dialTo(sip('ann') + sip('bob'), 'sequential="true" timeout="5"'), (place) => {
      place.phone('ann', ringingOnly);
      place.phone('bob', answering(3000));
    });
    assert.deepEqual(
      world.userAgent.attempts.map(({ user }) => user),
      ['ann'],
    );
    await world.pass(5100);
    assert.deepEqual(
      world.userAgent.attempts.map(({ user }) => user),
      ['ann', 'bob'],
    );
    await world.pass(3000);
    assert.deepEqual(
      world.all.slice(1).map(({ status }) => status),
      ['no-answer', 'in-progress'],
    );
  });

  test('calls nobody else after the caller left a sequential Dial', async () => {
    const { world, caller } = await dialled(dialTo(sip('ann') + sip('bob'), 'sequential="true"'), (place) => {
      place.phone('ann', ringingOnly);
      place.phone('bob', answering(0));
    });
    caller.leave();
    await world.pass(100);
    assert.equal(world.userAgent.attempts.length, 1);
    assert.deepEqual(world.leftovers(), []);
  });

  test('plays ringback to an answered caller until the callee answers', async () => {
    const { world, parent } = await dialled(dialTo(sip('bob')), (place) => place.phone('bob', answering(2000)));
    assert.deepEqual(world.leg(parent).played, ['tone 440+480']);
  });

  test('plays the ringback of the country that ringTone names', async () => {
    for (const [ringTone, tone] of [
      ['fr', 'tone 440'],
      ['UK', 'tone 400+450'],
      ['zz', 'tone 440+480'],
    ] as const) {
      const { world, parent } = await dialled(dialTo(sip('bob'), `ringTone="${ringTone}"`), (place) =>
        place.phone('bob', ringingOnly),
      );
      assert.deepEqual(world.leg(parent).played, [tone]);
    }
  });

  test('lets the caller hear early media in place of ringback, and not be heard', async () => {
    const { world, parent } = await dialled(dialTo(sip('bob')), (place) =>
      place.phone('bob', (attempt) => attempt.progress(183, 'early')),
    );
    await world.settle();
    const bridge = world.media.node.bridges.at(-1);
    assert.equal(bridge?.options.listeners?.[0]?.id, world.leg(parent).id);
    assert.equal(hears(world.leg(parent)).length, 1);
  });

  test('lets the caller hear the early media of each callee of a sequential Dial, and ringback between', async () => {
    const early = (attempt: Attempt): void => attempt.progress(183, 'early');
    const { world, parent } = await dialled(
      dialTo(sip('ann') + sip('bob') + sip('cy'), 'sequential="true" timeout="5"'),
      (place) => {
        place.phone('ann', early);
        place.phone('bob', early);
        place.phone('cy', ringingOnly);
      },
    );
    const first = hears(world.leg(parent))[0];
    await world.pass(5100);
    const second = hears(world.leg(parent))[0];
    assert.ok(first !== undefined && second !== undefined && first !== second);
    await world.pass(5000);
    assert.deepEqual(hears(world.leg(parent)), []);
    assert.equal(world.leg(parent).played.length, 3);
  });

  test('answers the caller only with the callee when answerOnBridge says so', async () => {
    const { world, caller } = await dialled(dialTo(sip('bob'), 'answerOnBridge="true"'), (place) =>
      place.phone('bob', answering(2000)),
    );
    await world.pass(1900);
    assert.deepEqual(caller.heard.at(-1), '180');
    await world.pass(200);
    assert.equal(caller.final, '200');
  });

  test('with answerOnBridge passes early media on before the answer', async () => {
    const { world, caller } = await dialled(dialTo(sip('bob'), 'answerOnBridge="true"'), (place) =>
      place.phone('bob', (attempt) => attempt.progress(183, 'early')),
    );
    await world.settle();
    assert.ok(caller.heard.includes('183 answer of leg 0'));
  });

  test('ends the conversation at *, and goes on with the caller', async () => {
    const { world, parent } = await dialled(dialTo(sip('bob'), 'hangupOnStar="true"'), (place) =>
      place.phone('bob', answering(0)),
    );
    world.app('<Pause length="60"/>', ACTION);
    await world.pass(5000);
    world.leg(parent).press('1');
    await world.settle();
    assert.equal(world.all[1]?.status, 'in-progress');
    world.leg(parent).press('*');
    await world.pass(100);
    assert.equal(world.all[1]?.status, 'completed');
    assert.equal(world.posted(ACTION)[0]?.['DialCallDuration'], '5');
    assert.equal(world.row(parent).status, 'in-progress');
    assert.equal(world.leg(parent).listeners, 1, 'the document alone listens');
  });

  test('ends the conversation at its time limit', async () => {
    const { world } = await dialled(dialTo(sip('bob'), 'timeLimit="30"'), (place) => place.phone('bob', answering(0)));
    await world.pass(31_000);
    assert.equal(world.all[1]?.duration, 30);
    assert.equal(world.posted(ACTION)[0]?.['DialCallDuration'], '30');
  });

  test('hears each digit once, in the conversation and after it', async () => {
    const { world, parent } = await dialled(
      `<Dial hangupOnStar="true">${sip('bob')}</Dial><Gather numDigits="2" action="${ACTION}"/>`,
      (place) => place.phone('bob', answering(0)),
    );
    await world.pass(1000);
    world.leg(parent).press('7');
    world.leg(parent).press('*');
    await world.pass(100);
    world.leg(parent).press('4');
    world.leg(parent).press('2');
    await world.pass(100);
    assert.equal(world.posted(ACTION)[0]?.['Digits'], '42');
  });

  test('says what cannot be dialled and calls the rest', async () => {
    const { world } = await dialled(dialTo(`<Number>nonsense</Number>${sip('bob')}`), (place) =>
      place.phone('bob', answering(0)),
    );
    await world.pass(100);
    assert.deepEqual(world.codes, [13_223]);
    assert.equal(world.all[1]?.status, 'in-progress');
  });

  test('fails when the disk is full, and the caller goes on', async () => {
    const { world, parent } = await dialled(`<Pause/><Dial>${sip('bob')}</Dial><Say>sorry</Say>`, (place) =>
      place.phone('bob', answering(0)),
    );
    world.calls.full = true;
    await world.pass(1100);
    assert.equal(world.userAgent.attempts.length, 0);
    assert.deepEqual(world.codes, [13_224]);
    assert.equal(world.leg(parent).played.at(-1), '"sorry"');
  });

  test('tells each callee’s events with the sid of its parent', async () => {
    const noun = sip(
      'bob',
      'statusCallback="http://app/child" statusCallbackEvent="initiated ringing answered completed"',
    );
    const { world, parent } = await dialled(dialTo(noun), (place) => place.phone('bob', answering(1000)));
    await world.pass(2000);
    world.attempt('bob').sipCall.leave();
    await world.pass(100);
    const child = world.all[1]?.sid as CallSid;
    assert.deepEqual(world.told(child), ['initiated', 'ringing', 'in-progress', 'completed']);
    assert.ok(world.events.every(({ parameters }) => parameters['ParentCallSid'] === parent));
  });
});

suite('what the callee sees and hears before it is connected', () => {
  test('an owned number, the number of a phone, or the caller may be shown', async () => {
    for (const callerId of ['+12025550177', '+12025550188', 'sip:alice@home.tandem']) {
      const { world } = await dialled(dialTo(sip('bob'), `callerId="${callerId}"`), (place) => {
        place.phone('bob', ringingOnly, '+12025550188');
        place.number('+12025550177', null);
      });
      assert.equal(world.all[1]?.from, callerId);
      assert.deepEqual(world.codes, []);
    }
  });

  test('any other callerId is a warning, and the caller is shown', async () => {
    for (const callerId of ['+12025550199', '+12025550166', 'Bank', 'sip:boss@home.tandem']) {
      const { world } = await dialled(dialTo(sip('bob'), `callerId="${callerId}"`), (place) => {
        place.phone('bob', ringingOnly);
        place.number('+12025550166', null, { accountSid: OTHER_ACCOUNT_SID });
      });
      assert.equal(world.all[1]?.from, 'sip:alice@home.tandem', callerId);
      assert.equal(world.attempt('bob').from, 'alice');
      assert.deepEqual(world.codes, [13_214], callerId);
    }
  });

  test('digits, then its document, then the caller', async () => {
    const noun = sip('bob', 'url="http://app/whisper"');
    const { world, parent } = await dialled(dialTo(noun), (place) => {
      place.phone('bob', answering(0));
      place.app('<Say>a call for you</Say>', 'http://app/whisper');
    });
    await world.pass(1000);
    const child = world.all[1]?.sid as CallSid;
    assert.deepEqual(world.leg(child).played, ['"a call for you"']);
    assert.deepEqual(hears(world.leg(parent)), []);
    await world.pass(2000);
    assert.deepEqual(hears(world.leg(parent)), [world.leg(child).id]);
    assert.equal(world.leg(child).listeners, 0);
  });

  test('digits are pressed to a number before it is connected', async () => {
    const { world, parent } = await dialled(dialTo('<Number sendDigits="123">+12025550188</Number>'), (place) =>
      place.phone('bob', answering(0), '+12025550188'),
    );
    await world.pass(500);
    assert.deepEqual(hears(world.leg(parent)), []);
    await world.pass(200);
    assert.equal(hears(world.leg(parent)).length, 1);
  });

  test('a callee whose document hangs up, or fails, is not connected', async () => {
    for (const verbs of ['<Hangup/>', '<Say>bye</Say><Hangup/>', '<broken']) {
      const { world, parent } = await dialled(dialTo(sip('bob', 'url="http://app/whisper"')), (place) => {
        place.phone('bob', answering(0));
        place.app(verbs, 'http://app/whisper').app('<Pause length="60"/>', ACTION);
      });
      await world.pass(5000);
      assert.equal(world.posted(ACTION)[0]?.['DialBridged'], 'false', verbs);
      assert.equal(world.row(parent).status, 'in-progress');
      assert.ok(world.attempt('bob').sipCall.ended);
    }
  });

  test('a document for the callee cannot dial', async () => {
    const { world } = await dialled(dialTo(sip('bob', 'url="http://app/whisper"')), (place) => {
      place.phone('bob', answering(0));
      place.app(`<Dial>${sip('bob')}</Dial>`, 'http://app/whisper');
    });
    await world.pass(1000);
    assert.deepEqual(world.codes, [13_201]);
    assert.equal(world.userAgent.attempts.length, 1);
  });
});

suite('recording a Dial', () => {
  test('records the conversation and tells the action', async () => {
    const { world } = await dialled(dialTo(sip('bob'), 'record="record-from-answer-dual"'), (place) =>
      place.phone('bob', answering(1000)),
    );
    await world.pass(6000);
    world.attempt('bob').sipCall.leave();
    await world.pass(100);
    const [recording] = [...world.recordings.values()];
    assert.equal(recording?.status, 'completed');
    assert.equal(recording?.channels, 2);
    assert.equal(recording?.source, 'DialVerb');
    assert.equal(world.posted(ACTION)[0]?.['RecordingSid'], recording?.sid);
    assert.equal(world.posted(ACTION)[0]?.['RecordingDuration'], '5');
  });

  test('records one side alone', async () => {
    const { world } = await dialled(dialTo(sip('bob'), 'record="true" recordingTrack="inbound"'), (place) =>
      place.phone('bob', answering(0)),
    );
    await world.pass(1000);
    assert.equal(world.media.recorded[0]?.options.track, 'inbound');
  });

  test('goes on talking when the recording cannot start', async () => {
    const { world, parent } = await dialled(dialTo(sip('bob'), 'record="true"'), (place) => {
      place.phone('bob', answering(0));
      place.recordingsFull = true;
    });
    await world.pass(1000);
    assert.equal(hears(world.leg(parent)).length, 1);
  });

  test('leaves nothing of its callees behind, however many there were', async () => {
    const { world, parent } = await dialled(
      `<Dial hangupOnStar="true">${sip('bob')}</Dial><Redirect>${APP}</Redirect>`,
      (place) => place.phone('bob', answering(0)),
    );
    for (let round = 0; round < 20; round += 1) {
      await world.pass(1000);
      world.leg(parent).press('*');
    }
    await world.pass(100);
    assert.ok(world.leg(parent).listeners <= 2);
    assert.equal(world.liveCalls.size, 2);
    assert.equal(world.media.open.length, 2);
  });
});
