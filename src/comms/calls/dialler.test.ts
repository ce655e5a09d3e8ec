import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { silentLogger } from '../../base/logger.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { dial, type DialOptions, type DialResult } from './dialler.ts';
import { NO_WEBPHONES } from '../../webphone/no-webphones.ts';
import type { SipDialTarget } from './routing.ts';
import { ScriptedMedia } from './test/scripted-media.ts';
import { answering, refusing, ringingOnly, ScriptedUserAgent, type Behaviour } from './test/scripted-user-agent.ts';

const AT_MS = 1_000_000;

class Search {
  readonly clock = new VirtualClock(AT_MS);
  readonly userAgent = new ScriptedUserAgent(this.clock);
  readonly media = new ScriptedMedia(this.clock);
  readonly stop = new AbortController();
  readonly #targets: SipDialTarget[] = [];
  readonly told: string[] = [];

  device(name: string, behaviour: Behaviour, group = 0): this {
    this.userAgent.behaviours.set(name, behaviour);
    this.#targets.push({ kind: 'sip', target: { uri: `sip:${name}@192.0.2.1` }, group, domain: 'home.tandem' });
    return this;
  }

  run(options: Partial<DialOptions> = {}): Promise<DialResult> {
    return dial(
      {
        targets: this.#targets,
        caller: { user: '+12025550100' },
        callee: 'bob',
        invitation: { callSid: 'CA1', parameters: {} },
        ringTimeoutMs: 30_000,
        signal: this.stop.signal,
        onRinging: () => this.told.push('ringing'),
        onEarlyMedia: (leg) => this.told.push(`early media on ${leg.id}`),
        ...options,
      },
      {
        userAgent: this.userAgent,
        webphones: NO_WEBPHONES,
        media: this.media,
        log: silentLogger,
        onMessage: () => false,
        now: () => this.clock.now(),
      },
    );
  }

  result(options: Partial<DialOptions> = {}): Promise<DialResult> {
    return this.clock.runUntil(this.run(options));
  }

  get called(): readonly string[] {
    return this.userAgent.attempts.map(({ user }) => user);
  }
}

async function failureOf(result: Promise<DialResult>): Promise<string> {
  const made = await result;
  return made.kind === 'failed' ? `${made.failure.cause} ${made.failure.status}` : made.kind;
}

