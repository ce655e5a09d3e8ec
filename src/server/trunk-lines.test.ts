import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../base/logger.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import type { Trunk } from '../comms/place-model.ts';
import { SipError } from '../sip/sip-error.ts';
import type { TrunkRegistration, TrunkRegistrationOptions, TrunkState } from '../sip/user-agent.ts';
import { TrunkLines } from './trunk-lines.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;

function trunk(changes: Partial<Trunk> = {}): Trunk {
  return {
    sid: 'TK00000000000000000000000000000000' as Trunk['sid'],
    accountSid: 'AC00000000000000000000000000000000' as Trunk['accountSid'],
    name: 'line',
    uri: 'sip:gateway.example',
    username: null,
    password: null,
    register: false,
    prefixes: [],
    maxCalls: 10,
    dateCreated: 0,
    ...changes,
  };
}

class ScriptedRegistration implements TrunkRegistration {
  readonly options: TrunkRegistrationOptions;
  state: TrunkState = { kind: 'trying' };
  stopped = false;
  farewell: Promise<void> = Promise.resolve();

  constructor(options: TrunkRegistrationOptions) {
    this.options = options;
  }

  stop(): Promise<void> {
    this.stopped = true;
    return this.farewell;
  }
}

/** A network in which host names resolve as a test says, and a user agent that only remembers. */
class World {
  readonly clock = new VirtualClock();
  readonly hosts = new Map<string, readonly string[]>();
  readonly asked: string[] = [];
  readonly registrations: ScriptedRegistration[] = [];
  /** While it is set, the resolver does not answer. */
  silence: Promise<void> | undefined;
  readonly lines = new TrunkLines({
    clock: this.clock,
    log: silentLogger,
    resolve: async (host) => {
      this.asked.push(host);
      await this.silence;
      const found = this.hosts.get(host);
      if (found === undefined) throw new Error(`ENOTFOUND ${host}`);
      return found;
    },
  });

  start(...trunks: readonly Trunk[]): Promise<void> {
    return this.lines.start(trunks, {
      registerTrunk: (options) => {
        const registration = new ScriptedRegistration(options);
        this.registrations.push(registration);
        return registration;
      },
    });
  }
}

const registering = trunk({ register: true, username: 'user', password: 'secret' });

test('says where a trunk is, and where it is not', async () => {
  const world = new World();
  const { lines } = world;
  world.hosts.set('gateway.example', ['192.0.2.1', '2001:db8::1']);
  await world.start(trunk(), trunk({ name: 'other', uri: 'sip:gone.example' }));
  assert.equal(lines.stateOf(trunk()), 'at 192.0.2.1, 2001:db8::1');
  assert.equal(lines.stateOf(trunk({ uri: 'sip:gone.example' })), 'gone.example does not resolve');
  assert.equal(lines.stateOf(trunk({ uri: 'sip:192.0.2.9:5070' })), 'at 192.0.2.9');
  await lines.close();
});

test('addresses need no resolver', async () => {
  const world = new World();
  await world.start(trunk({ uri: 'sip:192.0.2.9' }));
  assert.deepEqual(world.lines.addressesOf('192.0.2.9'), ['192.0.2.9']);
  assert.deepEqual(world.asked, []);
  await world.lines.close();
});

test('a trunk that registers does so with its own name and password, and shows how it goes', async () => {
  const world = new World();
  world.hosts.set('gateway.example', ['192.0.2.1']);
  await world.start(registering);
  const [registration] = world.registrations;
  assert.ok(registration);
  assert.equal(registration.options.registrar, 'sip:gateway.example');
  assert.equal(registration.options.aor, 'sip:user@gateway.example');
  assert.deepEqual(registration.options.credentials, { username: 'user', password: 'secret' });
  assert.equal(world.lines.stateOf(registering), 'trying at 192.0.2.1');
  registration.state = { kind: 'registered', expiresAt: 1 };
  assert.equal(world.lines.stateOf(registering), 'registered at 192.0.2.1');
  registration.state = { kind: 'failed', status: 403, reason: 'Forbidden', retryAt: 1 };
  assert.equal(world.lines.stateOf(registering), 'failed at 192.0.2.1');
  await world.lines.close();
  assert.ok(registration.stopped);
});

