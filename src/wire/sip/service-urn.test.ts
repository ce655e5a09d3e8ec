import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isEmergencyUrn, parseServiceUrn } from './service-urn.ts';

// The services that RFC 5031 registers (4.2, 4.3).
const SOS = ['ambulance', 'animal-control', 'fire', 'gas', 'marine', 'mountain', 'physician', 'poison', 'police'];
const COUNSELING = ['children', 'mental-health', 'suicide'];

test('reads the services of RFC 5031', () => {
  assert.deepEqual(parseServiceUrn('urn:service:sos'), ['sos']);
  for (const name of SOS) assert.deepEqual(parseServiceUrn(`urn:service:sos.${name}`), ['sos', name]);
  for (const name of COUNSELING)
    assert.deepEqual(parseServiceUrn(`urn:service:counseling.${name}`), ['counseling', name]);
  assert.deepEqual(parseServiceUrn('URN:Service:SOS.Police'), ['sos', 'police']);
});

test('all below sos is an emergency, also what nobody registered, and nothing else is', () => {
  for (const name of SOS) assert.ok(isEmergencyUrn(`urn:service:sos.${name}`), name);
  assert.ok(isEmergencyUrn('urn:service:sos.ecall.manual'));
  for (const text of [
    'urn:service:counseling',
    'urn:service:counseling.sos',
    'urn:service:sosu',
    'urn:service:sos.',
    'urn:service:.sos',
    'urn:service:sos..fire',
    'urn:service:sos.-fire',
    'urn:service:sos@127.0.0.1',
    'urn:nena:service:sos',
    'sip:sos@127.0.0.1',
    `urn:service:${'a'.repeat(28)}`,
    `urn:service:sos.${'a'.repeat(300)}`,
  ])
    assert.ok(!isEmergencyUrn(text), text);
});

test('never throws, and takes no time over a hostile text', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseServiceUrn(`urn:service:${text}`)));
  assert.equal(parseServiceUrn(`urn:service:${'a-'.repeat(100_000)}`), undefined);
});
