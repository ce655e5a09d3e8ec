import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { TARGET_NAMES, TARGETS, type TargetName } from './all-targets.ts';
import { fuzz, type Finding } from './fuzz.ts';
import type { FuzzTarget } from './fuzz-target.ts';

const SEED = 20_261_126;
/** A second or two of each; the long runs are `npm run fuzz` (docs/fuzzing.md). */
const EXECUTIONS: Readonly<Record<TargetName, number>> = {
  'sip-datagram': 1200,
  'sip-stream': 1200,
  'sip-values': 3000,
  sdp: 3000,
  rtp: 8000,
  twiml: 3000,
  wav: 1500,
  mp3: 60,
  form: 8000,
  api: 400,
  control: 600,
  config: 1500,
  signalling: 8000,
  token: 3000,
  script: 4000,
};

const shown = ({ reason, input, execution }: Finding): string =>
  `input ${execution}: ${reason}\n${Buffer.from(input.subarray(0, 1000)).toString('base64')}`;

suite('untrusted bytes, in a short run of the fuzzer,', () => {
  for (const name of TARGET_NAMES) {
    test(`break nothing in ${name}`, async () => {
      const target = await TARGETS[name]();
      try {
        const { findings, executions } = await fuzz(target, {
          seed: SEED,
          executions: EXECUTIONS[name],
          guided: false,
        });
        assert.deepEqual(findings.map(shown), []);
        assert.ok(executions >= EXECUTIONS[name]);
      } finally {
        await target.close?.();
      }
    });
  }
});

suite('the fuzzer', () => {
  const target = (check: FuzzTarget['check']): FuzzTarget => ({
    name: 'own',
    covers: '/conformance/fuzz/',
    corpus: [Buffer.from('hello 1')],
    words: ['magic'],
    repetitions: [{ unit: 'a' }],
    maxBytes: 1000,
    maxMs: 20,
    check,
  });

  test('finds an input that throws, once for each place', async () => {
    const { findings } = await fuzz(
      target((bytes) => {
        if (Buffer.from(bytes).includes('magic')) throw new RangeError('found');
      }),
      { seed: 1, executions: 2000 },
    );
    assert.equal(findings.length, 1);
    assert.match(findings[0]?.reason ?? '', /^found/);
    assert.ok(Buffer.from(findings[0]?.input ?? []).includes('magic'));
  });

  test('finds an input that takes too long', async () => {
    const { findings } = await fuzz(
      target((bytes) => {
        // Quadratic: a thousand bytes take ten million steps.
        let steps = 0;
        for (let round = 0; round < bytes.length * bytes.length * 40; round += 1) steps += round & 1;
        assert.ok(steps >= 0);
      }),
      { seed: 1, executions: 3 },
    );
    assert.match(findings[0]?.reason ?? '', /^took \d+ ms: want at most 20/);
    assert.equal(findings[0]?.input.length, 1000);
  });

  test('keeps inputs that reach code which was not reached before', async () => {
    const wav = await TARGETS.wav();
    const { kept, blocks, findings } = await fuzz(wav, { seed: 1, executions: 500 });
    assert.deepEqual(findings.map(shown), []);
    assert.ok(kept > 0 && blocks > 50, `${kept} kept, ${blocks} blocks`);
  });

  test('tries the same inputs for the same seed', async () => {
    const inputsOf = async (seed: number): Promise<string> => {
      const seen: string[] = [];
      await fuzz(
        target((bytes) => void seen.push(Buffer.from(bytes).toString('hex'))),
        { seed, executions: 500 },
      );
      return seen.join(' ');
    };
    assert.equal(await inputsOf(7), await inputsOf(7));
    assert.notEqual(await inputsOf(7), await inputsOf(8));
  });
});
