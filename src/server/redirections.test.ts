import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Trunk } from '../comms/place-model.ts';
import type { PlaceCall, UserAgent } from '../sip/user-agent.ts';
import { withAllowedRedirections } from './redirections.ts';

/** Whether a call to `from` may follow a redirection to `to`. */
async function follows(from: string, to: string): Promise<boolean> {
  const placed: PlaceCall[] = [];
  const inner = { placeCall: (call: PlaceCall) => void placed.push(call) } as unknown as UserAgent;
  const trunk = { name: 'carrier', uri: 'sip:carrier.example:5060' } as Trunk;
  const userAgent = withAllowedRedirections(inner, {
    isLocalHost: (host) => host === 'this.example',
    mayDialHost: (host) => host.startsWith('192.168.'),
    trunks: async () => [trunk],
    trunkAddresses: (host) => (host === 'carrier.example' ? ['192.168.0.1', '203.0.113.1'] : []),
  });
  const call = { target: { uri: from } } as PlaceCall;
  userAgent.placeCall(call, { progress: () => undefined, answered: () => undefined, failed: () => undefined });
  return (await placed[0]?.mayFollow?.(to)) === true;
}

test('a phone redirects within the place and the local network, and nowhere else', async () => {
  const phone = 'sip:bob@192.168.0.20:5060';
  assert.equal(await follows(phone, 'sip:alice@this.example'), true);
  assert.equal(await follows(phone, 'sip:alice@192.168.0.21'), true);
  assert.equal(await follows(phone, 'sip:alice@elsewhere.example'), false);
  assert.equal(await follows(phone, 'sip:alice@192.168.0.21;maddr=198.51.100.1'), false);
  assert.equal(await follows(phone, 'mailto:alice@this.example'), false);
});

test('only a trunk redirects to that trunk, by name or by address', async () => {
  const costly = [
    'sip:+881000000@carrier.example',
    'sip:+881000000@203.0.113.1',
    'sip:+1@this.example;maddr=192.168.0.1',
  ];
  for (const uri of costly) {
    assert.equal(await follows('sip:bob@192.168.0.20', uri), false, uri);
    assert.equal(await follows('sip:+44123@carrier.example:5060', uri), true, uri);
  }
});
