import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { CallSid } from '../../base/sid.ts';
import { ACCOUNT_SID, APP, CallWorld, NUMBER, OTHER_ACCOUNT_SID } from './test/call-world.ts';
import { answering, refusing, ringingOnly, type Behaviour } from './test/scripted-user-agent.ts';

const TO_NUMBER = `sip:${NUMBER}@127.0.0.1`;
const STRANGER = { kind: 'anonymous' } as const;
const first = (world: CallWorld): CallSid => world.all[0]?.sid as CallSid;

suite('a call that comes in to a number', () => {
  test('rings, is answered by the application, and ends completed', async () => {
    const world = await CallWorld.open();
    world.number(NUMBER, APP, { statusCallback: 'http://app/status' });
    world.app('<Say>hello</Say>');
    const caller = await world.incoming({ uri: TO_NUMBER });
    assert.deepEqual(caller.heard, ['180', '200']);
    const [request] = world.posted(APP);
    assert.equal(request?.['From'], 'sip:alice@home.tandem');
    assert.equal(request['To'], NUMBER);
    assert.equal(request['CallStatus'], 'ringing');
    assert.equal(request['Direction'], 'inbound');
    await world.pass(2500);
    assert.equal(world.row(first(world)).status, 'completed');
    assert.equal(world.row(first(world)).duration, 2);
    assert.deepEqual(world.told(first(world)), ['completed']);
    assert.ok(caller.sipCall.ended);
    assert.deepEqual(world.leftovers(), []);
  });

  test('hears an apology when the application fails, and is told as completed', async () => {
    const world = await CallWorld.open();
    world.http.answer(APP, { status: 500 });
    await world.incoming({ uri: TO_NUMBER });
    assert.match(world.media.legs[0]?.played[0] ?? '', /sorry/);
    await world.pass(5000);
    assert.equal(world.row(first(world)).status, 'completed');
    assert.deepEqual(world.codes, [11_200]);
    assert.deepEqual(world.leftovers(), []);
  });

  test('hears what is missing when the number has no VoiceUrl', async () => {
    const world = await CallWorld.open();
    world.number(NUMBER, null);
    await world.incoming({ uri: TO_NUMBER });
    assert.match(world.media.legs[0]?.played[0] ?? '', /no application yet/);
    assert.deepEqual(world.codes, [11_100]);
  });

  test('takes the application that the number names before its own URL', async () => {
    const world = await CallWorld.open();
    world.number(NUMBER, APP, { voiceApplicationSid: 'AP1' as never });
    world.application('AP1', 'http://app/other');
    world.app('<Say>other</Say>', 'http://app/other');
    await world.incoming({ uri: TO_NUMBER });
    assert.deepEqual(world.media.legs[0]?.played, ['"other"']);
  });

  test('is no-answer when the caller gives up before the answer', async () => {
    const world = await CallWorld.open();
    world.app('<Pause length="10"/><Say>late</Say>');
    const caller = await world.incoming({ uri: TO_NUMBER });
    await world.pass(1000);
    caller.leave();
    await world.pass(1000);
    assert.equal(world.row(first(world)).status, 'no-answer');
    assert.equal(world.row(first(world)).sipResponseCode, 487);
    assert.deepEqual(world.leftovers(), []);
  });

  test('is refused by Reject, with the status that fits its reason', async () => {
    for (const [reason, heard, status] of [
      ['rejected', '603 Decline', 'busy'],
      ['busy', '486 Busy Here', 'busy'],
    ] as const) {
      const world = await CallWorld.open();
      world.app(`<Reject reason="${reason}"/>`);
      const caller = await world.incoming({ uri: TO_NUMBER });
      assert.equal(caller.final, heard);
      assert.equal(world.row(first(world)).status, status);
      assert.deepEqual(world.leftovers(), []);
    }
  });

  test('fails when no ACK comes', async () => {
    const world = await CallWorld.open();
    world.app('<Say>hello</Say>');
    await world.incoming({ uri: TO_NUMBER, deaf: true });
    await world.pass(100);
    assert.equal(world.row(first(world)).status, 'failed');
    assert.deepEqual(world.leftovers(), []);
  });

  test('is answered with our offer when the caller made none', async () => {
    const world = await CallWorld.open();
    world.app('<Say>hello</Say>');
    await world.incoming({ uri: TO_NUMBER, offer: undefined });
    assert.deepEqual(world.media.legs[0]?.answers, ['answer']);
    assert.deepEqual(world.media.legs[0]?.played, ['"hello"']);
  });

  test('tells a SIP domain’s application who called, and its own headers', async () => {
    const world = await CallWorld.open();
    world.domain('office.example', APP, OTHER_ACCOUNT_SID);
    world.app('<Say>hello</Say>');
    await world.incoming({ uri: 'sip:desk@office.example', headers: [{ name: 'X-Order', value: '7' }] });
    const [request] = world.posted(APP);
    assert.equal(request?.['SipDomain'], 'office.example');
    assert.equal(request['SipHeader_X-Order'], '7');
    assert.equal(request['AccountSid'], OTHER_ACCOUNT_SID, 'the owner of the domain');
  });
});

