import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { MAX_IDLE_DOCUMENTS } from './executor.ts';
import type { DialOutcome } from './executor-ports.ts';
import { fault } from './faults.ts';
import { ScriptedCall, scriptedRecording } from './test/scripted-call.ts';

const APP = 'http://app/start';
const NEXT = 'http://app/next';
const APOLOGY = /^\d+ play "We are sorry/;

const response = (verbs: string): string => `<Response>${verbs}</Response>`;
const outgoing = { direction: 'outbound-api' } as const;

suite('answering an incoming call', () => {
  test('answers before the first verb that sounds', async () => {
    const call = new ScriptedCall({ documents: { [APP]: response('<Say>hello</Say>') } });
    assert.deepEqual(await call.play(APP), { kind: 'finished' });
    assert.deepEqual(call.log, [`0 fetch ${APP}`, '0 answer', '0 play "hello"']);
  });

  test('lets it ring during a Pause in front', async () => {
    const call = new ScriptedCall();
    await call.play(response('<Pause length="3"/><Say>hello</Say>'));
    assert.deepEqual(call.log, ['3000 answer', '3000 play "hello"']);
  });

  test('refuses with Reject in front, also after a Pause, without answering', async () => {
    const call = new ScriptedCall();
    const end = await call.play(response('<Pause/><Reject reason="busy"/>'));
    assert.deepEqual(end, { kind: 'rejected' });
    assert.deepEqual(call.log, ['1000 reject busy', '1000 ended']);
  });

  test('ends an answered call at Reject', async () => {
    const call = new ScriptedCall();
    const end = await call.play(response('<Say>hello</Say><Reject/><Say>never</Say>'));
    assert.deepEqual(end, { kind: 'hung-up' });
    assert.deepEqual(call.log, ['0 answer', '0 play "hello"']);
  });

  test('answers at Hangup and at an empty document', async () => {
    for (const [verbs, kind] of [
      ['<Hangup/>', 'hung-up'],
      ['', 'finished'],
    ] as const) {
      const call = new ScriptedCall();
      assert.deepEqual(await call.play(response(verbs)), { kind });
      assert.deepEqual(call.log, ['0 answer']);
    }
  });

  test('leaves the answer to the bridge for Dial with answerOnBridge', async () => {
    const dial = (): Promise<DialOutcome> =>
      Promise.resolve({ status: 'busy', callSid: 'CA2', durationSeconds: null, bridged: false, callerStays: true });
    const call = new ScriptedCall({ dial });
    await call.play(response('<Dial answerOnBridge="true">+15551234</Dial><Say>busy</Say>'));
    assert.deepEqual(call.log, ['0 dial', '0 answer', '0 play "busy"']);
  });
});

suite('Say, Play and Pause', () => {
  test('sound one after another, as often as loop says', async () => {
    const call = new ScriptedCall(outgoing);
    await call.play(response('<Say loop="2">a</Say><Pause length="2"/><Play>http://app/b.wav</Play>'));
    assert.deepEqual(call.log, ['0 play "a"', '2000 play "a"', '6000 play http://app/b.wav']);
  });

  test('loop 0 goes on until the party hangs up', async () => {
    const call = new ScriptedCall(outgoing);
    call.party.leave(7000);
    assert.deepEqual(await call.play(response('<Play loop="0">http://app/b.wav</Play>')), { kind: 'hung-up' });
    assert.equal(call.log.filter((line) => line.includes('play')).length, 4);
  });

  test('an empty sound that is repeated for ever takes time', async () => {
    const call = new ScriptedCall(outgoing);
    call.party.lasting.set('http://app/b.wav', 0);
    call.party.leave(1000);
    await call.play(response('<Play loop="0">http://app/b.wav</Play>'));
    assert.ok(call.log.length < 13, call.log.join('\n'));
  });

  test('SSML breaks become silence, languages their own voice', async () => {
    const call = new ScriptedCall(outgoing);
    await call.play(response('<Say>one<break time="1s"/><lang xml:lang="fr-FR">deux</lang></Say>'));
    assert.deepEqual(call.log, ['0 play "one" + silence 1000 + "deux" in fr-FR']);
  });

  test('Play sends digits', async () => {
    const call = new ScriptedCall(outgoing);
    await call.play(response('<Play digits="12w#"/>'));
    assert.deepEqual(call.log, ['0 play digits 12w#']);
  });

  test('Play resolves its URL against the document', async () => {
    const call = new ScriptedCall({ ...outgoing, documents: { [APP]: response('<Play>sound/a.wav</Play>') } });
    await call.play(APP);
    assert.equal(call.log.at(-1), '0 play http://app/sound/a.wav');
  });

  test('a relative URL in TwiML that came with the call is fault 11100', async () => {
    const call = new ScriptedCall(outgoing);
    const end = await call.play(response('<Play>a.wav</Play>'));
    assert.equal(end.kind === 'fault' && end.fault.code, 11100);
  });
});

