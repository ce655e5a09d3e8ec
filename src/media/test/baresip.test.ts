import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import { it } from 'node:test';
import { Baresip } from '../../testkit/baresip.ts';
import { peer } from '../../testkit/peers.ts';
import { claimPorts } from '../../testkit/port-block.ts';
import { atEnd, type Scope } from '../../testkit/scope.ts';
import { dominantHertz, secondsOfTone } from '../../testkit/sound-measure.ts';
import { temporaryFolder } from '../../testkit/temporary-folder.ts';
import { mono, readWav } from '../../testkit/wav.ts';
import { openMediaNode } from '../child-node.ts';
import type { LegEvent, MediaLeg } from '../media-node.ts';

/** Just enough SIP to take one call from a phone: a media test wants no signalling of its own program in it. */
async function takeOneCall(scope: Scope, leg: MediaLeg): Promise<string> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  atEnd(scope, () => void socket.close());
  const address = `127.0.0.1:${socket.address().port}`;
  let answer: Promise<string> | undefined;
  socket.on('message', (bytes, from) => {
    const [head = '', offer = ''] = bytes.toString().split('\r\n\r\n');
    const [requestLine = '', ...lines] = head.split('\r\n');
    if (requestLine.startsWith('ACK')) return;
    const copied = lines.filter((line) => /^(Via|From|Call-ID|CSeq):/i.test(line));
    const to = `${lines.find((line) => /^To:/i.test(line)) ?? ''};tag=media`;
    const invite = requestLine.startsWith('INVITE');
    if (invite) answer ??= leg.answerOffer(offer);
    void Promise.resolve(invite ? answer : '').then((body = '') => {
      const headers = [...copied, to, `Contact: <sip:${address}>`, `Content-Length: ${body.length}`];
      if (invite) headers.push('Content-Type: application/sdp');
      socket.send(['SIP/2.0 200 OK', ...headers, '', body].join('\r\n'), from.port, from.address);
    });
  });
  return address;
}

it('talks with baresip: tones and keys both ways, nothing lost', peer('baresip').options, async (context) => {
  const { first, count } = await claimPorts(context);
  const node = await openMediaNode({
    maxLatenessMs: 1_000,
    maxBusy: 1,
    portRange: { low: first, high: first + count - 1 },
  });
  context.after(() => node.close());
  const leg = await node.openLeg({ kind: 'rtp', localAddress: '127.0.0.1', signallingPeer: '127.0.0.1' });
  const events: LegEvent[] = [];
  const lastKey = Promise.withResolvers<void>();
  leg.onEvent((event) => {
    events.push(event);
    if (event.kind === 'digit' && event.digit === '#') lastKey.resolve();
  });
  const address = await takeOneCall(context, leg);
  const phone = await Baresip.start(context, { user: '1001', server: address, register: false, hertz: 900 });
  await phone.dial(`sip:menu@${address}`);
  await phone.event('CALL_ESTABLISHED');

  const path = join(temporaryFolder(context, 'media'), 'phone.wav');
  const recording = leg.record({ path });
  const played = await leg.play([{ kind: 'tone', hertz: [600], durationMs: 2_000 }]).done;
  assert.deepEqual(played, { outcome: 'completed', playedMs: 2_000 });
  await leg.sendDigits('159#').done;
  await phone.press('0123456789*#');
  await lastKey.promise;
  recording.stop();
  await recording.done;
  const statistics = await leg.statistics();
  await phone.process.stdout.waitFor((line) => line.includes("'#' (end=1)"), { what: 'the last key at the phone' });
  await phone.hangup();
  await phone.event('CALL_CLOSED');

  assert.equal(phone.heardDigits, '159#');
  assert.equal(events.map((event) => (event.kind === 'digit' ? event.digit : '')).join(''), '0123456789*#');
  assert.ok(Math.abs(dominantHertz(mono(readWav(path))) - 900) < 10);
  assert.ok(secondsOfTone(phone.heard(), 600) >= 1.5, `${secondsOfTone(phone.heard(), 600)} s of 600 Hz`);
  assert.equal(secondsOfTone(phone.heard(), 900), 0);
  assert.equal(statistics.packetsLost, 0);
});
