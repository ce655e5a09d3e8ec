import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { SaxesParser } from 'saxes';
import { PARTY, TANDEM, type CallTrace, type TraceMessage } from './call-trace.ts';
import { ladderText } from './ladder-text.ts';
import { sequenceSvg } from './sequence-svg.ts';
import { MAX_LANES, MAX_ROWS, tellStory } from './story.ts';

const APPLICATION = 'application:http://127.0.0.1:3800';
const [MIKE, PHONE] = ['browser:mike/d1', 'phone:127.0.0.1:5070'];
const [A, B] = [`CA${'a'.repeat(32)}`, `CA${'b'.repeat(32)}`];

const CALLS: CallTrace['calls'] = [
  {
    ...{ sid: A, parentCallSid: null, from: 'client:mike', to: '+12025550123', direction: 'inbound' },
    ...{ status: 'completed', duration: 3 },
  },
  {
    ...{ sid: B, parentCallSid: A, from: 'client:mike', to: '+12025550123', direction: 'outbound-dial' },
    ...{ status: 'completed', duration: 3 },
  },
];

const REGISTRATION: TraceMessage = {
  ...{ at: 1000, channel: 'signalling', from: 'browser:/d1', to: TANDEM, text: 'listen', detail: 'token [hidden]' },
  callSid: A,
};

const TRACE: CallTrace = {
  calls: CALLS,
  dropped: 0,
  messages: [
    REGISTRATION,
    { ...REGISTRATION, callSid: B },
    { at: 1010, channel: 'signalling', from: MIKE, to: TANDEM, text: 'invite', detail: 'To=+12025550123', callSid: A },
    { at: 1020, channel: 'webhook', from: TANDEM, to: APPLICATION, text: 'POST /voice', detail: '', callSid: A },
    {
      ...{ at: 1030, channel: 'webhook', from: APPLICATION, to: TANDEM, text: '200 TwiML', callSid: A },
      ...{ detail: '<Dial> <Number> +12025550123', reply: true },
    },
    { at: 1040, channel: 'sip', from: TANDEM, to: PHONE, text: 'INVITE', detail: '', callSid: B },
    { at: 1540, channel: 'sip', from: TANDEM, to: PHONE, text: 'INVITE', detail: '', callSid: B },
    { at: 1600, channel: 'sip', from: PHONE, to: TANDEM, text: '200 OK', detail: '', reply: true, callSid: B },
    { at: 1610, channel: 'signalling', from: TANDEM, to: MIKE, text: 'answer', detail: '', reply: true, callSid: A },
    { at: 1700, channel: 'media', from: PARTY, to: TANDEM, text: 'sound', detail: '', callSid: B },
    { at: 4700, channel: 'signalling', from: MIKE, to: TANDEM, text: 'hangup', detail: '', callSid: A },
  ],
};

const SEEN_BY_OTHERS: readonly TraceMessage[] = [
  { at: 900, channel: 'page', from: 'browser:mike', to: APPLICATION, text: 'GET /token', detail: '' },
];

/** Names of the elements, their attributes and texts; throws for what is not well-formed. */
function read(svg: string): { readonly elements: readonly string[]; readonly text: string } {
  const elements: string[] = [];
  let text = '';
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name }) => elements.push(name));
  parser.on('text', (found) => {
    text += `${found}\n`;
  });
  parser.write(svg).close();
  return { elements, text };
}