suite('Gather', () => {
  const menu = (attributes = '', inner = '<Say>menu</Say>'): string =>
    response(`<Gather action="/next" ${attributes}>${inner}</Gather><Say>nothing</Say>`);
  const documents = (first: string) => ({ [APP]: first, [NEXT]: response('<Hangup/>') });

  test('a key cuts the prompt and the finishing key ends the input', async () => {
    const call = new ScriptedCall({ ...outgoing, documents: documents(menu()) });
    call.party.press('4', 500);
    call.party.press('2', 900);
    call.party.press('#', 1300);
    await call.play(APP);
    assert.deepEqual(call.log, [`0 fetch ${APP}`, '0 play "menu"', '500 stop', `1300 fetch ${NEXT}`]);
    assert.deepEqual(call.requests[1]?.parameters, { Digits: '42', FinishedOnKey: '#' });
  });

  test('numDigits ends the input at once', async () => {
    const call = new ScriptedCall({ ...outgoing, documents: documents(menu('numDigits="2"')) });
    call.party.press('12', 700);
    await call.play(APP);
    assert.equal(call.log.at(-1), `700 fetch ${NEXT}`);
    assert.deepEqual(call.requests[1]?.parameters, { Digits: '12', FinishedOnKey: '' });
  });

  test('each key of 0-9*# can be gathered when no key finishes', async () => {
    for (const key of '0123456789*#') {
      const first = menu('numDigits="1" finishOnKey=""');
      const call = new ScriptedCall({ ...outgoing, documents: documents(first) });
      call.party.press(key, 100);
      await call.play(APP);
      assert.equal(call.requests[1]?.parameters['Digits'], key);
    }
  });

  test('the time limit counts from the last key', async () => {
    const call = new ScriptedCall({ ...outgoing, documents: documents(menu('timeout="3"')) });
    call.party.press('1', 4000);
    call.party.press('2', 6500);
    await call.play(APP);
    assert.equal(call.log.at(-1), `9500 fetch ${NEXT}`);
    assert.equal(call.requests[1]?.parameters['Digits'], '12');
  });

  test('without a key the next verb runs after the prompts and the time limit', async () => {
    const call = new ScriptedCall({ ...outgoing, documents: documents(menu()) });
    await call.play(APP);
    assert.deepEqual(call.log, [`0 fetch ${APP}`, '0 play "menu"', '7000 play "nothing"']);
  });

  test('actionOnEmptyResult asks the action all the same', async () => {
    const first = menu('actionOnEmptyResult="true" timeout="1"');
    const call = new ScriptedCall({ ...outgoing, documents: documents(first) });
    await call.play(APP);
    assert.deepEqual(call.requests[1]?.parameters, { Digits: '', FinishedOnKey: '' });
  });

  test('keys pressed before the verb count', async () => {
    const first = response('<Say>welcome</Say><Gather action="/next" numDigits="1"><Say>menu</Say></Gather>');
    const call = new ScriptedCall({ ...outgoing, documents: documents(first) });
    call.party.press('7', 300);
    await call.play(APP);
    assert.deepEqual(call.log, [`0 fetch ${APP}`, '0 play "welcome"', `2000 fetch ${NEXT}`]);
    assert.equal(call.requests[1]?.parameters['Digits'], '7');
  });

  test('keys beyond numDigits wait for the next Gather', async () => {
    const call = new ScriptedCall({
      ...outgoing,
      documents: {
        [APP]: response('<Gather action="/next" numDigits="1"/>'),
        [NEXT]: response('<Gather action="/last" numDigits="2"/>'),
        'http://app/last': response('<Hangup/>'),
      },
    });
    call.party.press('123', 100);
    await call.play(APP);
    assert.deepEqual(
      call.requests.map((each) => each.parameters['Digits']),
      [undefined, '1', '23'],
    );
  });

  test('bargeIn false lets the prompt finish', async () => {
    const call = new ScriptedCall({ ...outgoing, documents: documents(menu('bargeIn="false" numDigits="1"')) });
    call.party.press('1', 100);
    await call.play(APP);
    assert.deepEqual(call.log, [`0 fetch ${APP}`, '0 play "menu"', `2000 fetch ${NEXT}`]);
  });

  test('the finishing key alone is no input', async () => {
    const call = new ScriptedCall({ ...outgoing, documents: documents(menu()) });
    call.party.press('#', 100);
    await call.play(APP);
    assert.deepEqual(call.log, [`0 fetch ${APP}`, '0 play "menu"', '7000 play "nothing"']);
  });

  test('without an action the same document is asked again', async () => {
    const answers = [response('<Gather numDigits="1"/>'), response('<Hangup/>')];
    const call = new ScriptedCall({ ...outgoing, documents: { [APP]: () => answers.shift() ?? '' } });
    call.party.press('5', 100);
    await call.play(APP);
    assert.deepEqual(
      call.requests.map((each) => each.url),
      [APP, APP],
    );
  });
});

