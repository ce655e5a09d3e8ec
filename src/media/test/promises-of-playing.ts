import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeToneWav } from '../../testkit/wav.ts';
import { tone, heardOf, keysOf, assertTone, connect, openEnds, openPair, type Promised } from './compliance-world.ts';

export function playing(promise: Promised): void {
  promise('plays sources one after another, files too, as long as they last', async (world, folder) => {
    const path = join(folder, 'tone.wav');
    writeToneWav(path, { hertz: 900, seconds: 0.5, sampleRate: 44_100 });
    const { a, b } = await openPair(world);
    const heard = join(folder, 'heard.wav');
    const recording = b.record({ path: heard });
    const played = await world.settle(
      a.play([tone(600, 400), { kind: 'silence', durationMs: 200 }, { kind: 'file', path }]).done,
    );
    await world.pass(150);
    recording.stop();
    await world.settle(recording.done);
    assert.equal(played.outcome, 'completed');
    assert.ok(Math.abs(played.playedMs - 1_100) <= 20, `${played.playedMs} ms`);
    assertTone(world, { heard: heardOf(heard), hertz: 600, seconds: 0.3 });
    assertTone(world, { heard: heardOf(heard), hertz: 900, seconds: 0.4 });
  });

  promise('sends digits in their place between two sources', async (world) => {
    const { a, eventsOfB } = await openPair(world);
    const played = await world.settle(a.play([tone(600, 100), { kind: 'digits', digits: '12' }, tone(600, 100)]).done);
    await world.pass(100);
    assert.equal(played.outcome, 'completed');
    assert.equal(played.playedMs, 600);
    assert.equal(keysOf(eventsOfB), '12');
  });

  promise('repeats as often as asked, and for ever until stopped', async (world) => {
    const { a } = await openPair(world);
    const thrice = await world.settle(a.play([tone(600, 100)], { loop: 3 }).done);
    assert.deepEqual(thrice, { outcome: 'completed', playedMs: 300 });
    const forever = a.play([tone(600, 100)], { loop: 0 });
    await world.pass(450);
    forever.stop();
    const { outcome, playedMs } = await world.settle(forever.done);
    assert.equal(outcome, 'stopped');
    assert.ok(playedMs >= 200 && playedMs <= 600, `${playedMs} ms`);
  });

  promise('replaces what is played by what is played next', async (world) => {
    const { a } = await openPair(world);
    const first = a.play([tone(600, 5_000)]);
    await world.pass(200);
    const second = a.play([tone(900, 100)]);
    assert.equal((await world.settle(first.done)).outcome, 'stopped');
    assert.equal((await world.settle(second.done)).outcome, 'completed');
  });

  promise('says what is wrong with a file that is no sound, and goes on', async (world, folder) => {
    const path = join(folder, 'text.txt');
    writeFileSync(path, 'not a sound');
    const { a } = await openPair(world);
    const failed = await world.settle(a.play([{ kind: 'file', path }]).done);
    assert.equal(failed.outcome, 'failed');
    assert.equal(failed.error, 'bad-audio');
    assert.match(failed.message ?? '', /text\.txt/);
    assert.equal((await world.settle(a.play([tone(600, 100)]).done)).outcome, 'completed');
  });

  promise('ends with nothing to play, even for ever', async (world) => {
    const { a } = await openPair(world);
    assert.deepEqual(await world.settle(a.play([]).done), { outcome: 'completed', playedMs: 0 });
    const empty = a.play([{ kind: 'silence', durationMs: 0 }], { loop: 0 });
    assert.deepEqual(await world.settle(empty.done), { outcome: 'completed', playedMs: 0 });
  });

  promise('waits with playing until it is known where to send', async (world) => {
    const { a, b } = await openEnds(world);
    const playback = a.play([tone(600, 200)]);
    await world.pass(300);
    void world.join?.(a, b);
    await connect(a, b);
    assert.deepEqual(await world.settle(playback.done), { outcome: 'completed', playedMs: 200 });
    await world.pass(50);
    assert.ok((await world.settle(b.statistics())).packetsReceived >= 10);
  });

  promise('stops with the leg', async (world) => {
    const { a } = await openPair(world);
    const playback = a.play([tone(600, 5_000)]);
    const more = a.sendDigits('1234567890');
    await world.pass(100);
    await world.settle(a.close());
    assert.equal((await world.settle(playback.done)).outcome, 'stopped');
    assert.equal((await world.settle(more.done)).outcome, 'stopped');
  });
}
