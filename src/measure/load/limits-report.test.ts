import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitLines, limitsReport, type LimitsAnswer } from './limits-report.ts';

function answer(refused: number, waiting: number, machine: number | null): LimitsAnswer {
  return {
    limits: [
      { name: 'rest-requests', key: 'requestsPerSecond', what: 'requests', value: 5, refused, waiting: 0 },
      { name: 'outgoing-calls', key: 'callsPerSecond', what: 'calls', value: 1, refused: 0, waiting },
      { name: 'sip-transactions', key: null, what: 'transactions', value: null, refused, waiting: 0 },
    ],
    datagramsDropped: { sip: machine, machine },
  };
}

test('names each limit that was reached meanwhile, with the key that raises it', () => {
  const lines = limitLines(limitsReport(answer(3, 10, 100), answer(5, 17, 104)));
  assert.deepEqual(lines, [
    'refused by limit: 2 by requests (requestsPerSecond is 5); raise requestsPerSecond',
    'held back by limit: 7 wait, calls (callsPerSecond is 1); raise callsPerSecond',
    'refused by limit: 2 by transactions; this limit is built in',
    "the kernel dropped 4 datagrams before the server's SIP socket read them",
    'the kernel dropped 4 datagrams on the whole server machine (sound and other programs included)',
  ]);
});

test('says that nothing was refused, and what cannot be known', () => {
  const same = answer(3, 10, 100);
  assert.deepEqual(limitLines(limitsReport(same, same)), ['refused by limit: nothing; no datagram was dropped']);
  const unknown = answer(3, 10, null);
  const [line] = limitLines(limitsReport(unknown, unknown));
  assert.equal(line, 'refused by limit: nothing; the system does not tell dropped datagrams');
});