test('a trunk without a user name does not register', async () => {
  const world = new World();
  await world.start(trunk({ register: true }), trunk({ name: 'quiet', username: 'user' }));
  assert.deepEqual(world.registrations, []);
  await world.lines.close();
});

test('a trunk that cannot be registered leaves the others alone', async () => {
  const world = new World();
  const refuse = (): never => {
    throw new SipError('bad-argument', 'want sip:USER@HOST');
  };
  await world.lines.start([registering], { registerTrunk: refuse });
  assert.equal(world.lines.stateOf(trunk({ uri: 'sip:192.0.2.1' })), 'at 192.0.2.1');
  await world.lines.close();
});

test('a trunk that is taken away is registered no longer, and its host is forgotten', async () => {
  const world = new World();
  world.hosts.set('gateway.example', ['192.0.2.1']);
  await world.start(registering, trunk({ name: 'second' }));
  await world.lines.remove('line');
  assert.ok(world.registrations[0]?.stopped);
  assert.deepEqual(world.lines.addressesOf('gateway.example'), ['192.0.2.1'], 'the second trunk is still there');
  await world.lines.remove('second');
  assert.deepEqual(world.lines.addressesOf('gateway.example'), []);
  await world.lines.remove('unknown');
  await world.lines.close();
});

test('an exchange that does not confirm its farewell is not waited for', async () => {
  const world = new World();
  await world.start(registering);
  const [registration] = world.registrations;
  assert.ok(registration);
  registration.farewell = new Promise(() => undefined);
  await world.clock.runUntil(world.lines.close());
  assert.equal(world.clock.now(), 2 * SECOND_MS);
});

test('a resolver that does not answer holds the start up for two seconds at most', async () => {
  const world = new World();
  const answer = Promise.withResolvers<undefined>();
  world.silence = answer.promise;
  world.hosts.set('gateway.example', ['192.0.2.1']);
  await world.clock.runUntil(world.start(trunk()));
  assert.equal(world.clock.now(), 2 * SECOND_MS);
  assert.equal(world.lines.stateOf(trunk()), 'gateway.example does not resolve');
  answer.resolve(undefined);
  await world.clock.advance(1);
  assert.equal(world.lines.stateOf(trunk()), 'at 192.0.2.1');
  await world.lines.close();
});

test('a host without an address is asked for again soon, one with an address every five minutes', async () => {
  const world = new World();
  await world.start(trunk());
  await world.clock.advance(14 * SECOND_MS);
  assert.equal(world.asked.length, 1);
  world.hosts.set('gateway.example', ['192.0.2.1']);
  await world.clock.advance(SECOND_MS);
  assert.equal(world.lines.stateOf(trunk()), 'at 192.0.2.1');
  assert.equal(world.asked.length, 2);
  world.hosts.set('gateway.example', ['192.0.2.2']);
  await world.clock.advance(5 * MINUTE_MS);
  assert.equal(world.lines.stateOf(trunk()), 'at 192.0.2.2');
  assert.equal(world.asked.length, 3);
  await world.lines.close();
});

test('an outage of the resolver closes no trunk', async () => {
  const world = new World();
  world.hosts.set('gateway.example', ['192.0.2.1']);
  await world.start(trunk());
  for (const outage of [undefined, []]) {
    if (outage === undefined) world.hosts.delete('gateway.example');
    else world.hosts.set('gateway.example', outage);
    await world.clock.advance(5 * MINUTE_MS);
    assert.equal(world.lines.stateOf(trunk()), 'at 192.0.2.1');
  }
  await world.lines.close();
});

test('a trunk that is added later is looked up with the others', async () => {
  const world = new World();
  await world.start();
  await world.lines.add(trunk());
  world.hosts.set('gateway.example', ['192.0.2.1']);
  await world.clock.advance(15 * SECOND_MS);
  assert.equal(world.lines.stateOf(trunk()), 'at 192.0.2.1');
  await world.lines.close();
});

test('nothing is left running after the end, not even by an answer that comes late', async () => {
  const world = new World();
  await world.start(trunk());
  const answer = Promise.withResolvers<undefined>();
  world.silence = answer.promise;
  await world.clock.advance(15 * SECOND_MS);
  await world.lines.close();
  answer.resolve(undefined);
  await world.clock.advance(1);
  assert.equal(world.clock.pending, 0);
});
