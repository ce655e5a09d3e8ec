import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scene } from '../test/scene.ts';

const TRUNK = {
  registrar: 'sip:10.0.0.2',
  aor: 'sip:7000@10.0.0.2',
  credentials: { username: '7000', password: 'secret' },
  expiresSeconds: 120,
} as const;

for (const [asked, leastMs, mostMs] of [
  ['0', 1_000, 1_100],
  ['120', 120_000, 120_100],
  ['4000000000', 1_800_000, 1_800_100],
] as const) {
  test(`a registrar that asks to come again after ${asked} s is asked again in reasonable time`, async (t) => {
    const scene = new Scene(t);
    const agent = await scene.open();
    const peer = await scene.peer();
    agent.registerTrunk(TRUNK);
    await scene.advance(10);
    const before = scene.elapsedMs;
    peer.respond(peer.request('REGISTER'), 503, { headers: [{ name: 'Retry-After', value: asked }] });
    await scene.advance(leastMs - 50);
    assert.equal(peer.requests('REGISTER').length, 1);
    await scene.advance(mostMs - (scene.elapsedMs - before));
    assert.equal(peer.requests('REGISTER').length, 2);
  });
}
