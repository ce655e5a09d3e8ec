import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { AUTHORITY_PEM } from '../../testkit/certificate.ts';
import { peer } from '../../testkit/peers.ts';
import { temporaryFolder } from '../../testkit/temporary-folder.ts';
import { CliError } from '../cli-error.ts';
import { carryOut, installation, type Outcome, type Wanted } from './installation.ts';
import type { Machine } from './machine.ts';
import { commandsFor } from './other-systems.ts';

const HOSTS = '127.0.0.1 localhost\n';
const WANTED: Wanted = {
  authority: AUTHORITY_PEM,
  address: '192.168.7.9',
  hosts: ['api.twilio.com', 'sdk.twilio.com'],
};
const OTHER = `-----BEGIN CERTIFICATE-----
MIIBcDCCARWgAwIBAgIUUzCqu7M5dhmGgy+63UNuliGjcHYwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBeTAgFw0yNjExMjYxODA4MDZaGA8yMTI2MTEwMjE4MDgwNlow
DDEKMAgGA1UEAwwBeTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABElCeJ8gioi+
OHg2SeA/9RhEJ40vgmdpsQc4WcVULFuO/evsPC4hBoCqB8pSR8UbavXVn0IKHXeT
2qCIye5WpbmjUzBRMB0GA1UdDgQWBBR0tauC+9lYwJp0m2Aoun2FW+X/qjAfBgNV
HSMEGDAWgBR0tauC+9lYwJp0m2Aoun2FW+X/qjAPBgNVHRMBAf8EBTADAQH/MAoG
CCqGSM49BAMCA0kAMEYCIQDEkK94Kn0KrzHbo2M8VdAiqI0YL+OPmLtExL70ohAt
UwIhAPllI8y7PfjmiLCynrWQH7XY/7OumPD5/qpHBX80EsHl
-----END CERTIFICATE-----
`;

/** Another system's files: a Debian with its command, and a home. */
function image(context: TestContext, { certutil = true } = {}): Machine & { readonly at: (path: string) => string } {
  const root = temporaryFolder(context, 'image');
  for (const folder of ['etc', 'usr/sbin', 'usr/local/share/ca-certificates', 'home/eve'])
    mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, 'etc/hosts'), HOSTS, { mode: 0o640 });
  writeFileSync(join(root, 'usr/sbin/update-ca-certificates'), '#!/bin/sh\n');
  chmodSync(join(root, 'usr/sbin/update-ca-certificates'), 0o755);
  return {
    ...{ root, home: '/home/eve', owner: {} },
    has: () => certutil,
    treeHas: (command) => existsSync(join(root, 'usr/sbin', command)),
    makeFolder: async (path) => void mkdirSync(path, { recursive: true }),
    at: (path) => join(root, path),
  };
}

const outcomesOf = (outcomes: readonly Outcome[]): readonly string[] => outcomes.map(({ outcome }) => outcome);
const install = async (machine: Machine, wanted: Wanted | undefined, dryRun = false): Promise<readonly Outcome[]> =>
  carryOut(await installation(machine, wanted), { dryRun });