suite('a call that cannot be taken hears why at once', () => {
  test('488 for an offer without a codec in common', async () => {
    const world = await CallWorld.open();
    const caller = await world.incoming({ uri: TO_NUMBER, offer: 'bad' });
    assert.equal(caller.final, '488');
    assert.deepEqual(world.leftovers(), []);
  });

  test('503 with Retry-After when no media process takes a leg', async () => {
    const world = await CallWorld.open();
    world.media.overloaded = true;
    const caller = await world.incoming({ uri: TO_NUMBER });
    assert.match(caller.final ?? '', /^503 .*Retry-After: \d/);
  });

  test('503 with Retry-After when the disk is full', async () => {
    const world = await CallWorld.open();
    world.calls.full = true;
    const caller = await world.incoming({ uri: TO_NUMBER });
    assert.match(caller.final ?? '', /^503 Storage Full.*Retry-After: \d/);
    assert.deepEqual(world.leftovers(), []);
  });

  test('403 when the account is not active', async () => {
    const world = await CallWorld.open();
    world.accounts.set(ACCOUNT_SID, { ...world.account, status: 'suspended' });
    const caller = await world.incoming({ uri: TO_NUMBER });
    assert.match(caller.final ?? '', /^403/);
    assert.equal(world.all.length, 0);
  });

  test('500 when the way to it cannot be found out', async () => {
    const world = await CallWorld.open();
    Object.assign(world.environment.lookups, { account: () => Promise.reject(new Error('the store is gone')) });
    const caller = await world.incoming({ uri: TO_NUMBER });
    assert.equal(caller.final, '500');
  });

  test('404 for nobody, with a row and a Notification for its owner', async () => {
    const world = await CallWorld.open();
    const caller = await world.incoming({ uri: 'sip:nobody@127.0.0.1' });
    assert.match(caller.final ?? '', /^404/);
    assert.equal(world.all[0]?.status, 'failed');
    assert.deepEqual(world.codes, [21_214]);
    assert.deepEqual(world.leftovers(), []);
  });

  test('480 for a phone that is not registered', async () => {
    const world = await CallWorld.open();
    world.phone('bob', answering());
    world.unregistered.add('bob');
    const caller = await world.incoming({ uri: 'sip:bob@127.0.0.1' });
    assert.match(caller.final ?? '', /^480/);
    assert.equal(world.all[0]?.status, 'no-answer');
  });
});

