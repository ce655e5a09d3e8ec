import assert from 'node:assert/strict';
import { randomInteger, type Random } from '../../../src/base/random.ts';
import { pressSteps, expectSteps, parseScript, saySteps } from '../../../src/scripted-phone/script.ts';
import { PhoneError } from '../../../src/scripted-phone/phone-error.ts';
import { isFaultCode } from '../../../src/comms/faults.ts';
import { decodeTwiml } from '../../../src/wire/twiml/decode.ts';
import { MAX_TWIML_CHARS, parseTwiml } from '../../../src/wire/twiml/parse.ts';
import { MAX_SAY_CHARS, validateTwiml } from '../../../src/wire/twiml/verbs.ts';
import { bytesOf, textOf, type FuzzTarget } from '../fuzz-target.ts';
import { pick } from '../mutate.ts';

const DOCUMENTS = [
  `<?xml version="1.0" encoding="UTF-8"?>
<Response>
  <!-- a menu -->
  <Gather numDigits="1" action="/key" method="GET" timeout="3" finishOnKey="#*" input="dtmf speech" bargeIn="false">
    <Say voice="alice" language="en-GB" loop="2">Press <emphasis>1</emphasis> &amp; wait &#233; <break time="1.5s"/></Say>
    <Play>https://app.example/a.wav</Play><Pause length="2"/>
  </Gather>
  <Record maxLength="5" trim="do-not-trim" recordingStatusCallback="/r" recordingStatusCallbackEvent="completed absent"/>
  <Dial callerId="+12025550101" timeout="20" hangupOnStar="true" record="record-from-answer-dual" action="/d" answerOnBridge="true">
    <Number url="/whisper" sendDigits="ww1" statusCallbackEvent="ringing answered">+12025550102</Number>
    <Sip username="u" password="p">sip:bob@home.tandem?X-a=b</Sip><Client>carol</Client>
  </Dial>
  <Redirect method="POST">/next</Redirect><Reject reason="busy"/><Hangup/>
</Response>`,
  '<Response><Say><![CDATA[<Say>]]></Say><Play digits="1w2#"/><Enqueue>q</Enqueue></Response>',
  '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Response><Say>&b;</Say></Response>',
  'text/plain;read this',
  '\ufeff<Response/>',
];
const NAMES = [
  ...[
    'Response',
    'Say',
    'Play',
    'Pause',
    'Gather',
    'Record',
    'Dial',
    'Number',
    'Sip',
    'Client',
    'Conference',
    'Redirect',
  ],
  ...[
    'Reject',
    'Hangup',
    'Sms',
    'Enqueue',
    'say',
    'break',
    'prosody',
    'say-as',
    'sub',
    'lang',
    'p',
    's',
    'x:y',
    '__proto__',
  ],
];
const ATTRIBUTES = [
  ...[
    'loop="0"',
    'loop="-1"',
    'loop="1e9"',
    'timeout="999999"',
    'action="/x"',
    'method="PUT"',
    'finishOnKey=""',
    'numDigits="0"',
  ],
  ...[
    'digits="1w#"',
    'voice="man"',
    'language="xx"',
    'length="0"',
    'time="999999s"',
    'strength="x-strong"',
    'maxLength="0"',
  ],
  ...[
    'record="x"',
    'timeLimit="1"',
    'sequential="true"',
    '__proto__="1"',
    'constructor="x"',
    'xmlns:a="b"',
    'reason="busy"',
    'alias="x"',
  ],
];

function element(random: Random, depth: number): string {
  if (depth === 0 || randomInteger(random, 0, 3) === 0)
    return pick(['text', '+12025550100', '/a.wav', ' ', '&amp;', ''], random);
  const name = pick(NAMES, random);
  const attributes = [...new Set(Array.from({ length: randomInteger(random, 0, 3) }, () => pick(ATTRIBUTES, random)))];
  const content = Array.from({ length: randomInteger(random, 0, 3) }, () => element(random, depth - 1)).join('');
  return `<${[name, ...attributes].join(' ')}>${content}</${name}>`;
}

