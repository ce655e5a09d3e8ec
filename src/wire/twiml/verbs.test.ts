import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parseTwiml } from './parse.ts';
import { validateTwiml, type ValidTwiml, type Verb } from './verbs.ts';

function validate(verbs: string): ValidTwiml {
  const parsed = parseTwiml(`<Response>${verbs}</Response>`, 'text/xml');
  assert.ok(parsed.kind === 'ok');
  return validateTwiml(parsed.document);
}

function verb<Kind extends Verb['kind']>(kind: Kind, twiml: string): Extract<Verb, { kind: Kind }> {
  const { verbs, warnings, error } = validate(twiml);
  assert.deepEqual(warnings, []);
  assert.equal(error, undefined);
  const [first] = verbs;
  assert.equal(first?.kind, kind);
  return first as Extract<Verb, { kind: Kind }>;
}

suite('defaults', () => {
  test('of Gather', () => {
    const gather = verb('gather', '<Gather/>');
    assert.deepEqual(gather, {
      kind: 'gather',
      prompts: [],
      action: undefined,
      method: 'POST',
      timeoutSeconds: 5,
      finishOnKey: '#',
      numDigits: undefined,
      actionOnEmptyResult: false,
      bargeIn: true,
      takesDigits: true,
    });
  });

  test('of Record', () => {
    const record = verb('record', '<Record/>');
    assert.equal(record.timeoutSeconds, 5);
    assert.equal(record.finishOnKey, '1234567890*#');
    assert.equal(record.maxLengthSeconds, 3600);
    assert.equal(record.playBeep, true);
    assert.equal(record.trim, true);
    assert.deepEqual(record.statusCallbackEvents, ['completed']);
  });

  test('of Say, Play, Pause, Redirect, Reject', () => {
    assert.equal(verb('say', '<Say>a</Say>').loop, 1);
    assert.equal(verb('play', '<Play>a.wav</Play>').loop, 1);
    assert.equal(verb('pause', '<Pause/>').lengthSeconds, 1);
    assert.equal(verb('redirect', '<Redirect>a</Redirect>').method, 'POST');
    assert.equal(verb('reject', '<Reject/>').reason, 'rejected');
  });
});

suite('values', () => {
  test('methods and flags are taken in any case', () => {
    assert.equal(verb('redirect', '<Redirect method="get">a</Redirect>').method, 'GET');
    assert.equal(verb('gather', '<Gather bargeIn="False"/>').bargeIn, false);
  });

  test('an empty finishOnKey means that no key finishes', () => {
    assert.equal(verb('gather', '<Gather finishOnKey=""/>').finishOnKey, '');
  });

  test('a URL keeps its query and loses the white space around it', () => {
    assert.equal(verb('play', '<Play>\n http://a/b?c=1&amp;d=2 \n</Play>').url, 'http://a/b?c=1&d=2');
  });

  const bad: readonly (readonly [string, number])[] = [
    ['<Say loop="-1">a</Say>', 13510],
    ['<Say loop="x">a</Say>', 13510],
    ['<Say voice="no such voice!">a</Say>', 13511],
    ['<Say/>', 13520],
    ['<Say colour="red">a</Say>', 12200],
    ['<Say>a<blink>b</blink></Say>', 12200],
    ['<Play loop="x">a</Play>', 13410],
    ['<Play digits="1x">a</Play>', 13430],
    ['<Play/>', 12200],
    ['<Pause length="soon"/>', 13910],
    ['<Gather timeout="soon"/>', 13313],
    ['<Gather numDigits="0"/>', 13314],
    ['<Gather finishOnKey="x"/>', 13310],
    ['<Gather method="PUT"/>', 13312],
    ['<Gather actionOnEmptyResult="1"/>', 13338],
    ['<Gather bargeIn="1"/>', 13332],
    ['<Gather input="thoughts"/>', 13326],
    ['<Gather input="speech"/>', 13326],
    ['<Gather><Record/></Gather>', 13320],
    ['<Record timeout="0"/>', 13611],
    ['<Record maxLength="0"/>', 13612],
    ['<Record finishOnKey="?"/>', 13613],
    ['<Record playBeep="loud"/>', 13616],
    ['<Record method="PUT"/>', 13610],
    ['<Record transcribe="true"/>', 13615],
    ['<Record recordingStatusCallbackEvent="never"/>', 13621],
    ['<Redirect method="PUT">a</Redirect>', 13710],
    ['<Reject reason="tired"/>', 13810],
    ['<Dial timeout="0">+1555</Dial>', 13212],
    ['<Dial method="PUT">+1555</Dial>', 13210],
    ['<Dial hangupOnStar="*">+1555</Dial>', 13213],
    ['<Dial timeLimit="0">+1555</Dial>', 13216],
    ['<Dial record="maybe">+1555</Dial>', 13217],
    ['<Dial answerOnBridge="1">+1555</Dial>', 13219],
    ['<Dial><Number sendDigits="x">+1555</Number></Dial>', 13222],
    ['<Dial><Number method="PUT">+1555</Number></Dial>', 13221],
    ['<Dial><Sip method="PUT">sip:a@b</Sip></Dial>', 13244],
    ['<Dial>+1555<Say>a</Say></Dial>', 13215],
  ];
  for (const [twiml, code] of bad) {
    test(`${twiml} is warning ${code}`, () => {
      const { warnings, error } = validate(`${twiml}<Hangup/>`);
      assert.deepEqual(
        warnings.map((warning) => warning.code),
        [code],
      );
      assert.equal(error, undefined);
    });
  }

  test('a bad value leaves the default', () => {
    const { verbs } = validate('<Gather timeout="soon" numDigits="two" method="PUT"/>');
    const [gather] = verbs;
    assert.ok(gather?.kind === 'gather');
    assert.equal(gather.timeoutSeconds, 5);
    assert.equal(gather.numDigits, undefined);
    assert.equal(gather.method, 'POST');
  });
});

