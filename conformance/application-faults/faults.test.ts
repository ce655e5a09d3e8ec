import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { openPhone, type PhoneCall } from '../../src/scripted-phone/phone.ts';
import { FAULT_CASES, type FaultCase } from './fault-cases.ts';
import { HostileApplication, xml } from './hostile-application.ts';

/** Short limits in the fragment of the URL: a hanging application is waited for in real time. */
const QUICK = '#rt=250&tt=500';
const APOLOGY = 'We are sorry. An application error has occurred. Goodbye.';
const PROMPT = 'Press a key';
const REST = 'the rest is run';
/** What the caller hears while Dial rings. */
const RINGBACK = '440+480 Hz';
/** A call in which nothing runs any more is over by then. */
const MAX_CALL_SECONDS = 30;

/** What came of one call. */
interface Outcome {
  readonly codes: readonly number[];
  /** Everything that was heard to its end, by each phone in the order in which they were called. */
  readonly heard: readonly (readonly string[])[];
  /** CallStatus of the status callback. */
  readonly told: readonly string[];
  /** Requests for what fails. */
  readonly attempts: number;
}

const phone = await openPhone();
after(() => phone.close());
const application = await HostileApplication.start({ after });
application.on('/fallback', xml('<Response><Say>the fallback</Say></Response>'));
let made = 0;

interface Bad {
  /** What fails: the document, or one whose Play fails. */
  readonly url: string;
  /** The address that is asked for without success. */
  readonly path: string;
  readonly statusCallback: string;
}

/** Lets a call run to its end, and tells what came of it. */
async function outcomeOf(fault: FaultCase, run: (bad: Bad) => Promise<readonly PhoneCall[]>): Promise<Outcome> {
  made += 1;
  const path = `/bad-${made}`;
  const direct = (fault.url?.(application.origin) ?? application.on(path, fault.answer ?? (() => undefined))) + QUICK;
  const play = xml(`<Response><Play>${direct.replaceAll('&', '&amp;')}</Play></Response>`);
  const statusPath = `/status-${made}`;
  const statusCallback = application.on(statusPath, (_, response) => void response.end());
  const mark = phone.transcript.length;
  const phones = await run({
    url: fault.where === 'sound' ? application.on(`/play-${made}`, play) : direct,
    path,
    statusCallback,
  });
  for (const call of phones) await call.expectHangup();
  await phone.settled();
  const events = phone.transcript.slice(mark);
  const calls = [
    ...new Set(events.filter(({ kind }) => kind === 'calls' || kind === 'called').map(({ call }) => call)),
  ];
  for (const event of events) {
    if (event.kind === 'ended') assert.ok(event.seconds < MAX_CALL_SECONDS, `a call of ${event.seconds} s`);
  }
  return {
    codes: events.flatMap((event) => (event.kind === 'fault' ? [event.code] : [])),
    heard: calls.map((call) =>
      events.flatMap((event) => (event.call === call && event.kind === 'heard' ? [event.text] : [])),
    ),
    told: application.posted(statusPath).map((form) => form['CallStatus'] ?? ''),
    attempts: application.posted(path).length,
  };
}

async function pressWhenAsked(call: PhoneCall): Promise<readonly PhoneCall[]> {
  await call.hears(PROMPT);
  await call.press('1');
  return [call];
}

const menu = (url: string): string =>
  `<Response><Gather numDigits="1" action="${url.replaceAll('&', '&amp;')}"><Say>${PROMPT}</Say></Gather></Response>`;

const named = ({ where, name, code }: FaultCase): string => `${where}, ${name}: ${code}`;
/** A warning about a document leaves the rest of it. */
const goesOn = ({ where, warning }: FaultCase): boolean => where === 'document' && warning === true;
/** The fetch that fails is that of a document. */
const isOfDocument = ({ where, warning }: FaultCase): boolean => where !== 'sound' && warning !== true;
const isLoop = ({ name }: FaultCase): boolean => /Redirect that leads/.test(name);

suite('an incoming call: one error, and the caller hears an apology', () => {
  for (const fault of FAULT_CASES) {
    test(named(fault), async () => {
      const { codes, heard, told, attempts } = await outcomeOf(fault, async ({ url, statusCallback }) => [
        await phone.call(url, { statusCallback }),
      ]);
      assert.deepEqual(codes, [fault.code]);
      assert.deepEqual(heard, [[goesOn(fault) ? REST : APOLOGY]]);
      assert.deepEqual(told, ['completed']);
      if (fault.url === undefined && fault.where === 'transport' && fault.code !== 11215) {
        assert.equal(attempts, fault.retried === true ? 2 : 1);
      }
    });
  }
});

