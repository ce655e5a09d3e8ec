import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { promisify } from 'node:util';
import { peer } from './peers.ts';
import { atEnd, type Scope } from './scope.ts';

const run = promisify(execFile);

/** Addresses of documentation and of private networks; the management side lies in the range for bench tests (RFC 2544). */
const OUTSIDE = { server: '192.0.2.10', router: '192.0.2.1' } as const;
const INSIDE = { phone: '10.77.0.10', router: '10.77.0.1' } as const;

/** One host with a network stack of its own. */
export interface Host {
  /** Words to put before a command so that it runs there. */
  readonly inside: readonly string[];
  /** Its address in its own subnet. */
  readonly address: string;
  /** Where the test itself reaches it. */
  readonly managementAddress: string;
}

/** A server and a phone in two subnets; between them a router that hides the phone's subnet behind its own address. */
export interface NatNetwork {
  readonly server: Host;
  readonly phone: Host;
  /** The address under which the server sees the phone. */
  readonly natAddress: string;
  /** Addresses of this process for each of the two hosts. */
  readonly testAddress: { readonly fromServer: string; readonly fromPhone: string };
}

/** Options of a test that needs network namespaces: skipped for everybody but root, and where a tool is missing. */
export function namespaceOptions(): { readonly skip?: string } {
  if (process.getuid?.() !== 0) return { skip: 'network namespaces: only root may make them' };
  return peer('ip').options;
}

/** Options of a test that needs a NAT. */
export function natOptions(): { readonly skip?: string } {
  const options = namespaceOptions();
  return options.skip === undefined ? peer('iptables').options : options;
}

/** A machine that nothing connects to anything: only its loopback is up. Gives the words to put before a command. */
export async function loopbackOnly(scope: Scope): Promise<readonly string[]> {
  const name = `td${process.pid.toString(36)}${randomInt(36 ** 2).toString(36)}-alone`;
  atEnd(scope, () => ip('netns', 'del', name).catch(() => undefined));
  await ip('netns', 'add', name);
  await ip('-n', name, 'link', 'set', 'lo', 'up');
  return [ipCommand(), 'netns', 'exec', name];
}

export async function natNetwork(scope: Scope): Promise<NatNetwork> {
  const id = `td${process.pid.toString(36)}${randomInt(36 ** 2).toString(36)}`;
  const names = { server: `${id}-server`, router: `${id}-router`, phone: `${id}-phone` };
  const command = ipCommand();
  const inside = (name: string): readonly string[] => [command, 'netns', 'exec', name];
  atEnd(scope, async () => {
    for (const name of Object.values(names)) await ip('netns', 'del', name).catch(() => undefined);
  });
  for (const name of Object.values(names)) {
    await ip('netns', 'add', name);
    await ip('-n', name, 'link', 'set', 'lo', 'up');
  }
  await join(
    { name: names.server, device: 'out', address: OUTSIDE.server },
    { name: names.router, device: 'out', address: OUTSIDE.router },
  );
  await join(
    { name: names.phone, device: 'in', address: INSIDE.phone },
    { name: names.router, device: 'in', address: INSIDE.router },
  );
  await ip('-n', names.phone, 'route', 'add', 'default', 'via', INSIDE.router);
  await hide(inside(names.router));
  const management = await manage(id, names);
  return {
    server: { inside: inside(names.server), address: OUTSIDE.server, managementAddress: management.server.host },
    phone: { inside: inside(names.phone), address: INSIDE.phone, managementAddress: management.phone.host },
    natAddress: OUTSIDE.router,
    testAddress: { fromServer: management.server.test, fromPhone: management.phone.test },
  };
}

interface End {
  /** Namespace; absent: that of this process. */
  readonly name?: string;
  readonly device: string;
  readonly address: string;
}

async function join(a: End, b: End): Promise<void> {
  // Both ends are made under names that nothing else has, and renamed where they live.
  const [left, right] = [`v${randomInt(1e9).toString(36)}a`, `v${randomInt(1e9).toString(36)}b`];
  await ip('link', 'add', left, 'type', 'veth', 'peer', 'name', right);
  await settle(left, a);
  await settle(right, b);
}

async function settle(device: string, { name, device: wanted, address }: End): Promise<void> {
  const there = name === undefined ? [] : ['-n', name];
  if (name !== undefined) await ip('link', 'set', device, 'netns', name);
  await ip(...there, 'link', 'set', device, 'name', wanted);
  await ip(...there, 'addr', 'add', `${address}/24`, 'dev', wanted);
  await ip(...there, 'link', 'set', wanted, 'up');
}

/** What leaves the phone's subnet carries the router's address; from outside only answers come in. */
async function hide(inside: readonly string[]): Promise<void> {
  const iptables = peer('iptables').path;
  await sh(inside, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  await sh(inside, iptables, '-t', 'nat', '-A', 'POSTROUTING', '-o', 'out', '-j', 'MASQUERADE', '--random');
  await sh(inside, iptables, '-P', 'FORWARD', 'DROP');
  await sh(inside, iptables, '-A', 'FORWARD', '-i', 'in', '-j', 'ACCEPT');
  await sh(inside, iptables, '-A', 'FORWARD', '-m', 'conntrack', '--ctstate', 'ESTABLISHED,RELATED', '-j', 'ACCEPT');
}

/** A second network of each host with this process, for the REST API, the application and the phone's control socket. */
async function manage(
  id: string,
  names: { readonly server: string; readonly phone: string },
): Promise<Record<'server' | 'phone', { readonly host: string; readonly test: string }>> {
  const subnet = randomInt(1, 120);
  const address = (third: number, last: number): string => `198.18.${third}.${last}`;
  const server = { host: address(2 * subnet, 2), test: address(2 * subnet, 1) };
  const phone = { host: address(2 * subnet + 1, 2), test: address(2 * subnet + 1, 1) };
  await join({ name: names.server, device: 'test', address: server.host }, { device: `${id}s`, address: server.test });
  await join({ name: names.phone, device: 'test', address: phone.host }, { device: `${id}p`, address: phone.test });
  return { server, phone };
}

async function ip(...args: readonly string[]): Promise<void> {
  await run(ipCommand(), args);
}

async function sh(inside: readonly string[], ...words: readonly string[]): Promise<void> {
  const [command = '', ...args] = [...inside, ...words];
  await run(command, args);
}

function ipCommand(): string {
  return peer('ip').path;
}
