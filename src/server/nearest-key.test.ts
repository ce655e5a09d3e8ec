import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestKey } from './nearest-key.ts';

const KEYS = ['http', 'https', 'turnTtl', 'trustLoopback'];

test('a slip of the pen is told from a word of its own', () => {
  assert.equal(nearestKey('htttp', KEYS), 'http');
  assert.equal(nearestKey('turnTTL', KEYS), 'turnTtl');
  assert.equal(nearestKey('trustLopback', KEYS), 'trustLoopback');
  for (const word of ['', 'x', 'pin', 'colour', 'h'.repeat(10_000)]) assert.equal(nearestKey(word, KEYS), undefined);
});