suite('other exchanges and strangers', () => {
  const byTrunk = { kind: 'trunk', accountSid: ACCOUNT_SID, name: 'one' } as const;

  test('reach numbers and phones, and are never carried on to a trunk or another host', async () => {
    const world = await CallWorld.open();
    world.trunk('one', ['+44']);
    world.phone('bob', answering());
    world.app('<Say>hello</Say>');
    for (const caller of [STRANGER, byTrunk]) {
      assert.equal((await world.incoming({ uri: TO_NUMBER, caller })).final, '200');
      const transit = await world.incoming({ uri: 'sip:+441234567890@127.0.0.1', caller });
      assert.equal(transit.final, '403 No Transit');
      const elsewhere = await world.incoming({ uri: 'sip:admin@pbx.allowed', caller });
      assert.equal(elsewhere.final, '403 No Transit');
    }
    assert.equal(world.userAgent.attempts.length, 0);
    await world.incoming({ uri: 'sip:bob@127.0.0.1', caller: STRANGER });
    assert.equal(world.userAgent.attempts.length, 1);
  });

  test('a trunk brings as many calls as it may, then hears 503', async () => {
    const world = await CallWorld.open();
    world.trunk('one', [], 1);
    world.app('<Pause length="60"/><Say>hello</Say>');
    const held = await world.incoming({ uri: TO_NUMBER, caller: byTrunk });
    const refused = await world.incoming({ uri: TO_NUMBER, caller: byTrunk });
    assert.match(refused.final ?? '', /^503 Trunk Full Retry-After/);
    held.leave();
    await world.settle();
    const taken = await world.incoming({ uri: TO_NUMBER, caller: byTrunk });
    assert.deepEqual(taken.heard, ['180']);
  });

  test('a trunk’s room is given back when its call cannot be opened', async () => {
    const world = await CallWorld.open();
    world.trunk('one', [], 1);
    world.app('<Say>hello</Say>');
    await world.incoming({ uri: TO_NUMBER, caller: byTrunk, offer: 'bad' });
    const taken = await world.incoming({ uri: TO_NUMBER, caller: byTrunk });
    assert.equal(taken.final, '200');
  });
});

suite('a phone that calls a phone', () => {
  test('is answered by it, and both end when one leaves', async () => {
    const world = await CallWorld.open();
    world.phone('bob', answering(1000));
    const caller = await world.incoming({ uri: 'sip:bob@127.0.0.1' });
    assert.deepEqual(caller.heard, ['180']);
    await world.pass(11_000);
    assert.equal(caller.final, '200');
    world.attempt('bob').sipCall.leave();
    await world.pass(100);
    assert.ok(caller.sipCall.ended);
    assert.deepEqual(
      world.all.map(({ status, duration }) => [status, duration]),
      [
        ['completed', 10],
        ['completed', 10],
      ],
    );
    assert.deepEqual(world.leftovers(), []);
  });

  test('hears the status that the callee gave', async () => {
    for (const [code, status] of [
      [486, 'busy'],
      [480, 'no-answer'],
      [404, 'failed'],
      [603, 'busy'],
    ] as const) {
      const world = await CallWorld.open();
      world.phone('bob', refusing(code));
      const caller = await world.incoming({ uri: 'sip:bob@127.0.0.1' });
      await world.pass(1000);
      assert.equal(caller.final, `${code} status ${code}`);
      assert.equal(world.row(first(world)).status, status);
    }
  });

  test('cancels the callee when it gives up', async () => {
    const world = await CallWorld.open();
    world.phone('bob', ringingOnly);
    const caller = await world.incoming({ uri: 'sip:bob@127.0.0.1' });
    caller.leave();
    await world.pass(100);
    assert.ok(world.attempt('bob').cancelled);
    assert.equal(world.row(first(world)).status, 'no-answer');
    assert.deepEqual(world.leftovers(), []);
  });

  test('shows its number when it has one', async () => {
    const world = await CallWorld.open();
    world.phone('alice', answering(), '+12025550111');
    world.phone('bob', ringingOnly);
    await world.incoming({ uri: 'sip:bob@127.0.0.1' });
    assert.equal(world.attempt('bob').from, '+12025550111');
  });
});

