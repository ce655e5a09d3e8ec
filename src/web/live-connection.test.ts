import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { VirtualClock } from '../base/virtual-clock.ts';
import { LiveConnection, SILENCE_MS, type EventStream } from './live-connection.ts';

class FakeStream implements EventStream {
  readonly path: string;
  isClosed = false;
  event: (name: string, data: string) => void = () => undefined;
  error: () => void = () => undefined;

  constructor(path: string) {
    this.path = path;
  }

  onEvent(handler: FakeStream['event']): void {
    this.event = handler;
  }

  onError(handler: () => void): void {
    this.error = handler;
  }

  close(): void {
    this.isClosed = true;
  }
}

const START = 1_800_000_000_000;
const SNAPSHOT = JSON.stringify({ now: START + 60_000, calls: [], watched: null });

function scene({ isRefused = false } = {}) {
  const clock = new VirtualClock(START);
  const streams: FakeStream[] = [];
  const live = new LiveConnection({
    clock,
    isRefused: async () => isRefused,
    open: (path) => {
      const stream = new FakeStream(path);
      streams.push(stream);
      return stream;
    },
  });
  live.start();
  const newest = (): FakeStream => streams.at(-1) as FakeStream;
  return { clock, streams, live, newest, state: () => live.state.get() };
}

suite('the connection to the server', () => {
  test('is live once everything has come', () => {
    const { newest, state } = scene();
    assert.equal(state().connection, 'connecting');
    newest().event('snapshot', SNAPSHOT);
    assert.equal(state().connection, 'live');
    assert.ok(state().calls.isKnown);
  });

  test('tells what time it is there', () => {
    const { live, newest } = scene();
    assert.equal(live.time.get(), START);
    newest().event('snapshot', SNAPSHOT);
    assert.equal(live.time.get(), START + 60_000);
  });

  test('is closed while nobody sees the page, however long, and opened when somebody does', async () => {
    const { clock, streams, live, newest, state } = scene();
    newest().event('snapshot', SNAPSHOT);
    live.rest();
    assert.ok(newest().isClosed);
    live.watch('CA1');
    await clock.advance(SILENCE_MS * 3);
    assert.deepEqual([streams.length, state().connection], [1, 'live']);
    live.wake();
    assert.deepEqual([streams.length, newest().path], [2, '/console/events?watch=CA1']);
    assert.equal(state().connection, 'live', 'what was let go is not told as lost');
  });

  test('that was lost is not tried again while nobody sees the page', async () => {
    const { clock, streams, live, newest } = scene();
    newest().isClosed = true;
    newest().error();
    await clock.advance(0);
    live.rest();
    await clock.advance(SILENCE_MS);
    assert.equal(streams.length, 1);
  });

  test('that says nothing for long is taken for dead and opened anew', async () => {
    const { clock, streams, newest, state } = scene();
    newest().event('snapshot', SNAPSHOT);
    await clock.advance(SILENCE_MS - 1000);
    newest().event('beat', '{}');
    assert.equal(streams.length, 1);
    await clock.advance(SILENCE_MS + 10_000);
    assert.ok(streams.length > 1);
    assert.equal(state().connection, 'lost');
  });

  test('that the browser gave up is tried again; what an old stream still says counts for nothing', async () => {
    const { clock, streams, newest, state } = scene();
    const old = newest();
    old.isClosed = true;
    old.error();
    assert.equal(state().connection, 'lost');
    await clock.advance(5000);
    assert.equal(streams.length, 2);
    old.event('snapshot', SNAPSHOT);
    assert.equal(state().connection, 'lost');
    newest().event('snapshot', SNAPSHOT);
    assert.equal(state().connection, 'live');
  });

  test('that the door refuses asks for credentials, and not again', async () => {
    const { clock, streams, newest, state } = scene({ isRefused: true });
    newest().isClosed = true;
    newest().error();
    await clock.advance(SILENCE_MS * 3);
    assert.equal(state().connection, 'refused');
    assert.equal(streams.length, 1);
  });

  test('stopped and started for somebody else, it is refused no more and shows nothing of before', async () => {
    const { clock, live, newest, state } = scene({ isRefused: true });
    newest().event('snapshot', SNAPSHOT);
    newest().isClosed = true;
    newest().error();
    await clock.advance(0);
    assert.equal(state().connection, 'refused');
    live.stop();
    assert.deepEqual([state().connection, state().calls.isKnown], ['connecting', false]);
    live.start();
    newest().event('snapshot', SNAPSHOT);
    assert.equal(state().connection, 'live');
  });

  test('names the call that is watched, and begins anew for another', () => {
    const { live, newest } = scene();
    live.watch('CA1');
    assert.equal(newest().path, '/console/events?watch=CA1');
    live.watch(undefined);
    assert.equal(newest().path, '/console/events');
  });
});
