import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bufferErrors, Limits, socketDrops } from './limits.ts';

const UDP = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  271: 0100007F:13C4 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0 42
  272: 0200007F:13C4 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0 3
  273: 0100007F:13C5 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0 9
`;
const SNMP = `Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors
Udp: 900 1 7 800 7 0
`;

test('reads what the kernel dropped at one port and on the whole machine', () => {
  assert.equal(socketDrops(UDP, 0x13c4), 45);
  assert.equal(bufferErrors(SNMP), 7);
});

test('says nothing where the system says nothing', () => {
  assert.equal(socketDrops('', 5060), null);
  assert.equal(socketDrops(UDP, 5060 + 100), null);
  assert.equal(bufferErrors(''), null);
});

test('counts each refusal under its limit, with the key that raises it', async () => {
  const limits = new Limits();
  limits.refuse('rest-requests');
  limits.refuse('rest-requests');
  const config = { requestsPerSecond: 5, callsPerSecond: 1 } as Parameters<Limits['view']>[0]['config'];
  const view = await limits.view({ config, sipPort: 1, callsWaiting: () => Promise.resolve(12) });
  const of = (name: string): unknown => {
    const row = view.limits.find((each) => each.name === name);
    return [row?.key, row?.value, row?.refused, row?.waiting];
  };
  assert.deepEqual(of('rest-requests'), ['requestsPerSecond', 5, 2, 0]);
  assert.deepEqual(of('outgoing-calls'), ['callsPerSecond', 1, 0, 12]);
  assert.deepEqual(of('sip-transactions'), [null, null, 0, 0]);
});