suite('a call that is led round in a circle', () => {
  const hops = (value: string) => [{ name: 'Max-Forwards', value }];

  test('is carried on with one hop less, by a phone and by the Dial of an application', async () => {
    const world = await CallWorld.open();
    world.phone('bob', ringingOnly);
    await world.incoming({ uri: 'sip:bob@127.0.0.1', headers: hops('5') });
    assert.equal(world.attempt('bob').options.maxForwards, 4);
    world.phone('cy', ringingOnly);
    world.app('<Dial><Sip>sip:cy@home.tandem</Sip></Dial>');
    await world.incoming({ uri: TO_NUMBER, headers: hops('5') });
    assert.equal(world.attempt('cy').options.maxForwards, 4);
  });

  test('rings in fewer places with every branch, however many hops are left', async () => {
    const world = await CallWorld.open();
    // Each of two phones leads back to the number, as a redirection does: half the breadth, and the hops one less.
    const leadBack: Behaviour = ({ options }) => {
      const { maxForwards = 70, maxBreadth = 60 } = options;
      const headers = [
        ...hops(String(maxForwards)),
        { name: 'Max-Breadth', value: String(Math.floor(maxBreadth / 2)) },
      ];
      world.userAgent.receive({ uri: TO_NUMBER, headers });
    };
    for (const name of ['bob', 'cy']) world.phone(name, leadBack);
    world.app('<Dial><Sip>sip:bob@home.tandem</Sip><Sip>sip:cy@home.tandem</Sip></Dial>');
    await world.incoming({ uri: TO_NUMBER });
    await world.pass(100_000);
    // 60, 15, 3 and 0 for each: 2, 4 and 8 calls.
    assert.deepEqual(
      world.userAgent.attempts.map(({ options }) => options.maxBreadth),
      [30, 30, 7, 7, 7, 7, 1, 1, 1, 1, 1, 1, 1, 1],
    );
    assert.ok(world.codes.every((code) => code === 21214));
    assert.deepEqual(world.leftovers(), []);
  });

  test('with a breadth that is given takes no more', async () => {
    const world = await CallWorld.open();
    world.phone('bob', ringingOnly);
    const breadth = (value: string) => [{ name: 'Max-Breadth', value }];
    await world.incoming({ uri: 'sip:bob@127.0.0.1', headers: breadth('5') });
    assert.equal(world.attempt('bob').options.maxBreadth, 5);
    const refused = await world.incoming({ uri: 'sip:bob@127.0.0.1', headers: breadth('0') });
    await world.settle();
    assert.match(refused.heard.at(-1) ?? '', /^440/);
  });

  test('ends when no hop is left', async () => {
    const world = await CallWorld.open();
    world.phone('bob', answering(0));
    const caller = await world.incoming({ uri: 'sip:bob@127.0.0.1', headers: hops('0') });
    await world.settle();
    assert.match(caller.heard.at(-1) ?? '', /^483/);
    assert.equal(world.userAgent.attempts.length, 0);
    assert.deepEqual(world.leftovers(), []);
  });
});

suite('emergency numbers', () => {
  test('go to a trunk and never to an application that owns them', async () => {
    const world = await CallWorld.open();
    world.number('112', APP);
    world.trunk('one', ['112']);
    world.userAgent.behaviours.set('112', answering(0));
    const caller = await world.incoming({ uri: 'sip:112@127.0.0.1' });
    await world.pass(100);
    assert.equal(world.attempt('112').options.target.uri, 'sip:112@one.example');
    assert.equal(caller.final, '200');
    assert.deepEqual(world.posted(APP), []);
  });

  test('are what urn:service:sos and all below it stand for, in the Request-URI or in To', async () => {
    for (const { uri, to } of [
      { uri: 'urn:service:sos' },
      { uri: 'urn:service:sos.police' },
      { uri: 'URN:SERVICE:SOS.animal-control' },
      { uri: 'sip:127.0.0.1', to: '<urn:service:sos.fire>' },
    ]) {
      const world = await CallWorld.open();
      world.trunk('one', ['112']);
      world.userAgent.behaviours.set('112', answering(0));
      const caller = await world.incoming({ uri, headers: to === undefined ? [] : [{ name: 'To', value: to }] });
      await world.pass(100);
      assert.equal(world.attempt('112').options.target.uri, 'sip:112@one.example', uri);
      assert.equal(caller.final, '200');
    }
  });

  test('by their URN without a route say so at once; other services are refused', async () => {
    const world = await CallWorld.open();
    const caller = await world.incoming({ uri: 'urn:service:sos' });
    assert.match(world.media.legs[0]?.played[0] ?? '', /Emergency calls cannot be placed/);
    assert.equal(caller.final, '200');
    const other = await world.incoming({ uri: 'urn:service:counseling.children' });
    assert.match(other.final ?? '', /^416/);
  });

  test('without a route say so at once', async () => {
    const world = await CallWorld.open();
    world.number('112', APP);
    const caller = await world.incoming({ uri: 'sip:112@127.0.0.1' });
    assert.equal(caller.final, '200');
    assert.match(world.media.legs[0]?.played[0] ?? '', /Emergency calls cannot be placed/);
    assert.deepEqual(world.codes, [21_214]);
  });
});
