import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as table from '../wire/twiml/verb-table.ts';
import { isFaultCode } from './faults.ts';

// A code that a document's rules name and the table lacks would be told under another number.
test('every number of the TwiML rules is in the fault table', () => {
  const rules = [...Object.values(table), ...Object.values(table.DIAL_NOUNS)];
  const codes = rules.flatMap((each) =>
    typeof each === 'object' ? Object.values(each).flatMap((rule: unknown) => codeOf(rule)) : [],
  );
  assert.ok(codes.length > 80, `${codes.length} codes found`);
  assert.deepEqual(
    codes.filter((code) => !isFaultCode(code)),
    [],
  );
});

function codeOf(rule: unknown): readonly number[] {
  if (typeof rule === 'number') return [rule];
  const code: unknown = (rule as { readonly code?: unknown } | null)?.code;
  return typeof code === 'number' ? [code] : [];
}