suite('Record', () => {
  const first = response('<Record action="/next" method="GET" maxLength="60" timeout="4"/><Say>nothing</Say>');
  const documents = { [APP]: first, [NEXT]: response('<Hangup/>') };

  test('asks the action with the recording and the key that ended it', async () => {
    const call = new ScriptedCall({
      ...outgoing,
      documents,
      record: (self, request) => {
        assert.equal(request.silenceMs, 4000);
        assert.equal(request.maxLengthMs, 60_000);
        assert.equal(request.source, 'RecordVerb');
        return scriptedRecording(self, { endedBy: 'key', digit: '#', durationMs: 6000, channels: 1 });
      },
    });
    await call.play(APP);
    assert.equal(call.requests[1]?.method, 'GET');
    assert.deepEqual(call.requests[1]?.parameters, {
      RecordingUrl: 'http://tandem/RE1',
      RecordingSid: 'RE1',
      RecordingDuration: '6',
      Digits: '#',
    });
  });

  test('runs the next verb when nothing was heard', async () => {
    const record = (self: ScriptedCall) => scriptedRecording(self, { endedBy: 'silence', durationMs: 0, channels: 1 });
    const call = new ScriptedCall({ ...outgoing, documents, record });
    await call.play(APP);
    assert.match(call.log.at(-1) ?? '', /play "nothing"$/);
  });

  test('tells the action when the party hangs up, and does not run its answer', async () => {
    const record = (self: ScriptedCall) =>
      scriptedRecording(self, { endedBy: 'silence', durationMs: 9000, channels: 1 });
    const call = new ScriptedCall({
      ...outgoing,
      documents: { [APP]: first, [NEXT]: response('<Say>never</Say>') },
      record,
    });
    call.party.leave(3000);
    assert.deepEqual(await call.play(APP), { kind: 'hung-up' });
    assert.equal(call.requests[1]?.parameters['Digits'], 'hangup');
    assert.ok(!call.log.some((line) => line.includes('never')));
  });
});

