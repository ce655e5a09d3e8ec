import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { test, type TestContext } from 'node:test';
import { peer } from '../src/testkit/peers.ts';
import { audioFigures } from './audio-figures.ts';
import { RtpLoad } from './rtp-load.ts';

const LOOPBACK = '127.0.0.1';
const WINDOW_MS = 1500;

/** Passes packets on to a port, except those that `drops` names by their place in the stream. */
async function relay(t: TestContext, to: number, drops: (place: number) => boolean): Promise<Socket> {
  const socket = createSocket('udp4');
  t.after(async () => void socket.close());
  let place = 0;
  socket.on('message', (packet: Buffer, _from: RemoteInfo) => {
    place += 1;
    if (!drops(place)) socket.send(packet, to, LOOPBACK);
  });
  await new Promise<void>((resolve) => socket.bind(0, LOOPBACK, resolve));
  return socket;
}

test(
  'five packets that a relay swallows are heard as five gaps, and only by the one behind it',
  peer('gcc').options,
  async (t) => {
    const load = await RtpLoad.start(t, 2);
    const [zero = 0, one = 0] = load.ports;
    let first = Infinity;
    let seen = 0;
    const lossy = await relay(t, one, (place) => {
      seen = place;
      return place >= first && place < first + 5;
    });
    const clean = await relay(t, zero, () => false);
    load.send(0, { address: LOOPBACK, port: lossy.address().port });
    load.send(1, { address: LOOPBACK, port: clean.address().port });
    const capturing = load.measure(WINDOW_MS);
    await new Promise<void>((resolve) => lossy.once('message', () => resolve()));
    first = seen + 20;
    const capture = await capturing;

    const behindIt = audioFigures(capture, [{ leg: 1, hears: 0 }]);
    assert.equal(behindIt.lost, 5);
    assert.ok(behindIt.gaps >= 5, `${behindIt.gaps} gaps`);
    assert.ok(behindIt.delayMs.max < WINDOW_MS && behindIt.delayMs.p50 >= 0, JSON.stringify(behindIt.delayMs));
    const other = audioFigures(capture, [{ leg: 0, hears: 1 }]);
    assert.equal(other.lost, 0);
    assert.equal(behindIt.strangers + other.strangers, 0);
    assert.ok(other.sent > 60 && other.sent <= 76, `${other.sent} packets in ${WINDOW_MS} ms`);
  },
);
