// Run by turn.test.ts in a network of its own.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { RunningProcess } from '../../src/testkit/child-process.ts';
import { openClientPage } from '../../src/testkit/client-page.ts';
import { OWN_ADDRESS, settleInside } from '../../src/testkit/own-names.ts';
import { peer } from '../../src/testkit/peers.ts';
import { dominantHertz, shareAt } from '../../src/testkit/sound-measure.ts';
import { atEnd } from '../../src/testkit/scope.ts';
import { temporaryFolder } from '../../src/testkit/temporary-folder.ts';
import { openVoiceSdkPage } from '../../src/testkit/voice-sdk-page.ts';
import { encodeWav, mono, readWav, toneSamples } from '../../src/testkit/wav.ts';
import { startWorld, type Way } from '../voice-sdk/way.ts';

const SECRET = 'a-secret-of-two-servers';
const PORT = 3478;
const RELAY_PORTS = { from: 49_152, to: 50_151 } as const;
const CLEAR = 0.6;

interface Candidate {
  readonly candidateType: string;
  readonly address: string;
  readonly port: number;
}

/** The browser's own end of the path that the call's packets take. */
const CANDIDATE_IN_USE = `(async () => {
  const stats = new Map(await voice.connections[0].getStats());
  const transport = [...stats.values()].find((each) => each.type === 'transport');
  const { candidateType, address, port } = stats.get(stats.get(transport.selectedCandidatePairId).localCandidateId);
  return { candidateType, address, port };
})()`;

/** Kinds of the candidates that a connection gets which may use relays alone. */
const relayCandidates = (iceServers: readonly object[]): string => `(async () => {
  const connection = new RTCPeerConnection({ iceServers: ${JSON.stringify(iceServers)}, iceTransportPolicy: 'relay' });
  const kinds = [];
  connection.addTransceiver('audio');
  await new Promise((resolve) => {
    connection.onicecandidate = ({ candidate }) => {
      if (candidate === null) resolve();
      else if (candidate.candidate !== '') kinds.push(candidate.type);
    };
    connection.setLocalDescription();
  });
  connection.close();
  return kinds;
})()`;

/** Debian's coturn with the configuration that docs/turn.md shows, at this network's address. */
async function startCoturn(context: TestContext): Promise<RunningProcess> {
  const folder = temporaryFolder(context, 'coturn');
  const page = readFileSync(join(import.meta.dirname, '../../docs/turn.md'), 'utf8');
  const [, shown = ''] = /```conf\n([\s\S]*?)```/.exec(page) ?? [];
  assert.match(shown, /^denied-peer-ip=/m);
  const config = shown.replace(/203\.0\.113\.\d+/g, OWN_ADDRESS).replace('put-32-random-characters-here', SECRET);
  writeFileSync(join(folder, 'turnserver.conf'), config);
  const running = RunningProcess.start(peer('turnserver').path, [
    ...['-c', join(folder, 'turnserver.conf'), '--log-file', 'stdout', '--verbose'],
    ...['--pidfile', join(folder, 'pid'), '--userdb', join(folder, 'users')],
  ]);
  atEnd(context, async () => void (await running.end('SIGTERM')));
  await running.line(/listener opened on *: *10\.20\.30\.40:3478/i, { withinMs: 30_000 });
  return running;
}

const way: Way = {
  address: OWN_ADDRESS,
  serverFlags: [],
  browser: { resolver: 'system' },
  prepare: () => Promise.resolve(),
  deviceOptions: ({ https }) => ({ chunderw: new URL(https).host, publishEvents: false, logLevel: 'silent' }),
  soundsUrl: ({ https }) => `${https}/js/client/sounds/releases/1.0.0`,
  hosts: [OWN_ADDRESS],
};

