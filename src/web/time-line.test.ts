import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { RequestStep } from './model.ts';
import { indented, timeLine } from './time-line.ts';

const REQUEST: RequestStep = {
  kind: 'request',
  method: 'POST',
  url: 'http://127.0.0.1:3700/voice?x=1',
  parameters: {},
  durationMs: 12.4,
  status: 200,
  contentType: 'text/xml',
  body: '<Response/>',
  failure: null,
};

suite('the time line', () => {
  test('counts from the first entry, and says what each is', () => {
    const items = timeLine([
      { kind: 'state', status: 'queued', sipStatus: null, reason: null, number: 0, at: 1000 },
      { ...REQUEST, number: 1, at: 1500 },
      { kind: 'state', status: 'busy', sipStatus: 486, reason: 'Busy Here', number: 2, at: 2000 },
      { kind: 'fault', code: 11200, level: 'error', message: 'got status 500', number: 3, at: 2500 },
    ]);
    assert.deepEqual(
      items.map(({ tone, title, detail, offsetMs }) => [tone, title, detail, offsetMs]),
      [
        ['plain', 'Queued', '', 0],
        ['request', 'POST /voice?x=1', 'answered 200 · 12 ms', 500],
        ['bad', 'Busy', 'SIP 486 · Busy Here', 1000],
        ['bad', 'Error 11200', 'got status 500', 1500],
      ],
    );
  });

  test('keys that follow each other are one item', () => {
    const items = timeLine(['1', '2', '#'].map((digit, number) => ({ kind: 'digit', digit, number, at: number })));
    assert.deepEqual(
      items.map(({ title, detail }) => [title, detail]),
      [['Keys pressed', '12#']],
    );
  });

  test('a request without an answer says so, with the number of its error', () => {
    const failed = { ...REQUEST, status: null, failure: { code: 11205, message: 'refused' }, number: 0, at: 0 };
    assert.equal(timeLine([failed])[0]?.detail, 'no answer, error 11205 · 12 ms');
  });
});

suite('TwiML to be read', () => {
  test('stands an element a line, text with its element', () => {
    const xml = '<?xml version="1.0"?><Response><Gather numDigits="1"><Say>Press</Say></Gather><Hangup/></Response>';
    assert.equal(
      indented(xml),
      [
        '<?xml version="1.0"?>',
        '<Response>',
        '  <Gather numDigits="1">',
        '    <Say>Press</Say>',
        '  </Gather>',
        '  <Hangup/>',
        '</Response>',
      ].join('\n'),
    );
  });

  test('what is no plain XML stays as it came', () => {
    for (const text of ['no XML', '<a><!-- b --></a>', '']) assert.equal(indented(text), text);
  });
});