suite('Dial', () => {
  test('keeps the nouns that can be dialled, with valid attributes in normal form', () => {
    const twiml =
      '<Dial record="true"><Number url="/w" byoc="x" extra="1">+1555</Number><Queue>q</Queue><Client>jenny</Client></Dial>';
    const { verbs, warnings } = validate(twiml);
    const [dial] = verbs;
    assert.ok(dial?.kind === 'dial');
    assert.deepEqual(dial.element.attributes, { record: 'record-from-answer' });
    assert.deepEqual(
      dial.element.children.map((noun) => [noun.name, noun.text, noun.attributes]),
      [
        ['Number', '+1555', { url: '/w', byoc: 'x' }],
        ['Client', 'jenny', {}],
      ],
    );
    assert.deepEqual(
      warnings.map((warning) => warning.code),
      [12200, 13215],
    );
  });

  test('takes ten destinations', () => {
    const { verbs, warnings } = validate(`<Dial>${'<Number>+1555</Number>'.repeat(11)}</Dial>`);
    const [dial] = verbs;
    assert.equal(dial?.kind === 'dial' && dial.element.children.length, 10);
    assert.equal(warnings[0]?.code, 13215);
  });
});

suite('Say', () => {
  const parts = (inner: string) => verb('say', `<Say>${inner}</Say>`).parts;

  test('reads SSML as text and pauses', () => {
    assert.deepEqual(parts('<p>One.</p><s>Two <emphasis>three</emphasis></s>four<break strength="strong"/>five'), [
      { kind: 'text', text: 'One.' },
      { kind: 'pause', durationMs: 600 },
      { kind: 'text', text: 'Two three' },
      { kind: 'pause', durationMs: 250 },
      { kind: 'text', text: 'four' },
      { kind: 'pause', durationMs: 700 },
      { kind: 'text', text: 'five' },
    ]);
  });

  test('spells, substitutes and caps a break', () => {
    assert.deepEqual(parts('<say-as interpret-as="digits">12 3</say-as><sub alias="World Wide Web">WWW</sub>'), [
      { kind: 'text', text: '1 2 3 World Wide Web' },
    ]);
    assert.deepEqual(parts('a<break time="999s"/>')[1], { kind: 'pause', durationMs: 10_000 });
  });

  test('takes 4096 characters and refuses one more', () => {
    assert.equal(validate(`<Say>${'x'.repeat(4096)}</Say>`).error, undefined);
    assert.equal(validate(`<Say>${'x'.repeat(4097)}</Say>`).error?.code, 13521);
    assert.equal(validate(`<Gather><Say>${'x'.repeat(4097)}</Say></Gather>`).error?.code, 13521);
  });

  test('a verb inside is an error at its line', () => {
    const { error } = validate('\n<Say>a\n<Say>b</Say></Say>');
    assert.equal(error?.code, 12200);
    assert.equal(error?.level, 'error');
    assert.equal(error?.line, 3);
  });
});

suite('a document of which nothing is left to run', () => {
  for (const [twiml, code] of [
    ['<Speak>hello</Speak>', 12200],
    ['hello', 12200],
    ['<Say/><Speak/>', 13520],
    ['<Dial/>', 13224],
  ] as const) {
    test(`${twiml} is error ${code}`, () => {
      const { verbs, error } = validate(twiml);
      assert.deepEqual(verbs, []);
      assert.equal(error?.level, 'error');
      assert.equal(error.code, code);
      assert.match(error.message, /nothing of the document is left to run$/);
      assert.doesNotMatch(error.message, /the next verb is run/);
    });
  }

  test('is no error when nothing was written', () => {
    for (const twiml of ['', ' ', '<!-- nothing -->']) assert.equal(validate(twiml).error, undefined);
  });
});
