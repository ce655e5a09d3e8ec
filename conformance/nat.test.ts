import assert from 'node:assert/strict';
import { test } from 'node:test';
import twilio from 'twilio';
import { Baresip } from '../src/testkit/baresip.ts';
import { natNetwork, natOptions } from '../src/testkit/network-namespace.ts';
import { peer } from '../src/testkit/peers.ts';
import { dominantHertz, secondsOfTone, shareAt } from '../src/testkit/sound-measure.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';
import { encodeWav, mono, readWav, toneSamples } from '../src/testkit/wav.ts';
import { WebApplication } from '../src/testkit/web-application.ts';

const options = natOptions().skip === undefined ? peer('baresip').options : natOptions();
const NUMBER = '+12025550142';
const PLAYED_SECONDS = 2;
const RECORDED_SECONDS = 2;

test('sound flows both ways between the server and a phone behind a NAT', options, async (t) => {
  const { server, phone, testAddress } = await natNetwork(t);
  const application = await WebApplication.start(t, testAddress.fromServer);
  const tandem = await Tandem.start(t, {
    inside: server.inside,
    address: server.address,
    httpAddress: server.managementAddress,
    config: {
      lan: true,
      webhookAllow: [testAddress.fromServer],
      phones: [{ name: 'alice', password: 'secret' }],
      numbers: [{ phoneNumber: NUMBER, voiceUrl: `${application.url}/voice` }],
    },
  });
  application.authToken = tandem.ready.authToken;
  const alice = await Baresip.start(t, {
    user: 'alice',
    server: tandem.sip,
    hertz: 900,
    inside: phone.inside,
    address: phone.address,
    managementAddress: phone.managementAddress,
  });
  const client = twilio(tandem.ready.accountSid, tandem.ready.authToken);
  client.api.baseUrl = tandem.http;

  const tone = encodeWav(toneSamples({ hertz: 600, seconds: PLAYED_SECONDS }));
  const toneUrl = application.on('/tone.wav', { type: 'audio/wav', body: tone });
  application.on('/recorded', '<Hangup/>');
  const record = `<Record action="/recorded" maxLength="${RECORDED_SECONDS}" playBeep="false" trim="do-not-trim"/>`;
  const url = application.on('/voice', `<Play>${toneUrl}</Play>${record}`);

  const assertBothWays = async (callSid: string): Promise<void> => {
    const played = secondsOfTone(alice.heard(), 600);
    assert.ok(Math.abs(played - PLAYED_SECONDS) <= 0.3, `${played} s of 600 Hz at the phone, want ${PLAYED_SECONDS}`);
    const [recording] = await client.recordings.list({ callSid });
    const response = await tandem.fetch(`${recording?.uri.replace(/\.json$/, '')}.wav`);
    const sound = mono(readWav(new Uint8Array(await response.arrayBuffer())));
    assert.ok(Math.abs(dominantHertz(sound) - 900) < 10, `${dominantHertz(sound)} Hz in the recording`);
    assert.ok(shareAt(sound, 900) > 0.9, `${shareAt(sound, 900)} of the recording at 900 Hz`);
  };

  await t.test('when the server calls the phone', async () => {
    const { sid } = await client.calls.create({ to: `sip:alice@${tandem.sip}`, from: NUMBER, url });
    await application.request('/recorded', { withinMs: 20_000 });
    await alice.event('CALL_CLOSED');
    await assertBothWays(sid);
  });

  await t.test('when the phone calls the server', async () => {
    const [from, mark] = [alice.events.mark(), application.requests.mark()];
    await alice.dial(`sip:${NUMBER}@${tandem.sip}`);
    const { params } = await application.request('/recorded', { from: mark, withinMs: 20_000 });
    await alice.event('CALL_CLOSED', { from });
    await assertBothWays(params['CallSid'] ?? '');
  });

  assert.deepEqual(application.unsigned, []);
});
