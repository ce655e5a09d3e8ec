import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { loopbackOnly, namespaceOptions } from './network-namespace.ts';
import { peer } from './peers.ts';

/** Set in the second run of a file, which is inside the namespace. */
const INSIDE = 'TANDEM_TEST_ALONE';
const BOUND_MS = 110_000;

/**
 * Runs a test file again in a network namespace in which only the loopback is up: `promises` declares its tests there, and
 * out here one test tells how that run ended.
 */
export function onLoopbackAlone(title: string, file: string, promises: () => void): void {
  if (process.env[INSIDE] !== undefined) return promises();
  const options = namespaceOptions().skip === undefined ? peer('chromium').options : namespaceOptions();
  test(title, options, async (t) => {
    const [command = '', ...words] = await loopbackOnly(t);
    // A test runner that finds itself started by another one runs nothing.

    const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
    const child = spawn(command, [...words, process.execPath, file], {
      env: { ...environment, [INSIDE]: 'yes' },
      timeout: BOUND_MS,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const [code] = await once(child, 'close');
    assert.equal(code, 0, output);
    assert.match(output, /# pass [1-9]|ℹ pass [1-9]/, output);
  });
}
