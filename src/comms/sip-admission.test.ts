import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Endpoint } from '../base/network.ts';
import { seededRandom } from '../base/random.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { atEnd } from '../testkit/scope.ts';
import { HOME_DOMAIN, Place } from './place.ts';
import type { Records } from './records/records.ts';
import { SipAdmission } from './sip-admission.ts';
import { openTemporaryRecords } from './test/temporary-records.ts';

const OWN: Endpoint = { address: '127.0.0.1', port: 5060 };

interface World {
  readonly place: Place;
  readonly records: Records;
  readonly admission: SipAdmission;
  /** What trunks' host names resolve to. */
  readonly hosts: Map<string, readonly string[]>;
}

async function world(t: TestContext): Promise<World> {
  const ports = { clock: new VirtualClock(), random: seededRandom(4) };
  const { records, store, close } = await openTemporaryRecords(ports);
  atEnd(t, close);
  const account = await records.accounts.create({ friendlyName: 'Main' });
  const place = await Place.open({ ...ports, records, store }, account);
  const hosts = new Map<string, readonly string[]>();
  const admission = new SipAdmission({
    records,
    homeDomain: HOME_DOMAIN,
    trunkAddresses: (host) => hosts.get(host) ?? [host],
    isOwn: (source) => source.port === OWN.port && source.address === OWN.address,
  });
  return { place, records, admission, hosts };
}

/** A domain of an application, whose users may call but not register. */
async function callsOnlyDomain({ place, records }: World, domainName: string): Promise<void> {
  const { accountSid } = place.domain;
  const domain = await records.domains.create({ ...place.domain, domainName, friendlyName: 'Calls only' });
  const list = await records.credentialLists.create({ accountSid, friendlyName: 'Callers' });
  await records.mappings.create(domain, list, 'calls');
  await records.credentials.create({ accountSid, credentialListSid: list.sid, username: 'carl', password: 'secret' });
}

test('a phone has a credential in its own realm only', async (t) => {
  const { place, admission } = await world(t);
  await place.addPhone({ name: 'alice', password: 'secret' });
  const known = await admission.credential(HOME_DOMAIN, 'alice');
  assert.deepEqual([known?.username, known?.realm], ['alice', HOME_DOMAIN]);
  for (const [realm, name] of [
    [HOME_DOMAIN, 'nobody'],
    [HOME_DOMAIN, 'ALICE'],
    [HOME_DOMAIN, ''],
    ['elsewhere.example', 'alice'],
  ] as const) {
    assert.equal(await admission.credential(realm, name), undefined, `${name} at ${realm}`);
  }
});

test('a phone registers its own address and no other', async (t) => {
  const { place, admission } = await world(t);
  await place.addPhone({ name: 'alice' });
  const alice = await admission.credential(HOME_DOMAIN, 'alice');
  assert.ok(alice);
  assert.equal(admission.mayRegister(alice, `sip:alice@${HOME_DOMAIN}`), true);
  for (const aor of [`sip:bob@${HOME_DOMAIN}`, 'sip:alice@elsewhere.example', `sip:${HOME_DOMAIN}`, 'alice', '']) {
    assert.equal(admission.mayRegister(alice, aor), false, aor);
  }
});

test('who is admitted for calls only may not register', async (t) => {
  const all = await world(t);
  await callsOnlyDomain(all, 'app.example');
  const carl = await all.admission.credential('app.example', 'carl');
  assert.equal(carl?.realm, 'app.example');
  assert.equal(all.admission.mayRegister(carl, 'sip:carl@app.example'), false);
});

test('a credential of another making may not register', async (t) => {
  const { place, admission } = await world(t);
  await place.addPhone({ name: 'alice' });
  const alice = await admission.credential(HOME_DOMAIN, 'alice');
  assert.ok(alice);
  assert.equal(admission.mayRegister({ ...alice }, `sip:alice@${HOME_DOMAIN}`), false);
});

test('the realm is the domain that was asked for, or else the home domain', async (t) => {
  const all = await world(t);
  await callsOnlyDomain(all, 'app.example');
  assert.equal(await all.admission.realm('app.example'), 'app.example');
  assert.equal(await all.admission.realm('127.0.0.1'), HOME_DOMAIN);
  assert.equal(await all.admission.realm('stranger.example'), HOME_DOMAIN);
});

test('a trunk is known by the addresses of its host', async (t) => {
  const { place, admission, hosts } = await world(t);
  await place.addTrunk({ name: 'line', uri: 'sip:gateway.example' });
  hosts.set('gateway.example', ['192.0.2.1', '2001:db8::1']);
  const line = { kind: 'trunk', accountSid: place.account.sid, name: 'line' };
  assert.deepEqual(await admission.trustedPeer({ address: '192.0.2.1', port: 4444 }, 'udp'), line);
  assert.deepEqual(await admission.trustedPeer({ address: '2001:db8::1', port: 5060 }, 'tcp'), line);
  assert.equal(await admission.trustedPeer({ address: '192.0.2.2', port: 5060 }, 'udp'), undefined);
  hosts.set('gateway.example', []);
  assert.equal(await admission.trustedPeer({ address: '192.0.2.1', port: 5060 }, 'udp'), undefined);
});

test('trunks at one address are told apart by the port that they name, over UDP', async (t) => {
  const { place, admission } = await world(t);
  await place.addTrunk({ name: 'one', uri: 'sip:192.0.2.1:5070' });
  await place.addTrunk({ name: 'two', uri: 'sip:192.0.2.1:5080' });
  const nameOf = async (port: number, transport: 'udp' | 'tcp'): Promise<string | undefined> => {
    const peer = await admission.trustedPeer({ address: '192.0.2.1', port }, transport);
    return peer?.kind === 'trunk' ? peer.name : undefined;
  };
  assert.equal(await nameOf(5070, 'udp'), 'one');
  assert.equal(await nameOf(5080, 'udp'), 'two');
  assert.equal(await nameOf(5090, 'udp'), undefined);
  // A connection comes from a port of the moment.
  assert.equal(await nameOf(40_000, 'tcp'), 'one');
});

test('a trunk that was taken away is a stranger again', async (t) => {
  const { place, admission } = await world(t);
  await place.addTrunk({ name: 'line', uri: 'sip:192.0.2.1' });
  await place.removeTrunk('line');
  assert.equal(await admission.trustedPeer({ address: '192.0.2.1', port: 5060 }, 'udp'), undefined);
});

test('calls from our own socket need no password, also where a trunk has our address', async (t) => {
  const { place, admission } = await world(t);
  await place.addTrunk({ name: 'self', uri: 'sip:127.0.0.1' });
  assert.deepEqual(await admission.trustedPeer(OWN, 'udp'), { kind: 'anonymous' });
  const other = await admission.trustedPeer({ ...OWN, port: 5062 }, 'udp');
  assert.equal(other?.kind, 'trunk');
});