export const twiml: FuzzTarget = {
  name: 'twiml',
  covers: '/src/wire/twiml/',
  corpus: [
    ...DOCUMENTS.map(bytesOf),
    Buffer.from(`\ufeff${DOCUMENTS[1]}`, 'utf16le'),
    Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><Response><Say>caf\u00e9</Say></Response>', 'latin1'),
  ],
  words: [
    ...NAMES.flatMap((name) => [`<${name}>`, `</${name}>`, `<${name}/>`]),
    ...ATTRIBUTES.map((attribute) => ` ${attribute} `),
    ...[
      '<!DOCTYPE x>',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '<?x?>',
      '&#0;',
      '&#x110000;',
      '&amp',
      '&lt;',
      'encoding="utf-16"',
      'version="1.1"',
    ],
  ],
  generate: (random) =>
    bytesOf(
      `<Response>${Array.from({ length: randomInteger(random, 0, 6) }, () => element(random, 5)).join('')}</Response>`,
    ),
  repetitions: [
    ...[
      '<Say>',
      '<Say/>',
      '<Say>a</Say>',
      'a',
      ' ',
      '&amp;',
      '&',
      '<',
      '<![CDATA[a]]>',
      '<!---->',
      '<?a b?>',
      '\n',
      '&#65;',
    ].map((unit) => ({
      before: '<Response>',
      unit,
      after: '</Response>',
    })),
    ...['a', ' ', '<break/>', '<p>', '<p/>', 'a ', '&amp;', '<lang xml:lang="a">x</lang>'].map((unit) => ({
      before: '<Response><Say>',
      unit,
      after: '</Say></Response>',
    })),
    ...[' a="b"', ' ', 'a', ' a'].map((unit) => ({ before: '<Response><Say', unit, after: '>x</Say></Response>' })),
    { before: '<Response><Dial>', unit: '<Number>1</Number>', after: '</Dial></Response>' },
    { before: '<Response><Gather finishOnKey="', unit: '1', after: '"/></Response>' },
    { before: '<Response><Play digits="', unit: '1', after: '"/></Response>' },
    { before: '<?xml version="1.0" ', unit: ' ', after: '?><Response/>' },
    { before: '<!DOCTYPE x [', unit: '<!ENTITY a "b">', after: ']><Response/>' },
  ],
  maxBytes: 70_000,
  check: (bytes) => {
    for (const type of ['text/xml', 'text/plain; charset=latin1', 'application/xml; charset="utf-16"', '']) {
      const decoded = decodeTwiml(bytes, type);
      if (decoded.kind === 'bad') {
        assert.equal(decoded.problem.code, 12100);
        continue;
      }
      const parsed = parseTwiml(decoded.text, type);
      if (parsed.kind === 'bad') {
        assert.ok(isFaultCode(parsed.problem.code) && parsed.problem.level === 'error');
        continue;
      }
      assert.ok(decoded.text.length <= MAX_TWIML_CHARS);
      const { verbs, warnings, error } = validateTwiml(parsed.document);
      for (const problem of [...warnings, ...(error === undefined ? [] : [error])]) {
        assert.ok(isFaultCode(problem.code), `code ${problem.code} is not of the table`);
        assert.ok(problem.message.length < 500, 'a message is bounded');
      }
      for (const verb of verbs) {
        if (verb.kind !== 'say') continue;
        const chars = verb.parts.reduce((sum, part) => sum + (part.kind === 'text' ? part.text.length : 0), 0);
        assert.ok(error !== undefined || chars <= MAX_SAY_CHARS);
      }
    }
  },
};

const SCRIPT = `# a comment
hear Welcome to the bakery
silence 4s
press 1w2#
request hours.xml Digits=1 "a b"=c
fault 11200
begin "We open"
say hello
wait 1.5s
hangup
ended
`;

export const script: FuzzTarget = {
  name: 'script',
  covers: '/src/scripted-phone/',
  corpus: [bytesOf(SCRIPT), bytesOf('1@"Welcome"'), bytesOf('1@3s'), bytesOf('a@b')],
  words: ['hear ', 'press ', 'silence ', 'wait ', 'request ', 'fault ', 'say ', 'ended', '@', '"', '=', '1.5s', '\n'],
  repetitions: [' ', '"', '@', '\n', '0', 'a=b ', 'hear x\n', '1', '.', '"a"=b '].flatMap((unit) => [
    { unit },
    { before: 'request x ', unit },
    { before: 'wait ', unit },
    { before: 'hear "', unit },
  ]),
  maxBytes: 100_000,
  check: (bytes) => {
    const text = textOf(bytes);
    for (const read of [(each: string) => parseScript(each, 'fuzz'), pressSteps, saySteps, expectSteps]) {
      try {
        read(text);
      } catch (error) {
        assert.ok(error instanceof PhoneError, error as Error);
      }
    }
  },
};
