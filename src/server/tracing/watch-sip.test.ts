import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TraceBook } from '../../trace/trace-book.ts';
import { watchSip } from './watch-sip.ts';

test('of a REGISTER that comes in not even the text is asked for, of an INVITE it is', () => {
  const asked: string[] = [];
  const watch = watchSip({ addTo: () => undefined } as unknown as TraceBook);
  for (const method of ['REGISTER', 'INVITE']) {
    const text = (): string => {
      asked.push(method);
      return '';
    };
    watch({ direction: 'in', remote: { address: '10.0.0.2', port: 5060 }, method, text });
  }
  assert.deepEqual(asked, ['INVITE']);
});
