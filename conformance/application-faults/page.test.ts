import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { FAULT_CASES, type FaultCase } from './fault-cases.ts';

const PAGE = readFileSync(new URL('../../docs/faults.md', import.meta.url), 'utf8');
const HEADINGS: Readonly<Record<FaultCase['where'], string>> = {
  transport: 'The answer does not come',
  document: 'The document cannot be used',
  sound: 'The sound of a Play cannot be used',
};

/** Rows of the first table below a heading, without the blanks that align them. */
function rowsBelow(heading: string): readonly string[] {
  const section = PAGE.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) => line.replaceAll(/\s+/g, ' ').trim());
}

function rowOf({ name, code, warning, retried }: FaultCase): string {
  const remark = warning === true ? 'warning' : retried === true ? 'asked again first' : '';
  return `| ${name} | ${code} | ${remark} |`.replaceAll(/\s+/g, ' ');
}

suite('docs/faults.md', () => {
  for (const [where, heading] of Object.entries(HEADINGS)) {
    test(`lists what is tried: ${heading}`, () => {
      assert.deepEqual(rowsBelow(heading), FAULT_CASES.filter((each) => each.where === where).map(rowOf));
    });
  }
});