suite('a call by the API: one error, `failed`, and who was called hears nothing of it', () => {
  for (const fault of FAULT_CASES) {
    test(named(fault), async () => {
      const { codes, heard, told } = await outcomeOf(fault, async ({ url, statusCallback }) => [
        await phone.isCalled(url, { statusCallback }),
      ]);
      assert.deepEqual(codes, [fault.code]);
      assert.deepEqual(heard, [goesOn(fault) ? [REST] : []]);
      assert.deepEqual(told, [goesOn(fault) ? 'completed' : 'failed']);
    });
  }
});

suite('an action in the middle of a call: as at its beginning', () => {
  // Something was heard already: a sound that cannot be played is a warning then.
  const isHarmless = (fault: FaultCase): boolean =>
    goesOn(fault) || (fault.where === 'sound' && fault.warning === true);
  for (const fault of FAULT_CASES) {
    const rest = goesOn(fault) ? [REST] : [];
    test(`incoming: ${named(fault)}`, async () => {
      const { codes, heard, told } = await outcomeOf(fault, async ({ url, statusCallback }) =>
        pressWhenAsked(await phone.call(menu(url), { statusCallback })),
      );
      assert.deepEqual(codes, [fault.code]);
      assert.deepEqual(heard, [[PROMPT, ...rest, ...(isHarmless(fault) ? [] : [APOLOGY])]]);
      assert.deepEqual(told, ['completed']);
    });

    test(`by the API: ${named(fault)}`, async () => {
      const { codes, heard, told } = await outcomeOf(fault, async ({ url, statusCallback }) =>
        pressWhenAsked(await phone.isCalled(menu(url), { statusCallback })),
      );
      assert.deepEqual(codes, [fault.code]);
      assert.deepEqual(heard, [[PROMPT, ...rest]]);
      assert.deepEqual(told, [isHarmless(fault) ? 'completed' : 'failed']);
    });
  }
});

suite('the document for a party that Dial rings: it is not connected, hears nothing, and the next verb runs', () => {
  for (const fault of FAULT_CASES.filter((each) => !goesOn(each))) {
    test(named(fault), async () => {
      const { codes, heard, told } = await outcomeOf(fault, async ({ url, statusCallback }) => {
        const dial = `<Dial><Number url="${url.replaceAll('&', '&amp;')}" statusCallback="${statusCallback}">+15550111</Number></Dial>`;
        const caller = await phone.call(`<Response>${dial}<Say>nobody is there</Say></Response>`);
        return [await phone.dialled(), caller];
      });
      assert.deepEqual(codes, [fault.code]);
      assert.deepEqual(heard, [[RINGBACK, 'nobody is there'], []]);
      assert.deepEqual(told, ['failed']);
    });
  }
});

suite('a status callback: warning 15003 and the call is as it was; what is answered does not count', () => {
  for (const fault of FAULT_CASES.filter(({ where }) => where !== 'sound')) {
    test(named(fault), async () => {
      const { codes, heard } = await outcomeOf(fault, async ({ url }) => [
        await phone.call('<Response><Say>hello</Say></Response>', { statusCallback: url }),
      ]);
      assert.deepEqual(codes, fault.where === 'transport' ? [15003] : []);
      assert.deepEqual(heard, [['hello']]);
    });
  }
});

suite('the fallback is told the error and takes the call over', () => {
  for (const fault of FAULT_CASES.filter((each) => isOfDocument(each) && !isLoop(each))) {
    test(named(fault), async () => {
      const mark = application.posted('/fallback').length;
      const { codes, heard, told } = await outcomeOf(fault, async ({ url, statusCallback }) => [
        await phone.isCalled(url, { statusCallback, fallbackUrl: `${application.origin}/fallback` }),
      ]);
      const [form, ...more] = application.posted('/fallback').slice(mark);
      assert.equal(more.length, 0);
      assert.equal(form?.['ErrorCode'], String(fault.code));
      assert.match(form?.['ErrorUrl'] ?? '', /^https?:\/\/[^#]+$/);
      assert.deepEqual(codes, [fault.code]);
      assert.deepEqual(heard, [['the fallback']]);
      assert.deepEqual(told, ['completed']);
    });
  }

  test('a fallback that fails as well is an error of its own, and the end', async () => {
    const bad = FAULT_CASES.find(({ name }) => name === 'status 500') ?? assert.fail('no such case');
    const { codes, heard, told } = await outcomeOf(bad, async ({ url, statusCallback }) => [
      await phone.call(url, { statusCallback, fallbackUrl: url }),
    ]);
    assert.deepEqual(codes, [11200, 11200]);
    assert.deepEqual(heard, [[APOLOGY]]);
    assert.deepEqual(told, ['completed']);
  });
});
