import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { fastify } from 'fastify';
import { addClientModule, CLIENT_MODULE_PATH, CLIENT_TYPES_PATH } from './client-module.ts';

suite('the module for pages', () => {
  const app = fastify();
  addClientModule(app);
  const ask = (headers: Record<string, string> = {}) => app.inject({ url: CLIENT_MODULE_PATH, headers });

  test('is one file without imports that exports Device, Call and ClientError, for pages of every origin', async () => {
    const answer = await ask();
    assert.equal(answer.statusCode, 200);
    assert.match(String(answer.headers['content-type']), /^text\/javascript/);
    assert.equal(answer.headers['access-control-allow-origin'], '*');
    assert.match(answer.body, /^export const \{ Call, ClientError, Device \} = \w+;$/m);
    assert.doesNotMatch(answer.body, /^\s*import\b/m);
    const module = (await import(
      `data:text/javascript;base64,${Buffer.from(answer.body).toString('base64')}`
    )) as object;
    assert.deepEqual(Object.keys(module).sort(), ['Call', 'ClientError', 'Device']);
  });

  test('is compressed for who takes it so, and the same', async () => {
    const { body } = await ask();
    const brotli = await ask({ 'accept-encoding': 'gzip, deflate, br' });
    assert.equal(brotli.headers['content-encoding'], 'br');
    assert.equal(brotliDecompressSync(brotli.rawPayload).toString(), body);
    const gzip = await ask({ 'accept-encoding': 'gzip, br;q=0' });
    assert.equal(gzip.headers['content-encoding'], 'gzip');
    assert.equal(gunzipSync(gzip.rawPayload).toString(), body);
    assert.ok(brotli.rawPayload.length < 40_000, `${brotli.rawPayload.length} bytes`);
  });

  test('is not sent again to who has it', async () => {
    const { etag } = (await ask()).headers;
    const again = await ask({ 'if-none-match': `W/${String(etag)}, "other"` });
    assert.deepEqual([again.statusCode, again.body], [304, '']);
    assert.equal((await ask({ 'if-none-match': '"other"' })).statusCode, 200);
  });
});

suite('the types for pages', () => {
  const app = fastify();
  addClientModule(app);
  const root = join(import.meta.dirname, '../..');

  /** What the compiler says of a program that has the served file beside it. */
  async function compiled(t: TestContext, program: string): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), 'client-types-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const { body } = await app.inject({ url: CLIENT_TYPES_PATH });
    writeFileSync(join(folder, 'client.d.ts'), body);
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    writeFileSync(join(folder, 'program.ts'), program);
    const flags =
      '--noEmit --skipLibCheck --strict --target esnext --module nodenext --lib esnext,dom,dom.iterable --types node';
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = spawnSync(
      process.execPath,
      [
        tsc,
        ...flags.split(' '),
        '--typeRoots',
        join(root, 'node_modules/@types'),
        '--allowImportingTsExtensions',
      ].concat(join(folder, 'program.ts')),
      { encoding: 'utf8', cwd: folder },
    );
    return stdout;
  }

  test('let a page compile that uses them, and refuse one that uses what is not there', async (t) => {
    const page = (event: string): string => `
      import { Device, type Call, type ClientError } from './client.js';
      const device = new Device('token', { direct: true, rtcConfiguration: { iceServers: [] } });
      device.on('incoming', (call: Call) => call.accept()).on('error', (error: ClientError) => console.log(error.code));
      await device.register();
      const call = await device.connect({ params: { To: 'jenny' } });
      call.once('${event}', () => call.sendDigits('1'));
      const sid: string = call.sendMessage({ content: 1 });
      console.log(sid, (await call.getStatistics())?.packetsLost);`;
    assert.equal(await compiled(t, page('accept')), '');
    assert.match(await compiled(t, page('accepted')), /TS2345.*"accepted"/);
  });

  test('say nothing that the client does not keep', async (t) => {
    const client = JSON.stringify(join(root, 'src/client/browser/client.ts'));
    const program = `
      import * as real from ${client};
      import type * as told from './client.js';
      export const device: new (...options: ConstructorParameters<typeof told.Device>) => told.Device = real.Device;
      export const error = (made: real.ClientError): told.ClientError => made;
      export const options = (wanted: told.DeviceOptions): real.DeviceOptions => wanted;
      type Shown<Type> = { [Name in keyof Type]: Type[Name] };
      export const call = (made: real.Call): Shown<told.Call> => made;`;
    assert.equal(await compiled(t, program), '');
  });
});
