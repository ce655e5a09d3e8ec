import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Door } from './door.ts';

test('a refusal keeps its status and its words', async () => {
  const door = new Door(async () => Response.json({ code: 20003, message: 'Show the account' }, { status: 401 }));
  await assert.rejects(door.session(), { name: 'DoorError', status: 401, message: 'Show the account' });
});

test('an answer that is no JSON, and no answer at all, have words of their own', async () => {
  const odd = new Door(async () => new Response('<html>', { status: 502 }));
  await assert.rejects(odd.session(), { status: 502, message: 'Tandem answered 502' });
  const gone = new Door(() => Promise.reject(new TypeError('fetch failed')));
  await assert.rejects(gone.session(), { status: 0, message: /does not answer/ });
});