test('a browser that may use nothing but the relay talks through it, with credentials that end', async (t) => {
  await settleInside(t);
  const coturn = await startCoturn(t);
  const url = `turn:${OWN_ADDRESS}:${PORT}?transport=udp`;
  const world = await startWorld(t, way, { turnUrls: [url], turnSecret: SECRET, turnTtl: 600 });
  const tone = encodeWav(toneSamples({ hertz: 600, seconds: 30 }));
  const toneUrl = world.application.on('/tone.wav', { type: 'audio/wav', body: tone });
  world.application.on(
    '/voice',
    `<Gather numDigits="1" finishOnKey="" timeout="20" action="/digits"><Play>${toneUrl}</Play></Gather>`,
  );
  world.application.on('/digits', '<Record action="/recorded" maxLength="2" playBeep="false" trim="do-not-trim"/>');
  world.application.on('/recorded', '<Hangup/>');
  const { iceServers } = await world.client.tokens.create({ ttl: 60 });
  const page = await openVoiceSdkPage(t, await world.browser(900, way.browser));
  await page.device(world.token('mike'), way.deviceOptions(world.tandem));

  await page.call({}, { rtcConfiguration: { iceServers, iceTransportPolicy: 'relay' } });
  await page.event('call', 'accept');
  const [at600 = 0] = await page.hears([600]);
  assert.ok(at600 > CLEAR, `hears 600 Hz with ${at600} of the power`);
  const used = (await page.run(CANDIDATE_IN_USE)) as Candidate;
  assert.equal(used.candidateType, 'relay', JSON.stringify(used));
  assert.equal(used.address, OWN_ADDRESS);
  assert.ok(used.port >= RELAY_PORTS.from && used.port <= RELAY_PORTS.to, `port ${used.port} is the relay's`);
  await page.run("voice.call_.sendDigits('5')");
  assert.equal((await world.application.request('/digits')).params['Digits'], '5');
  const { params } = await world.application.request('/recorded');
  const [recording] = await world.client.recordings.list({ callSid: params['CallSid'] ?? '' });
  const response = await world.tandem.fetch(`${recording?.uri.replace(/\.json$/, '')}.wav`);
  const sound = mono(readWav(new Uint8Array(await response.arrayBuffer())));
  assert.ok(Math.abs(dominantHertz(sound) - 900) < 10, `${dominantHertz(sound)} Hz in the recording`);
  assert.ok(shareAt(sound, 900) > 0.9, `${shareAt(sound, 900)} of the recording at 900 Hz`);
  await coturn.line(/ALLOCATE processed, success/);

  const relays = async (servers: readonly object[]): Promise<readonly string[]> =>
    (await page.run(relayCandidates(servers))) as readonly string[];
  const credentials = (secret: string, seconds: number): object => {
    const username = `${Math.floor(Date.now() / 1000) + seconds}:${world.tandem.ready.accountSid}`;
    return { urls: url, username, credential: createHmac('sha1', secret).update(username).digest('base64') };
  };
  // One for each of the browser's network cards.
  assert.deepEqual([...new Set(await relays([credentials(SECRET, 60)]))], ['relay']);
  assert.deepEqual(await relays([credentials(SECRET, -60)]), [], 'credentials that have ended get no relay');
  assert.deepEqual(await relays([credentials('another secret', 60)]), []);

  await t.test('the browser client does so by its rtcConfiguration', async () => {
    const rtcConfiguration = { iceServers, iceTransportPolicy: 'relay' };
    // The page is no secure context unless it comes from the loopback, as this one does.
    const own = await openClientPage(t, await world.browser(900, way.browser), world.tandem.http);
    await own.device(world.token('jenny'), { rtcConfiguration });
    await own.call({});
    await own.event('call', 'accept');
    assert.equal(await own.run('voice.call_.route'), 'webrtc');
    const [again600 = 0] = await own.hears([600]);
    assert.ok(again600 > CLEAR, `hears 600 Hz with ${again600} of the power`);
    const taken = (await own.run(CANDIDATE_IN_USE)) as Candidate;
    assert.equal(taken.candidateType, 'relay', JSON.stringify(taken));
    await own.run("voice.call_.sendDigits('5')");
    await own.event('call', 'disconnect');
  });
});