suite('a trace, told', () => {
  test('puts who calls on the left, then its application, this server, and whom it calls', () => {
    assert.deepEqual(
      tellStory(TRACE, SEEN_BY_OTHERS).lanes.map(({ name, kind }) => [name, kind]),
      [
        ['mike', 'browser'],
        ['application', 'application'],
        ['Tandem', 'tandem'],
        ['+12025550123', 'phone'],
      ],
    );
  });

  test('is a ladder in a terminal', () => {
    assert.equal(
      ladderText(tellStory(TRACE, SEEN_BY_OTHERS)),
      `mike calls +12025550123
  A  ${A}  client:mike -> +12025550123, completed, 3 s
  B  ${B}  client:mike -> +12025550123, completed, 3 s

                      mike                 application               Tandem               +12025550123
                     browser             127.0.0.1:3800            this server         SIP 127.0.0.1:5070
   0.000                |----- GET /token ----->|                       |                       |
   0.100 A              |------------------- listen ------------------->|                       |  token [hidden]
   0.110 A              |------------------- invite ------------------->|                       |  To=+12025550123
   0.120 A              |                       |<---- POST /voice -----|                       |
   0.130 A              |                       |...... 200 TwiML .....>|                       |  <Dial> <Number> +12025550123
   0.140 B              |                       |                       |-- INVITE (2 times) -->|
   0.700 B              |                       |                       |<...... 200 OK ........|
   0.710 A              |<.................. answer ....................|                       |
   0.800 B              |                       |                       |<======= sound ========|
   3.0 s                :                       :                       :                       :
   3.800 A              |------------------- hangup ------------------->|                       |`,
    );
  });

  test('has a lane for each device of a client that takes part', () => {
    const other: TraceMessage = { ...TRACE.messages[2]!, from: 'browser:mike/d2', at: 1015 };
    const { lanes } = tellStory({ ...TRACE, messages: [...TRACE.messages, other] });
    assert.deepEqual(
      lanes.filter(({ kind }) => kind === 'browser').map(({ name }) => name),
      ['mike', 'mike (2)'],
    );
  });

  test('says that nothing passed', () => {
    assert.match(ladderText(tellStory({ calls: CALLS, messages: [], dropped: 0 })), /nothing passed/);
  });

  test('says the faults of a call below it, and so does the drawing', () => {
    const fault = 'error 32009: SIP: the user is not registered: the phone alice is not registered';
    const [first] = CALLS;
    const story = tellStory({ ...TRACE, calls: [{ ...first!, status: 'no-answer', faults: [fault] }] });
    assert.ok(ladderText(story).includes(`, no-answer, 3 s\n     ${fault}\n`));
    assert.match(sequenceSvg(story), /no-answer after 3 s; error 32009/);
  });

  test('moves no cursor of a terminal', () => {
    const evil = { ...TRACE.messages[2]!, text: '\u001b[2Jgone\u0007', detail: '\u009b31m' };
    assert.doesNotMatch(
      ladderText(tellStory({ ...TRACE, messages: [evil] })),
      /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/,
    );
  });
});

suite('a trace, drawn', () => {
  test('is a well-formed document with a title, a description and every message', () => {
    const { elements, text } = read(sequenceSvg(tellStory(TRACE, SEEN_BY_OTHERS)));
    assert.deepEqual(elements.slice(0, 4), ['svg', 'title', 'desc', 'style']);
    for (const wanted of ['mike calls +12025550123', 'GET /token', 'INVITE ×2', '<Dial> <Number>', 'hangup', '3.800'])
      assert.ok(text.includes(wanted), `${wanted} is not in the picture`);
  });

  test('runs nothing and asks for nothing', () => {
    const svg = sequenceSvg(tellStory(TRACE, SEEN_BY_OTHERS));
    const { elements } = read(svg);
    const allowed = new Set(['svg', 'title', 'desc', 'style', 'rect', 'text', 'path', 'g', 'circle']);
    assert.deepEqual(
      elements.filter((name) => !allowed.has(name)),
      [],
    );
    assert.doesNotMatch(svg, /\bon\w+=|url\(|href|@import/);
  });

  test('shows names as they are, whatever they are', () => {
    const name = `<script>alert('1')</script>&"\u0000\ud800`;
    const call = { ...CALLS[0]!, from: `client:${name}`, to: name };
    const messages = [{ ...TRACE.messages[2]!, from: `browser:${name}/d1`, text: name, detail: name }];
    const svg = sequenceSvg(tellStory({ calls: [call], messages, dropped: 0 }));
    const { elements, text } = read(svg);
    assert.ok(!elements.includes('script'));
    assert.ok(text.includes(`<script>alert('1')</script>&"\ufffd\ufffd`), text);
  });

  test('stays within bounds, however many parties and messages there are', () => {
    const messages = Array.from({ length: 5000 }, (_, index): TraceMessage => {
      const from = `phone:192.0.2.${index % 50}:5060`;
      return {
        at: index,
        channel: 'sip',
        from,
        to: TANDEM,
        text: `${index}${'X'.repeat(5000)}`,
        detail: 'Y'.repeat(5000),
        callSid: A,
      };
    });
    const story = tellStory({ calls: CALLS, messages, dropped: 7 });
    assert.deepEqual([story.lanes.length, story.rows.length, story.leftOut], [MAX_LANES, MAX_ROWS, 4607]);
    const svg = sequenceSvg(story);
    assert.match(svg, /4607 more messages are not shown/);
    const [, width = '', height = ''] = /width="(\d+)" height="(\d+)"/.exec(svg) ?? [];
    assert.ok(Number(width) <= 2000 && Number(height) <= 25_000, `${width} x ${height}`);
    assert.ok(svg.length < 6_000_000, `${svg.length} characters`);
  });

  test('is light or dark as its reader is', () => {
    assert.match(sequenceSvg(tellStory(TRACE)), /@media\(prefers-color-scheme:dark\)/);
  });
});