suite('Dial', () => {
  const documents = { [APP]: response('<Dial action="/next">+15551234</Dial>'), [NEXT]: response('<Hangup/>') };

  test('tells the action how it went', async () => {
    const dial = (): Promise<DialOutcome> =>
      Promise.resolve({
        status: 'completed',
        callSid: 'CA2',
        durationSeconds: 12,
        bridged: true,
        recording: { url: 'http://tandem/RE1', sid: 'RE1', durationSeconds: 11 },
        callerStays: true,
      });
    const call = new ScriptedCall({ ...outgoing, documents, dial });
    await call.play(APP);
    assert.deepEqual(call.requests[1]?.parameters, {
      DialCallStatus: 'completed',
      DialCallSid: 'CA2',
      DialCallDuration: '12',
      DialBridged: 'true',
      RecordingUrl: 'http://tandem/RE1',
      RecordingSid: 'RE1',
      RecordingDuration: '11',
    });
  });

  test('ends with the caller, and the action is still told', async () => {
    const dial = (_: ScriptedCall, signal: AbortSignal): Promise<DialOutcome> =>
      new Promise((resolve) => {
        const outcome = { status: 'completed', callSid: 'CA2', durationSeconds: 3, bridged: true, callerStays: false };
        signal.addEventListener('abort', () => resolve(outcome as DialOutcome));
      });
    const call = new ScriptedCall({ ...outgoing, documents, dial });
    call.party.leave(3000);
    assert.deepEqual(await call.play(APP), { kind: 'hung-up' });
    assert.equal(call.requests[1]?.parameters['DialCallDuration'], '3');
  });

  test('keys of the conversation are not input for the next verb', async () => {
    const dial = async (self: ScriptedCall): Promise<DialOutcome> => {
      self.party.press('1', 500);
      await new Promise<void>((resolve) => self.party.at(1000, resolve));
      return { status: 'completed', callSid: 'CA2', durationSeconds: 1, bridged: true, callerStays: true };
    };
    const call = new ScriptedCall({ ...outgoing, dial });
    await call.play(response('<Dial>+1555</Dial><Gather timeout="2"/><Say>nothing</Say>'));
    assert.equal(call.log.at(-1), '3000 play "nothing"');
  });

  test('a destination that cannot be dialled is a warning and the next verb runs', async () => {
    const call = new ScriptedCall(outgoing);
    await call.play(response('<Dial><Conference>room</Conference></Dial><Say>after</Say>'));
    assert.deepEqual(call.codes, [13215, 13224]);
    assert.equal(call.log.at(-1), '0 play "after"');
  });
});

suite('commands to a live call', () => {
  test('an update cuts the running verb at once', async () => {
    const call = new ScriptedCall(outgoing);
    call.party.at(700, () => call.run?.redirect({ twiml: response('<Say>new</Say>') }));
    assert.deepEqual(await call.play(response('<Say>old</Say><Say>never</Say>')), { kind: 'finished' });
    assert.deepEqual(call.log, ['0 play "old"', '700 stop', '700 play "new"']);
  });

  test('stop ends the run', async () => {
    const call = new ScriptedCall(outgoing);
    call.party.at(700, () => call.run?.stop());
    assert.deepEqual(await call.play(response('<Pause length="60"/>')), { kind: 'finished' });
    assert.equal(call.clock.now(), 1_000_700);
  });

  test('a hang-up ends the run during any verb', async () => {
    for (const verb of ['<Say loop="0">a</Say>', '<Pause length="60"/>', '<Gather timeout="60"/>']) {
      const call = new ScriptedCall(outgoing);
      call.party.leave(900);
      assert.deepEqual(await call.play(response(verb)), { kind: 'hung-up' }, verb);
      assert.equal(call.clock.now(), 1_000_900, verb);
    }
  });
});

