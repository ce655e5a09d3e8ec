import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { seededRandom, systemRandom } from '../../base/random.ts';
import { loadMasterKey } from './master-key.ts';
import { openSecrets } from './secrets.ts';

describe('secrets', () => {
  const random = seededRandom(1);
  const secrets = openSecrets(random.bytes(32), random);

  it('what was sealed opens again, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (clear) => {
        assert.equal(secrets.open(secrets.seal(clear, 'place'), 'place'), clear);
      }),
    );
  });

  it('the same secret is sealed differently each time', () => {
    assert.notEqual(secrets.seal('token', 'place'), secrets.seal('token', 'place'));
  });

  it('a secret does not open in another place, with another key, or altered', () => {
    const text = secrets.seal('token', 'account.auth_token');
    const wrong = { code: 'wrong-key' };
    assert.throws(() => secrets.open(text, 'trunk.password'), wrong);
    assert.throws(() => openSecrets(random.bytes(32), random).open(text, 'account.auth_token'), wrong);
    const altered = text.slice(0, -1) + (text.endsWith('A') ? 'B' : 'A');
    assert.throws(() => secrets.open(`${altered}AA`, 'account.auth_token'), wrong);
    for (const bad of ['', 'v1.', 'v1.AAAA', 'v2.AAAA', 'token']) assert.throws(() => secrets.open(bad, 'p'), wrong);
  });

  it('a key of another length is refused', () => {
    assert.throws(() => openSecrets(new Uint8Array(16), random), { code: 'bad-master-key' });
  });
});

describe('the master key file', () => {
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'tandem-key-'))));
  after(() => rm(folder, { recursive: true }));

  it('is made once, for its owner only, and read again', async () => {
    const key = await loadMasterKey(join(folder, 'new'), systemRandom);
    assert.deepEqual(await loadMasterKey(join(folder, 'new'), systemRandom), key);
    assert.equal((await stat(join(folder, 'new', 'master.key'))).mode & 0o777, 0o600);
  });

  it('is refused when others may read it', async () => {
    await loadMasterKey(join(folder, 'open'), systemRandom);
    await chmod(join(folder, 'open', 'master.key'), 0o644);
    await assert.rejects(loadMasterKey(join(folder, 'open'), systemRandom), { code: 'bad-master-key' });
  });

  it('is refused when it is damaged, and not made anew', async () => {
    await writeFile(join(folder, 'master.key'), 'abc', { mode: 0o600 });
    await assert.rejects(loadMasterKey(folder, systemRandom), { code: 'bad-master-key' });
  });
});
