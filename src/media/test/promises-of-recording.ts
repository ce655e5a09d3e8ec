import assert from 'node:assert/strict';
import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { secondsOfTone } from '../../testkit/sound-measure.ts';
import { tone, heardOf, assertTone, openPair, withoutTelephoneEvents, type Promised } from './compliance-world.ts';

export function recording(promise: Promised): void {
  promise('records after a beep that the party hears and the recording does not hold', async (world, folder) => {
    const { a, b } = await openPair(world);
    const atPhone = a.record({ path: join(folder, 'phone.wav') });
    const recorded = b.record({ path: join(folder, 'b.wav'), beep: true, maxLengthMs: 500 });
    void a.play([tone(600, 2_000)]);
    const result = await world.settle(recorded.done);
    atPhone.stop();
    await world.settle(atPhone.done);
    assert.deepEqual(result, { endedBy: 'max-length', durationMs: 500, channels: 1 });
    assertTone(world, { heard: heardOf(join(folder, 'phone.wav')), hertz: 1_000, seconds: 0.15 });
    assert.equal(secondsOfTone(heardOf(join(folder, 'b.wav')), 1_000), 0);
  });

  promise('ends after silence', async (world, folder) => {
    const { a, b } = await openPair(world);
    const path = join(folder, 'b.wav');
    const recorded = b.record({ path, silenceMs: 600 });
    void a.play([tone(600, 400)]);
    const result = await world.settle(recorded.done);
    assert.equal(result.endedBy, 'silence');
    assert.ok(result.durationMs >= 950 && result.durationMs <= 1_250, `${result.durationMs} ms`);
  });

  promise('keeps nothing of nothing but silence', async (world, folder) => {
    const { b } = await openPair(world);
    const path = join(folder, 'b.wav');
    const result = await world.settle(b.record({ path, silenceMs: 400 }).done);
    assert.deepEqual(result, { endedBy: 'silence', durationMs: 0, channels: 1 });
    assert.equal(existsSync(path), false);
  });

  promise('cuts silence at both ends when asked', async (world, folder) => {
    const { a, b } = await openPair(world);
    const path = join(folder, 'b.wav');
    const recorded = b.record({ path, trim: true, silenceMs: 1_000 });
    void a.play([{ kind: 'silence', durationMs: 600 }, tone(600, 500)]);
    const { durationMs } = await world.settle(recorded.done);
    assert.ok(durationMs >= 500 && durationMs <= 1_150, `${durationMs} ms`);
    assertTone(world, { heard: heardOf(path), hertz: 600, seconds: 0.4 });
  });

  promise('ends at a key and keeps nothing of its sound', async (world, folder) => {
    const { a, b } = await openPair(world, withoutTelephoneEvents);
    const path = join(folder, 'b.wav');
    const recorded = b.record({ path, finishOnKey: '#' });
    await world.settle(a.play([tone(600, 600)]).done);
    void a.sendDigits('5w#');
    const result = await world.settle(recorded.done);
    assert.deepEqual([result.endedBy, result.digit], ['key', '#']);
    const heard = heardOf(path);
    assertTone(world, { heard: heard, hertz: 600, seconds: 0.5 });
    const tail = heard.subarray(heard.length - 400);
    assert.ok(
      tail.every((sample) => Math.abs(sample) < 0.01),
      'the key is heard at the end',
    );
  });

  promise('leaves out what is said while it is paused', async (world, folder) => {
    const { a, b } = await openPair(world);
    const path = join(folder, 'b.wav');
    const recorded = b.record({ path });
    void a.play([tone(600, 3_000)]);
    await world.pass(300);
    recorded.pause();
    await world.pass(400);
    recorded.resume();
    await world.pass(300);
    recorded.stop();
    const { durationMs, endedBy } = await world.settle(recorded.done);
    assert.equal(endedBy, 'stop');
    assert.ok(durationMs >= 450 && durationMs <= 800, `${durationMs} ms`);
  });

  promise('records both directions left and right, beside another recording', async (world, folder) => {
    const { a, b } = await openPair(world);
    const path = join(folder, 'call.wav');
    const call = b.record({ path, track: 'both', channels: 2 });
    const spoken = b.record({ path: join(folder, 'spoken.wav'), track: 'outbound', maxLengthMs: 400 });
    const plays = [a.play([tone(600, 500)]), b.play([tone(900, 500)])];
    await world.settle(Promise.all(plays.map((play) => play.done)));
    await world.pass(100);
    await world.settle(b.close());
    const result = await world.settle(call.done);
    assert.deepEqual([result.endedBy, result.channels], ['hangup', 2]);
    assertTone(world, { heard: heardOf(path, 0), hertz: 600, seconds: 0.4 });
    assertTone(world, { heard: heardOf(path, 1), hertz: 900, seconds: 0.4 });
    assert.equal(secondsOfTone(heardOf(path, 1), 600), 0);
    assert.equal((await world.settle(spoken.done)).durationMs, 400);
    assertTone(world, { heard: heardOf(join(folder, 'spoken.wav')), hertz: 900, seconds: 0.3 });
  });

  promise('fails on a full disk, and the call goes on', async (world, folder) => {
    const { a, b } = await openPair(world);
    const full = join(folder, 'full.wav');
    symlinkSync('/dev/full', full);
    const recorded = b.record({ path: full });
    const playback = a.play([tone(600, 500)]);
    await world.settle(playback.done);
    recorded.stop();
    const result = await world.settle(recorded.done);
    assert.deepEqual([result.endedBy, result.error, result.durationMs], ['failed', 'no-disk', 0]);
    const missing = await world.settle(b.record({ path: join(folder, 'no', 'folder.wav') }).done);
    assert.deepEqual([missing.endedBy, missing.error], ['failed', 'no-disk']);
    assert.equal((await world.settle(a.play([tone(600, 100)]).done)).outcome, 'completed');
  });
}
