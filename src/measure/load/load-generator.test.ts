import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { LoadGenerator, type GeneratedLoad } from './load-generator.ts';
import type { Scenario } from './scenario.ts';
import { Tally, type TallyView } from './tally.ts';

const START_MS = 1_000;
const SECOND_MS = 1_000;
const HOLD_SECONDS = 2;
/** Until then SIP waits for an answer (64*T1, and a little) to what was asked in the first second. */
const GIVEN_UP_MS = 36_000;

class Run {
  readonly clock = new VirtualClock(START_MS);
  readonly tally = new Tally();
  readonly interrupted = new AbortController();
  readonly gone = new AbortController();
  #result: GeneratedLoad | undefined;

  /** Ten calls a second for a second. */
  start(work: Scenario['work'], maxOpen = 100): void {
    const generator = new LoadGenerator({
      load: {
        kind: 'calls',
        target: { url: 'http://127.0.0.1:1', accountSid: '', authToken: '' },
        ratePerSecond: 10,
        durationSeconds: 1,
        spacing: 'even',
        sources: 1,
        allowFailedPercent: 0,
        remoteIsMine: false,
        transport: 'udp',
        holdSeconds: HOLD_SECONDS,
        sound: false,
      },
      clock: this.clock,
      random: systemRandom,
      tally: this.tally,
      stop: AbortSignal.any([this.interrupted.signal, this.gone.signal]),
      gone: this.gone.signal,
    });
    const scenario: Scenario = { maxOpen, work, finish: () => Promise.resolve({ figures: {}, faults: [] }) };
    void generator.run(scenario).then((result) => (this.#result = result));
  }

  /** Undefined while it goes on. */
  get result(): GeneratedLoad | undefined {
    return this.#result;
  }

  get told(): TallyView {
    return this.tally.view();
  }
}

const never = (): Promise<void> => new Promise(() => undefined);

test('waits for open work no longer than SIP and the call itself would', async () => {
  const run = new Run();
  run.start(never);
  await run.clock.advance(GIVEN_UP_MS + (HOLD_SECONDS - 1) * SECOND_MS);
  assert.equal(run.result?.askedMs, undefined);
  await run.clock.advance(SECOND_MS);
  assert.deepEqual([run.told.asked, run.result?.askedMs], [10, 1_000]);
});

test('does not wait for a server that is gone, even when the run was interrupted before', async () => {
  const run = new Run();
  run.start(never);
  await run.clock.advance(450);
  run.interrupted.abort();
  await run.clock.advance(1_000);
  assert.equal(run.result?.askedMs, undefined);
  run.gone.abort();
  await run.clock.advance(0);
  assert.equal(run.result?.askedMs, 450);
});

test('work that is left out, and work that fails in the tool itself, are failures by their name', async () => {
  const run = new Run();
  run.start((index) => (index < 2 ? Promise.reject(new Error('no socket')) : never()), 3);
  await run.clock.advance(GIVEN_UP_MS + HOLD_SECONDS * SECOND_MS);
  assert.equal(run.result?.skipped, 5);
  assert.deepEqual(run.told.failures, { 'left out by the generator': 5, 'the tool: no socket': 2 });
});
