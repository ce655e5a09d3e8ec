import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parseAddress } from '../address.ts';
import { dialledAddress } from './dialled-address.ts';
import { isEmergency } from './emergency.ts';
import { isOwnHost, resolve, type Resolution } from './routing.ts';
import { ACCOUNT_SID, APP, CallWorld } from './test/call-world.ts';
import { answering } from './test/scripted-user-agent.ts';

async function route(world: CallWorld, to: string, emergency = false): Promise<Resolution> {
  const destination = parseAddress(to);
  if (destination === undefined) throw new Error(`${to}: want an address`);
  return resolve(destination, { accountSid: ACCOUNT_SID, emergency }, world.routing());
}

function shown(resolution: Resolution): string {
  switch (resolution.kind) {
    case 'targets':
      return resolution.targets
        .map((each) => (each.kind === 'sip' ? (each.trunk?.name ?? each.target.uri) : each.device.deviceId))
        .join(' ');
    case 'number':
      return `number ${resolution.number.phoneNumber}`;
    case 'domain':
      return `domain ${resolution.domain.domainName}`;
    case 'nobody':
      return `nobody ${resolution.faultCode}`;
    case 'refused':
      return `refused ${resolution.sipStatus}`;
  }
}

/** Every way is there at once. */
async function place(): Promise<CallWorld> {
  const world = await CallWorld.open();
  world.phone('bob', answering(), '+12025550111');
  world.phone('100', answering());
  world.number('+12025550111', APP);
  world.number('+12025550122', APP);
  world.domain('office.example', APP);
  world.trunk('all', ['+']);
  world.trunk('britain', ['+44', '+1']);
  world.trunk('washington', ['+1202']);
  return world;
}

suite('where a call leads', () => {
  test('first a phone by name, then by number, an owned number, a trunk', async () => {
    const world = await place();
    const ways = [
      ['100', 'sip:100@192.0.2.1'],
      ['sip:100@127.0.0.1', 'sip:100@192.0.2.1'],
      ['+12025550111', 'sip:bob@192.0.2.1'],
      ['+12025550122', 'number +12025550122'],
      ['+12025550133', 'washington britain all'],
      ['+447911123456', 'britain all'],
      ['+4930123456', 'all'],
    ] as const;
    for (const [to, way] of ways) assert.equal(shown(await route(world, to)), way, to);
  });

  test('a SIP address by its host: the place, a domain, an allowed host, or nowhere', async () => {
    const world = await place();
    const ways = [
      ['sip:bob@127.0.0.1', 'sip:bob@192.0.2.1'],
      ['sip:bob@home.tandem', 'sip:bob@192.0.2.1'],
      ['sip:+12025550122@127.0.0.1', 'number +12025550122'],
      ['sip:desk@office.example', 'domain office.example'],
      ['sip:bob@office.example', 'sip:bob@192.0.2.1'],
      ['sip:x@pbx.allowed', 'sip:x@pbx.allowed'],
      ['sip:x@elsewhere.example', 'refused 403'],
      ['sip:x@pbx.allowed;maddr=elsewhere.example', 'refused 403'],
      ['sip:x@pbx.allowed;maddr=gate.allowed', 'sip:x@pbx.allowed;maddr=gate.allowed'],
      ['sip:nobody@127.0.0.1', 'refused 404'],
    ] as const;
    for (const [to, way] of ways) assert.equal(shown(await route(world, to)), way, to);
  });

  test('a known phone that is away, a domain without an application, a client: nobody', async () => {
    const world = await place();
    world.unregistered.add('bob');
    world.domain('empty.example', null);
    for (const to of ['sip:bob@home.tandem', '+12025550111', 'sip:x@empty.example', 'client:jenny']) {
      assert.equal(shown(await route(world, to)), 'nobody 32009', to);
    }
  });

  test('an unknown user of the place goes to the home domain’s application, when it has one', async () => {
    const world = await place();
    world.domain('home.tandem', APP);
    assert.equal(shown(await route(world, 'sip:nobody@127.0.0.1')), 'domain home.tandem');
  });

  test('a trunk without prefixes takes nothing', async () => {
    const world = await CallWorld.open();
    world.trunk('closed', []);
    assert.equal(shown(await route(world, '+4930123456')), 'refused 404');
  });

  test('an emergency number goes to a trunk that takes it, else nowhere', async () => {
    const world = await place();
    world.number('112', APP);
    assert.equal(shown(await route(world, '112', true)), 'refused 404');
    world.trunk('rescue', ['112']);
    assert.equal(shown(await route(world, '112', true)), 'rescue');
    assert.equal(shown(await route(world, 'sip:112@127.0.0.1', true)), 'rescue');
  });
});

test('emergency numbers are known however they are written, at this place, and nothing else is', async () => {
  const world = await CallWorld.open();
  world.domain('acme.example', null);
  const ports = {
    settings: { emergencyNumbers: ['112', '911'] },
    isOwnHost: (host: string, port: number | undefined) => isOwnHost(host, port, world.routing()),
  };
  for (const [to, expected, realm] of [
    ['112', true],
    ['sip:911@127.0.0.1', true],
    ['sip:112@home.tandem', true],
    ['sip:112@acme.example', true],
    ['sip:+112@127.0.0.1;user=phone', true],
    ['sip:112;phone-context=+49@127.0.0.1', true],
    ['sip:%31%31%32@127.0.0.1', true],
    ['sip:1-1-2@127.0.0.1', true],
    ['sip:112@partner.example', false],
    ['sip:112@127.0.0.1.partner.example', false],
    ['sip:112@PBX.example', true, 'pbx.example'],
    ['sip:112@partner.example', false, 'pbx.example'],
    ['sip:1123@127.0.0.1', false],
    ['1123', false],
    ['+12025550112', false],
    ['client:112', false],
  ] as const) {
    const address = parseAddress(to);
    assert.equal(address !== undefined && (await isEmergency(address, ports, realm)), expected, `${to} ${realm ?? ''}`);
  }
});

test('an emergency number of a tel: URI has no host to ask', () => {
  assert.deepEqual(dialledAddress('tel:112'), { kind: 'number', number: '112' });
  assert.deepEqual(dialledAddress('tel:112;phone-context=+49'), { kind: 'number', number: '112' });
});