suite('faults', () => {
  test('an incoming caller hears an apology, once, and the fault is reported once', async () => {
    const call = new ScriptedCall({ documents: { [APP]: fault(11200, 'got status 500, want 200') } });
    const end = await call.play(APP);
    assert.equal(end.kind === 'fault' && end.fault.code, 11200);
    assert.equal(call.log.filter((line) => APOLOGY.test(line)).length, 1);
    assert.deepEqual(call.codes, [11200]);
  });

  test('somebody who was called never hears one', async () => {
    const call = new ScriptedCall({ ...outgoing, documents: { [APP]: fault(11200, 'got status 500, want 200') } });
    const end = await call.play(APP);
    assert.equal(end.kind, 'fault');
    assert.deepEqual(call.log, [`0 fetch ${APP}`]);
  });

  test('without speech the caller hears tones', async () => {
    const call = new ScriptedCall({ speechFails: true });
    await call.play('<Response>');
    assert.match(call.log.at(-1) ?? '', /play tone 950 \+ tone 1400 \+ tone 1800/);
  });

  const broken: readonly (readonly [string, string, number])[] = [
    ['malformed XML', '<Response><Say>hello</Response>', 12100],
    ['another root', '<Answer/>', 12102],
    ['nothing', '', 12100],
    ['a Say inside a Say', response('<Say>outer <Say>inner</Say></Say>'), 12200],
    ['a verb deep inside a Say', response('<Say><p><Play>x</Play></p></Say>'), 12200],
    ['a Say that is too long', response(`<Say>first</Say><Say>${'word '.repeat(900)}</Say>`), 13521],
    ['a document that is too large', response(`<!--${'x'.repeat(70_000)}-->`), 11750],
    ['a Redirect without a URL', response('<Redirect/>'), 11100],
  ];
  for (const [name, twiml, code] of broken) {
    test(`${name} is one fault, heard as an apology by a caller and as nothing by a callee`, async () => {
      const incoming = new ScriptedCall();
      const end = await incoming.play(twiml);
      assert.equal(end.kind === 'fault' && end.fault.code, code);
      assert.equal(end.kind === 'fault' && end.fault.level, 'error');
      assert.deepEqual(incoming.codes, [code]);
      assert.match(incoming.log.at(-1) ?? '', APOLOGY);
      const called = new ScriptedCall(outgoing);
      assert.equal((await called.play(twiml)).kind, 'fault');
      assert.deepEqual(called.log, []);
    });
  }

  test('a sound that cannot be fetched ends the run', async () => {
    const call = new ScriptedCall({ ...outgoing, sounds: { 'http://app/a.wav': fault(11200, 'got status 404') } });
    const end = await call.play(response('<Play>http://app/a.wav</Play><Say>never</Say>'));
    assert.equal(end.kind, 'fault');
    assert.deepEqual(call.codes, [11200]);
  });

  test('a sound of a wrong type is a warning, and the next verb is heard', async () => {
    const call = new ScriptedCall({ ...outgoing, sounds: { 'http://app/a.wav': fault(13420, 'got text/html') } });
    const end = await call.play(response('<Play>http://app/a.wav</Play><Say>after</Say>'));
    assert.equal(end.kind, 'finished');
    assert.deepEqual(call.codes, [13420]);
    assert.equal(call.log.at(-1), '0 play "after"');
  });

  test('a call in which nothing could be heard is a fault, not silence', async () => {
    const wrong = { 'http://app/a.wav': fault(13420, 'got text/html') };
    const called = new ScriptedCall({ ...outgoing, sounds: wrong });
    const end = await called.play(response('<Play>http://app/a.wav</Play>'));
    assert.equal(end.kind === 'fault' && end.fault.code, 13420);
    const incoming = new ScriptedCall({ sounds: wrong });
    await incoming.play(response('<Play>http://app/a.wav</Play>'));
    assert.match(incoming.log.at(-1) ?? '', APOLOGY);
  });

  test('a Redirect that leads to itself is stopped', async () => {
    const call = new ScriptedCall({ ...outgoing, documents: { [APP]: response(`<Redirect>${APP}</Redirect>`) } });
    const end = await call.play(APP);
    assert.equal(end.kind === 'fault' && end.fault.code, 11215);
    assert.equal(call.requests.length, MAX_IDLE_DOCUMENTS);
  });

  test('a Redirect loop with a sound in it goes on', async () => {
    const looping = response(`<Say>hold</Say><Redirect>${APP}</Redirect>`);
    const call = new ScriptedCall({ ...outgoing, documents: { [APP]: looping } });
    call.party.leave(300_000);
    assert.deepEqual(await call.play(APP), { kind: 'hung-up' });
    assert.ok(call.requests.length > 2 * MAX_IDLE_DOCUMENTS);
  });

  test('every verb that is not run has its warning and the flow goes on', async () => {
    const verbs = '<Enqueue>q</Enqueue><Sms>hi</Sms><Refer/><Start/><Echo/><Unknown/><say>x</say>text';
    const call = new ScriptedCall(outgoing);
    await call.play(response(`${verbs}<Say colour="red" loop="often">end</Say>`));
    assert.deepEqual(call.codes, [12200, 12200, 13801, 14300, 12200, 12200, 12200, 12200, 12200, 13510]);
    assert.deepEqual(call.log, ['0 play "end"']);
  });

  test('an answered call without incoming audio is reported once', async () => {
    const call = new ScriptedCall(outgoing);
    call.party.at(500, () => call.party.emit({ kind: 'audio-missing', forMs: 10_000 }));
    call.party.at(600, () => call.party.emit({ kind: 'audio-missing', forMs: 20_000 }));
    await call.play(response('<Say>hello</Say>'));
    assert.deepEqual(call.codes, [32014]);
  });

  test('the fallback of the first document stands in for later ones', async () => {
    const call = new ScriptedCall(outgoing);
    call.party.at(100, () =>
      call.run?.redirect({ url: APP, method: 'POST', parameters: {}, fallbackUrl: 'http://app/fallback' }),
    );
    await call.play(response('<Pause/>'));
    assert.equal(call.requests[0]?.fallbackUrl, 'http://app/fallback');
  });
});
