import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { VirtualClock } from '../base/virtual-clock.ts';
import { MAX_DETAIL_CHARS, TANDEM } from './call-trace.ts';
import { TraceBook, type NewTraceMessage, type TraceBookOptions } from './trace-book.ts';

function message(text: string, detail = ''): NewTraceMessage {
  return { channel: 'sip', from: 'phone:1', to: TANDEM, text, detail };
}

function open(options: Partial<TraceBookOptions> = {}): { readonly book: TraceBook; readonly clock: VirtualClock } {
  const clock = new VirtualClock(1000);
  return { book: new TraceBook({ clock, ...options }), clock };
}

function textsOf(book: TraceBook, sid: string): readonly string[] | undefined {
  return book.of(sid)?.messages.map(({ text }) => text);
}

suite('the book of what passed', () => {
  test('gives a conversation to its call, with what it said before', async () => {
    const { book, clock } = open();
    book.addTo('sip:1', message('INVITE'));
    await clock.advance(5);
    book.link('sip:1', 'CA1');
    book.addTo('sip:1', message('BYE'));
    assert.deepEqual(
      book.of('CA1')?.messages.map(({ text, at, callSid }) => [text, at, callSid]),
      [
        ['INVITE', 1000, 'CA1'],
        ['BYE', 1005, 'CA1'],
      ],
    );
  });

  test('knows nothing of a call that nothing was noted of', () => {
    assert.equal(open().book.of('CA1'), undefined);
  });

  test('keeps a dialog with the first of two calls that it belongs to, and shows the second how it began', () => {
    const { book } = open();
    book.link('sip:1', 'CA1');
    book.addTo('sip:1', message('INVITE'));
    book.link('sip:1', 'CA2');
    book.addTo('sip:1', message('BYE'));
    assert.deepEqual(textsOf(book, 'CA1'), ['INVITE', 'BYE']);
  });

  test('includes a registration in each call that is made of it', () => {
    const { book } = open();
    book.addTo('socket:1', message('register'));
    book.include('socket:1', 'CA1');
    book.include('socket:1', 'CA2');
    assert.deepEqual([textsOf(book, 'CA1'), textsOf(book, 'CA2')], [['register'], ['register']]);
  });

  test('forgets the oldest call and its conversations when there is no room for more', () => {
    const { book } = open({ maxCalls: 2 });
    book.link('sip:1', 'CA1');
    book.add('CA2', message('INVITE'));
    book.add('CA3', message('INVITE'));
    assert.equal(book.of('CA1'), undefined);
    book.addTo('sip:1', message('BYE'));
    assert.equal(book.of('CA1'), undefined);
    assert.deepEqual(textsOf(book, 'CA3'), ['INVITE']);
  });

  test('counts what one call says beyond its share', () => {
    const { book } = open({ maxCallBytes: 1000 });
    for (let index = 0; index < 20; index += 1) book.add('CA1', message(`INVITE ${index}`));
    const kept = book.of('CA1');
    assert.ok(kept !== undefined && kept.messages.length === 4, `${kept?.messages.length} messages`);
    assert.equal(kept.dropped, 16);
  });

  test('keeps a bounded number of conversations that never become a call, and a bounded part of each', () => {
    const { book } = open();
    for (let index = 0; index < 2000; index += 1) book.addTo(`sip:${index}`, message('INVITE'));
    book.link('sip:0', 'CA1');
    assert.deepEqual(textsOf(book, 'CA1'), []);
    for (let index = 0; index < 1000; index += 1) book.addTo('sip:one', message('INVITE'));
    book.link('sip:one', 'CA2');
    assert.ok((book.of('CA2')?.messages.length ?? 0) < 50);
  });

  test('puts texts on one line and cuts them', () => {
    const { book } = open();
    book.add('CA1', message('a\r\nb', 'x'.repeat(100_000)));
    const [kept] = book.of('CA1')?.messages ?? [];
    assert.equal(kept?.text, 'a b');
    assert.equal(kept.detail.length, MAX_DETAIL_CHARS);
  });

  test('keeps nothing when it is switched off', () => {
    const { book } = open({ maxCalls: 0 });
    book.add('CA1', message('INVITE'));
    book.link('sip:1', 'CA1');
    assert.deepEqual([book.isOn, book.of('CA1')], [false, undefined]);
  });
});