suite('what tandem trust installs', () => {
  test(
    'the authority and the hosts, once; taken back, everything is as it was',
    peer('certutil').options,
    async (t) => {
      const machine = image(t);
      const store = machine.at('usr/local/share/ca-certificates/tandem-place.crt');
      const database = machine.at('home/eve/.pki/nssdb');
      const listed = (): string => String(execFileSync(peer('certutil').path, ['-L', '-d', `sql:${database}`]));
      assert.deepEqual(outcomesOf(await install(machine, WANTED)), ['done', 'note', 'done', 'done']);
      assert.equal(readFileSync(store, 'utf8'), WANTED.authority);
      assert.match(listed(), /Tandem \(this place\) +C,,/);
      assert.match(readFileSync(machine.at('etc/hosts'), 'utf8'), /192\.168\.7\.9 api\.twilio\.com sdk\.twilio\.com/);
      assert.equal(statSync(machine.at('etc/hosts')).mode & 0o777, 0o640);
      assert.deepEqual(outcomesOf(await install(machine, WANTED)), ['was so', 'note', 'was so', 'was so']);

      assert.deepEqual(outcomesOf(await install(machine, { ...WANTED, authority: OTHER })), [
        'done',
        'note',
        'done',
        'was so',
      ]);
      assert.equal(listed().match(/Tandem/g)?.length, 1, 'a new authority takes the place of the old one');

      assert.deepEqual(outcomesOf(await install(machine, undefined)), ['done', 'note', 'done', 'done']);
      assert.equal(existsSync(store), false);
      assert.doesNotMatch(listed(), /Tandem/);
      assert.equal(readFileSync(machine.at('etc/hosts'), 'utf8'), HOSTS);
      assert.deepEqual(outcomesOf(await install(machine, undefined)), ['was so', 'note', 'was so', 'was so']);
    },
  );

  test('everybody can read what was written, whatever the umask of who installs it', async (t) => {
    const machine = image(t, { certutil: false });
    chmodSync(machine.at('etc/hosts'), 0o644);
    const before = process.umask(0o077);
    try {
      await install(machine, WANTED);
    } finally {
      process.umask(before);
    }
    for (const path of ['etc/hosts', 'usr/local/share/ca-certificates/tandem-place.crt'])
      assert.equal(statSync(machine.at(path)).mode & 0o777, 0o644, path);
  });

  test('a dry run says what would be done and changes nothing', async (t) => {
    const machine = image(t);
    const outcomes = await install(machine, WANTED, true);
    assert.deepEqual(outcomesOf(outcomes), ['would be done', 'note', 'would be done', 'would be done']);
    assert.match(outcomes.map(({ text }) => text).join('\n'), /lead 2 hosts of the vendor to 192\.168\.7\.9/);
    assert.equal(readFileSync(machine.at('etc/hosts'), 'utf8'), HOSTS);
    assert.equal(existsSync(machine.at('home/eve/.pki')), false);
  });

  test('says what it cannot do: no certutil, a line of somebody else that wins, a file of root', async (t) => {
    const machine = image(t, { certutil: false });
    writeFileSync(machine.at('etc/hosts'), '52.0.0.1 api.twilio.com\n');
    const said = (await install(machine, WANTED, true)).map(({ text }) => text).join('\n');
    assert.match(said, /certutil is not installed \(Debian: libnss3-tools\)/);
    assert.match(said, /somebody else that wins: 52\.0\.0\.1 api\.twilio\.com/);
    const denied = {
      kind: 'work',
      text: 'write /x',
      run: () => Promise.reject(Object.assign(new Error('EACCES'), { code: 'EACCES' })),
    } as const;
    await assert.rejects(
      carryOut([denied], { dryRun: false }),
      (error) => error instanceof CliError && /could not write \/x: .*sudo/.test(error.message),
    );
  });

  test('with the certificate of an operator only the hosts are installed', async (t) => {
    const outcomes = await install(image(t), { address: WANTED.address, hosts: WANTED.hosts });
    assert.deepEqual(outcomesOf(outcomes), ['note', 'done']);
  });

  test('for macOS and Windows it says what to type, and that nobody has tried it', () => {
    const options = { install: true, hostsBlock: '10.0.0.5 api.twilio.com\n', caFile: 'ca.pem' };
    for (const platform of ['darwin', 'win32'] as const) {
      assert.match(commandsFor(platform, options) ?? '', /not tested[\s\S]*ca\.pem[\s\S]*10\.0\.0\.5 api\.twilio\.com/);
      assert.match(commandsFor(platform, { ...options, install: false }) ?? '', /not tested/);
    }
    assert.equal(commandsFor('linux', options), undefined);
  });
});
