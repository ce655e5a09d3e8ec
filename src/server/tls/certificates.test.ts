import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { lstatSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { checkServerIdentity, connect, createServer } from 'node:tls';
import { silentLogger } from '../../base/logger.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { atEnd } from '../../testkit/scope.ts';
import { temporaryFolder } from '../../testkit/temporary-folder.ts';
import { createAuthority, endOf, issueCertificate, namesOf } from './authority.ts';
import { Certificates, type CertificatesOptions } from './certificates.ts';
import { isPermitted, nameConstraints } from './name-constraints.ts';

const DAY_MS = 86_400_000;
const NAMES = ['localhost', '127.0.0.1', '::1'];

async function opened(context: TestContext, options: Partial<CertificatesOptions> = {}): Promise<Certificates> {
  const folder = temporaryFolder(context, 'tls');
  const certificates = await Certificates.open({
    ...{ folder, clock: new VirtualClock(Date.now()), log: silentLogger, names: () => NAMES },
    ...options,
  });
  atEnd(context, () => certificates.close());
  return certificates;
}

/** What a client that trusts the place's authority says when it comes by this name. */
async function handshake({ authority = '', secureOptions }: Certificates, name: string): Promise<string> {
  const server = createServer(secureOptions, (socket) => socket.end());
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const socket = connect({
    port,
    host: '127.0.0.1',
    ca: authority,
    checkServerIdentity: (_, peer) => checkServerIdentity(name, peer),
  });
  try {
    return await new Promise<string>((resolve) => {
      socket.once('secureConnect', () => resolve('trusted'));
      socket.once('error', ({ message }) => resolve(message));
    });
  } finally {
    socket.destroy();
    server.close();
  }
}

suite('certificates of a place', () => {
  test('an authority is made once; keys are readable by their owner alone', async (context) => {
    const folder = temporaryFolder(context, 'tls');
    const first = await opened(context, { folder });
    const again = await opened(context, { folder });
    assert.equal(again.authority, first.authority);
    assert.equal(again.endsAt, first.endsAt);
    assert.equal(statSync(join(folder, 'authority.key')).mode & 0o777, 0o600);
    assert.equal(statSync(join(folder, 'server.key')).mode & 0o777, 0o600);
  });

  test("the server's certificate is for its names, its addresses and the vendor's hosts, signed by the authority", async (context) => {
    const certificates = await opened(context);
    for (const name of ['localhost', '127.0.0.1', 'api.twilio.com', '*.twilio.com'])
      assert.ok(certificates.names.includes(name), name);
    const authority = new X509Certificate(certificates.authority ?? '');
    const server = new X509Certificate(certificates.secureOptions.cert);
    assert.ok(server.verify(authority.publicKey));
    assert.equal(server.checkHost('voice-js.twilio.com'), '*.twilio.com');
    assert.equal(server.checkHost('example.org'), undefined);
  });

  test('a name that joins makes a new certificate by the same authority', async (context) => {
    const folder = temporaryFolder(context, 'tls');
    const first = await opened(context, { folder });
    const next = await opened(context, { folder, names: () => [...NAMES, 'calls.lan'] });
    assert.equal(next.authority, first.authority);
    assert.ok(next.names.includes('calls.lan'));
  });

  test('a name that the authority may not vouch for is left out, and told: clients would refuse all the others with it', async (context) => {
    const folder = temporaryFolder(context, 'tls');
    const warned: unknown[] = [];
    const log = { ...silentLogger, warn: (details: unknown) => void warned.push(details) };
    const names = [...NAMES, 'calls.example.org', '203.0.113.7'];
    await opened(context, { folder, names: () => names, log });
    assert.deepEqual(warned, [], 'what is there from the start is within the authority');
    const later = [...names, 'phones.calls.example.org', 'other.example.org', '203.0.113.8'];
    const next = await opened(context, { folder, names: () => later, log });
    assert.deepEqual(warned, [{ names: ['other.example.org', '203.0.113.8'] }]);
    for (const name of [...names, 'phones.calls.example.org'])
      assert.equal(await handshake(next, name), 'trusted', name);
    assert.notEqual(await handshake(next, 'other.example.org'), 'trusted');
  });

  test('a certificate that its authority may not have signed is made anew', async (context) => {
    const folder = temporaryFolder(context, 'tls');
    const first = await opened(context, { folder });
    const authority = { certificate: first.authority ?? '', key: readFileSync(join(folder, 'authority.key'), 'utf8') };
    const names = [...first.names, 'calls.example.org'];
    const beyond = await issueCertificate(authority, { names, nowMs: Date.now() });
    writeFileSync(join(folder, 'server.pem'), beyond.certificate);
    writeFileSync(join(folder, 'server.key'), beyond.key);
    assert.equal(await handshake(await opened(context, { folder }), 'localhost'), 'trusted');
  });

  test('an authority that cannot be read now is not replaced', async (context) => {
    const folder = temporaryFolder(context, 'tls');
    await opened(context, { folder });
    const path = join(folder, 'authority.key');
    rmSync(path);
    // Whoever opens it is told ELOOP.
    symlinkSync(path, path);
    await assert.rejects(opened(context, { folder }), /ELOOP/);
    assert.ok(lstatSync(path).isSymbolicLink());
  });

  test('a certificate is made anew a month before it ends, and who serves it is told', async (context) => {
    const clock = new VirtualClock(Date.now());
    const certificates = await opened(context, { clock });
    let renewed = 0;
    certificates.onRenewed(() => void renewed++);
    const before = certificates.endsAt;
    await clock.advance(61 * DAY_MS);
    assert.ok(renewed > 0);
    assert.notEqual(certificates.endsAt, before);
    assert.ok(certificates.endsAt - clock.now() > 80 * DAY_MS);
  });

  test('what was broken by hand is made anew', async (context) => {
    const folder = temporaryFolder(context, 'tls');
    const first = await opened(context, { folder });
    writeFileSync(join(folder, 'server.pem'), 'broken');
    const next = await opened(context, { folder });
    assert.equal(next.authority, first.authority);
    assert.match(readFileSync(join(folder, 'server.pem'), 'utf8'), /BEGIN CERTIFICATE/);
  });

  test("the operator's own files are used as they are; ones that do not belong together are refused", async (context) => {
    const folder = temporaryFolder(context, 'own');
    const nowMs = Date.now();
    const authority = await createAuthority({ commonName: 'operator', alsoPermitted: [], nowMs });
    const [one, other] = await Promise.all(
      [1, 2].map(() => issueCertificate(authority, { names: ['calls.lan'], nowMs })),
    );
    const paths = { certificate: join(folder, 'own.pem'), key: join(folder, 'own.key') };
    writeFileSync(paths.certificate, one?.certificate ?? '');
    writeFileSync(paths.key, one?.key ?? '');
    const certificates = await opened(context, { own: paths });
    assert.equal(certificates.authority, undefined);
    assert.deepEqual(certificates.names, ['calls.lan']);
    writeFileSync(paths.key, other?.key ?? '');
    await assert.rejects(opened(context, { own: paths }), /want PEM files that belong together/);
  });

  test('only private names and those that were named are within the authority', async () => {
    for (const name of ['localhost', 'calls.lan', 'api.twilio.com', '10.1.2.3', '192.168.0.7', '::1', 'fd00::1'])
      assert.ok(isPermitted(name), name);
    for (const name of ['example.org', 'eviltwilio.com', '8.8.8.8', '2001:db8::1', 'lan.example.org'])
      assert.ok(!isPermitted(name), name);
    // A sequence whose length takes two octets (X.690 8.1.3.5).
    const [tag, form, high = 0, low = 0] = nameConstraints([]);
    assert.deepEqual([tag, form, high * 256 + low], [0x30, 0x82, nameConstraints([]).length - 4]);
    const { certificate } = await createAuthority({
      commonName: 'x',
      alsoPermitted: ['calls.example.org'],
      nowMs: Date.now(),
    });
    assert.ok(Buffer.from(new X509Certificate(certificate).raw).includes('calls.example.org'));
    assert.ok(endOf(certificate) > Date.now() + 3000 * DAY_MS);
    assert.deepEqual(namesOf(certificate), ['']);
  });
});