suite('dialling', () => {
  test('a group rings together; the first answer wins and the others are cancelled', async () => {
    const search = new Search().device('a', ringingOnly).device('b', answering(500)).device('c', answering(900));
    const result = await search.result();
    assert.equal(
      result.kind === 'answered' && result.target.kind === 'sip' && result.target.target.uri,
      'sip:b@192.0.2.1',
    );
    assert.deepEqual(
      search.userAgent.attempts.map(({ cancelled }) => cancelled),
      [true, false, true],
    );
    assert.deepEqual(search.told, ['ringing']);
    await search.clock.advance(1000);
    assert.equal(search.media.open.length, 1);
  });

  test('one device that refuses does not end the ringing of the others, a 6xx does', async () => {
    const waiting = new Search().device('a', refusing(486)).device('b', answering(500));
    assert.equal((await waiting.result()).kind, 'answered');
    const declined = new Search().device('a', refusing(603)).device('b', ringingOnly);
    assert.equal(await failureOf(declined.result()), 'rejected 603');
    assert.ok(declined.userAgent.attempts[1]?.cancelled);
    assert.equal(declined.media.open.length, 0);
  });

  test('the best word of several failures is told', async () => {
    const search = new Search().device('a', refusing(404)).device('b', refusing(486)).device('c', refusing(500));
    assert.equal(await failureOf(search.result()), 'rejected 486');
  });

  test('the next group is tried when a route did not carry the call, not when the callee refused', async () => {
    for (const [first, called] of [
      [refusing(503), ['a', 'b']],
      [refusing(502), ['a', 'b']],
      [refusing(486), ['a']],
      [refusing(404), ['a']],
      [refusing(603), ['a']],
    ] as const) {
      const search = new Search().device('a', first, 0).device('b', answering(), 1);
      await search.result();
      assert.deepEqual(search.called, called);
    }
  });

  test('a device that cannot be reached leads on to the next group', async () => {
    const gone: Behaviour = (attempt) => attempt.fail({ cause: 'unreachable', status: 503, reason: 'no route' });
    const search = new Search().device('a', gone, 0).device('b', answering(), 1);
    assert.equal((await search.result()).kind, 'answered');
  });

  test('all groups share the ring time', async () => {
    const late: Behaviour = (attempt) =>
      attempt.at(20_000, () => attempt.fail({ cause: 'timeout', status: 408, reason: '' }));
    const search = new Search().device('a', late, 0).device('b', ringingOnly, 1);
    assert.equal(await failureOf(search.result()), 'no-answer 408');
    assert.equal(search.clock.now(), AT_MS + 30_000);
  });

  test('an abort cancels everything that rings, at once', async () => {
    const search = new Search().device('a', ringingOnly).device('b', ringingOnly);
    const result = search.run();
    await search.clock.advance(10);
    search.stop.abort();
    assert.equal(await failureOf(result), 'cancelled 487');
    assert.ok(search.userAgent.attempts.every(({ cancelled }) => cancelled));
    assert.equal(search.media.open.length, 0);
    const later = new Search().device('a', ringingOnly);
    later.stop.abort();
    assert.equal(await failureOf(later.result()), 'cancelled 487');
    assert.deepEqual(later.called, []);
  });

  test('an answer that crosses the abort is ended', async () => {
    const search = new Search().device('a', ringingOnly);
    const result = search.run();
    await search.clock.advance(10);
    search.stop.abort();
    search.userAgent.attempts[0]?.answerInSpiteOfCancel();
    await result;
    assert.ok(search.userAgent.attempts[0]?.sipCall.ended);
    assert.equal(search.media.open.length, 0);
  });

  test('an abort while a leg is being opened leaves no leg', async () => {
    const search = new Search().device('a', ringingOnly);
    const result = search.run();
    search.stop.abort();
    await result;
    await search.clock.advance(10);
    assert.equal(search.media.open.length, 0);
  });

  test('early media is told with its leg', async () => {
    const search = new Search().device('a', (attempt) => {
      attempt.progress(183, 'early');
      attempt.at(500, () => attempt.answer());
    });
    await search.result();
    assert.deepEqual(search.told, ['ringing', 'early media on leg 0']);
    assert.deepEqual(search.media.legs[0]?.answers, ['early', 'answer']);
  });

  test('an answer without a codec in common is ended and told as 488', async () => {
    const search = new Search().device('a', (attempt) => attempt.answer('bad'));
    assert.equal(await failureOf(search.result()), 'rejected 488');
    assert.ok(search.userAgent.attempts[0]?.sipCall.ended);
    assert.equal(search.media.open.length, 0);
  });

  test('no room for a leg is told as 503 with the reason', async () => {
    const search = new Search().device('a', answering());
    search.media.overloaded = true;
    const result = await search.result();
    assert.match(result.kind === 'failed' ? result.failure.reason : '', /as many calls as it can/);
  });

  test('a leg whose media process dies before the offer is opened elsewhere, once', async () => {
    const search = new Search().device('a', answering());
    search.media.dyingLegs = 1;
    assert.equal((await search.result()).kind, 'answered');
    assert.equal(search.called.length, 1, 'nothing had left for the first leg');
    const again = new Search().device('a', answering());
    again.media.dyingLegs = 2;
    assert.equal(await failureOf(again.result()), 'unreachable 503');
  });

  test('a target that cannot be called at all rejects, and the others are cancelled', async () => {
    const search = new Search().device('a', ringingOnly).device('b', ringingOnly);
    const place = search.userAgent.placeCall.bind(search.userAgent);
    search.userAgent.placeCall = (options, handlers) => {
      if (options.target.uri.startsWith('sip:b')) throw new Error('not a SIP address');
      return place(options, handlers);
    };
    await assert.rejects(search.result(), /not a SIP address/);
    assert.ok(search.userAgent.attempts[0]?.cancelled);
  });

  test('names and users are written so that no peer reads them otherwise', async () => {
    const search = new Search().device('a', answering());
    await search.result({ caller: { user: 'a b@c', displayName: 'Ann "x" \r\n' }, callee: 'p;q' });
    const options = search.userAgent.attempts[0]?.options;
    assert.equal(options?.from, '"Ann \\"x\\"   " <sip:a%20b%40c@home.tandem>');
    assert.equal(options.to, '<sip:p;q@home.tandem>');
  });
});
