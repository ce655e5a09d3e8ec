import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { temporaryFolder } from '../testkit/temporary-folder.ts';
import { readWav, writeToneWav } from '../testkit/wav.ts';
import { WebApplication } from '../testkit/web-application.ts';
import { openPhone, PhoneError, type Phone, type PhoneEvent, type PhoneOptions } from './phone.ts';

const TOKEN = 'a'.repeat(32);
const MENU =
  '<Gather numDigits="1" timeout="5" action="/chosen"><Say>Welcome. For sales, press 1.</Say></Gather><Say>Goodbye.</Say>';

async function open(context: TestContext, options: PhoneOptions = {}): Promise<Phone> {
  const phone = await openPhone({ authToken: TOKEN, ...options });
  context.after(() => phone.close());
  return phone;
}

async function application(context: TestContext): Promise<WebApplication> {
  const app = await WebApplication.start(context);
  app.authToken = TOKEN;
  return app;
}

function heardIn(events: readonly PhoneEvent[]): readonly string[] {
  return events.flatMap((event) => (event.kind === 'heard' ? [`${event.outcome}: ${event.text}`] : []));
}

async function failsWith(code: PhoneError['code'], message: RegExp, work: Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof PhoneError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

suite('a scripted phone', () => {
  test('hears a prompt to its end, presses a key, and hears what the application makes of it', async (context) => {
    const app = await application(context);
    const voice = app.on('/voice', MENU);
    app.on('/chosen', ({ params }) => `<Say>You pressed ${params['Digits']}.</Say>`);
    const phone = await open(context);
    const call = await phone.call(voice);
    await call.hears('for SALES,  press 1');
    await call.press('1');
    await call.expectRequest('/chosen', { Digits: '1' });
    await call.hears(/You pressed 1/);
    await call.expectHangup();
    assert.deepEqual(heardIn(call.transcript), ['whole: Welcome. For sales, press 1.', 'whole: You pressed 1.']);
    assert.deepEqual(app.unsigned, []);
    assert.equal(call.status, 'completed');
  });

  test('hears no more of a prompt than what came before the key', async (context) => {
    const phone = await open(context);
    const call = await phone.call(
      '<Response><Gather numDigits="1"><Say>This is a prompt of some length.</Say></Gather></Response>',
    );
    await call.beginsToHear('This is');
    await call.wait(800);
    await call.press('5');
    await call.wait(200);
    await call.hangUp();
    await failsWith('not-heard', /cut after 1\.\d s/, call.hears('prompt of some length'));
  });

  test('does not hear what was played when its sound is lost on the way', async (context) => {
    const phone = await open(context, { lossRate: 0.5 });
    const call = await phone.call(
      '<Response><Say>Nobody will hear this from its beginning to its end.</Say></Response>',
    );
    await failsWith('not-heard', /nothing of "Nobody will hear this.*which was played/, call.hears('Nobody'));
  });

  test('hears all of it over a network that is slow but whole', async (context) => {
    const phone = await open(context, { delayMs: 150 });
    const call = await phone.call(
      '<Response><Say>From far away.</Say><Pause length="1"/><Say>And again.</Say></Response>',
    );
    await call.hears('From far away. And again.');
  });

  test('has the same transcript for the same seed, and another call sid for another', async (context) => {
    const run = async (seed: number): Promise<string> => {
      const phone = await open(context, { seed });
      const call = await phone.call('<Response><Say>One</Say><Record maxLength="2"/><Say>Two</Say></Response>');
      await call.hears('One');
      await call.say('my message');
      await call.hears('Two');
      await call.hangUp();
      await phone.settled();
      return JSON.stringify(phone.transcript);
    };
    const first = await run(7);
    assert.equal(await run(7), first);
    assert.notEqual(await run(8), first);
  });

  test('does not notice how long the application takes', async (context) => {
    const app = await application(context);
    const slow = app.on('/slow', async () => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      return '<Say>At last.</Say>';
    });
    const phone = await open(context);
    const call = await phone.call(slow);
    await call.hears('At last', { withinMs: 1500 });
    const answered = call.transcript.find(({ kind }) => kind === 'answered');
    assert.equal(answered?.at, 0);
  });

  test('hears a sound of the application under its URL', async (context) => {
    const folder = temporaryFolder(context, 'phone');
    writeToneWav(join(folder, 'jingle.wav'), { hertz: 700, seconds: 0.6, sampleRate: 16_000 });
    const phone = await open(context, { documents: folder });
    const call = await phone.call('<Response><Play>jingle.wav</Play></Response>');
    await call.hears('/jingle.wav');
  });

  test('leaves a message after the beep, and the recording holds it', async (context) => {
    const recordings = temporaryFolder(context, 'recordings');
    const app = await application(context);
    const voice = app.on('/voice', '<Say>Leave a message.</Say><Record finishOnKey="#" action="/done"/>');
    app.on('/done', '<Say>Thank you.</Say>');
    const phone = await open(context, { recordings });
    const call = await phone.call(voice);
    await call.hears('Leave a message');
    await call.hears('1000 Hz');
    await call.say('Please call me back this afternoon');
    await call.press('#');
    await call.expectRequest('/done', { RecordingDuration: '2', Digits: '#' });
    await call.hears('Thank you');
    const recorded = call.transcript.find((event) => event.kind === 'recorded');
    const sound = readWav(recorded?.kind === 'recorded' ? (recorded.path ?? '') : '');
    assert.ok((sound.channels[0] ?? []).some((sample) => Math.abs(sample) > 0.05));
  });

  test('keeps the sound of its call: left what it heard, right what it said', async (context) => {
    const wav = join(temporaryFolder(context, 'phone'), 'call.wav');
    const phone = await open(context);
    const call = await phone.call('<Response><Say>Good morning.</Say><Pause length="3"/></Response>', { wav });
    await call.hears('Good morning');
    await call.say('Hello');
    await call.hangUp();
    const [left = new Float64Array(), right = new Float64Array()] = readWav(wav).channels;
    const loudest = (samples: Float64Array): number =>
      samples.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
    const middle = Math.round(0.8 * 8000);
    assert.ok(loudest(left.subarray(0, middle)) > 0.05 && loudest(right.subarray(0, middle)) < 0.01);
    assert.ok(loudest(right.subarray(middle)) > 0.05);
  });
});

suite('phones that are dialled', () => {
  test('answer, and hear what the caller says', async (context) => {
    const phone = await open(context);
    const call = await phone.call('<Response><Dial>+15550123</Dial></Response>');
    const other = await phone.dialled();
    await call.wait(2500);
    await call.say('Hello out there');
    await other.hears('Hello out there');
    assert.deepEqual(heardIn(other.transcript), ['whole: Hello out there']);
    await other.hangUp();
    await call.expectHangup();
  });

  for (const [answer, status] of [
    ['busy', 'busy'],
    ['no', 'no-answer'],
  ] as const) {
    test(`give ${status} to the application when they are told to answer ${answer}`, async (context) => {
      const app = await application(context);
      const voice = app.on('/voice', '<Dial timeout="10" action="/after">+15550123</Dial>');
      app.on('/after', ({ params }) => `<Say>It was ${params['DialCallStatus']}</Say>`);
      const phone = await open(context, { answer });
      const call = await phone.call(voice);
      await call.hears(`It was ${status}`);
    });
  }
});

suite('a phone that the application calls', () => {
  test('hears the document once it has answered', async (context) => {
    const phone = await open(context);
    const call = await phone.isCalled('<Response><Say>Here is your alert.</Say></Response>');
    await call.hears('Here is your alert');
    await call.expectHangup();
  });

  for (const [answer, status] of [
    ['busy', 'busy'],
    ['no', 'no-answer'],
  ] as const) {
    test(`is told to the application as ${status}`, async (context) => {
      const app = await application(context);
      const statusCallback = app.on('/status', '');
      const phone = await open(context, { answer });
      await phone.isCalled('<Response><Say>Hello</Say></Response>', { statusCallback });
      await phone.settled();
      assert.deepEqual(
        app.requests.all.map(({ params }) => params['CallStatus']),
        [status],
      );
    });
  }
});

suite('an expectation that does not hold', () => {
  test('says what was heard instead', async (context) => {
    const phone = await open(context);
    const call = await phone.call('<Response><Say>Welcome to Support.</Say></Response>');
    await failsWith(
      'not-heard',
      /to hear "Sales": heard "Welcome to Support\.", then the call ended/,
      call.hears('Sales'),
    );
  });

  test('gives up after its patience, of virtual time', async (context) => {
    const phone = await open(context, { patienceMs: 30_000 });
    const call = await phone.call('<Response><Pause length="600"/><Say>Late</Say></Response>');
    await call.hangUp();
    const other = await phone.call('<Response><Say>Now</Say><Pause length="600"/></Response>');
    await failsWith('not-heard', /heard "Now", for 30 s/, other.hears('Later'));
  });

  test('of silence names what began to be heard', async (context) => {
    const phone = await open(context);
    const call = await phone.call('<Response><Say>One.</Say><Pause length="2"/><Say>Two.</Say></Response>');
    await call.hears('One');
    await call.hearsNothing(1500);
    await failsWith('not-silent', /heard "Two\."/, call.hearsNothing(1500));
  });

  test('of a hang-up or a request names what was there', async (context) => {
    const phone = await open(context);
    const call = await phone.call('<Response><Say>Hold on.</Say><Pause length="20"/></Response>');
    await call.hears('Hold on');
    await failsWith('not-ended', /the call goes on/, call.expectHangup({ withinMs: 1000 }));
    await failsWith('not-requested', /POST http/, call.expectRequest('/nowhere', {}, { withinMs: 1000 }));
    await call.hangUp();
    await failsWith('not-connected', /the call/, call.press('1'));
  });
});
