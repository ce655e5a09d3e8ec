import assert from 'node:assert/strict';
import { test } from 'node:test';
import twilio from 'twilio';
import { Baresip } from '../src/testkit/baresip.ts';
import { everyPeer } from '../src/testkit/peers.ts';
import { align, dominantHertz, longestGapMs, secondsOfTone, shareAt } from '../src/testkit/sound-measure.ts';
import { speechReference } from '../src/testkit/speech-reference.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';
import { encodeWav, mono, readWav, toneSamples } from '../src/testkit/wav.ts';
import { WebApplication } from '../src/testkit/web-application.ts';

const TEXT =
  'Hello. This is the first call of Tandem. Please press all the keys of your telephone, one after the other.';
const KEYS = '0123456789*#';
const FROM = '+12025550100';
const PLAYED_SECONDS = 2;
const RECORDED_SECONDS = 3;

test(
  'unmodified Twilio code makes a real phone ring, speak, listen and record',
  everyPeer('baresip', 'espeak-ng'),
  async (t) => {
    const tandem = await Tandem.start(t, { config: { phones: [{ name: 'alice', password: 'secret' }] } });
    const application = await WebApplication.start(t);
    application.authToken = tandem.ready.authToken;
    const alice = await Baresip.start(t, { user: 'alice', server: tandem.sip, hertz: 900 });

    const client = twilio(tandem.ready.accountSid, tandem.ready.authToken);
    client.api.baseUrl = tandem.http;

    const tone = encodeWav(toneSamples({ hertz: 600, seconds: PLAYED_SECONDS }));
    const toneUrl = application.on('/tone.wav', { type: 'audio/wav', body: tone });
    // The redirection tells the test when the Say is over.
    const url = application.on('/answer', `<Say>${TEXT}</Say><Redirect>/keys</Redirect>`);
    application.on('/keys', `<Gather numDigits="${KEYS.length}" finishOnKey="" timeout="10" action="/digits"/>`);
    application.on(
      '/digits',
      `<Play>${toneUrl}</Play><Record action="/recorded" maxLength="${RECORDED_SECONDS}" playBeep="false" trim="do-not-trim"/>`,
    );
    application.on('/recorded', '<Hangup/>');

    const call = await client.calls.create({ to: `sip:alice@${tandem.sip}`, from: FROM, url });

    await t.test('the call is accepted with its properties', () => {
      assert.match(call.sid, /^CA[0-9a-f]{32}$/);
      assert.equal(call.status, 'queued');
      assert.equal(call.from, FROM);
      assert.equal(call.direction, 'outbound-api');
    });

    await t.test('the phone rings and is answered, and the application is asked for TwiML', async () => {
      await alice.event('CALL_ESTABLISHED');
      const { params, method } = await application.request('/answer');
      assert.equal(method, 'POST');
      assert.equal(params['CallSid'], call.sid);
      assert.equal(params['AccountSid'], tandem.ready.accountSid);
      assert.equal(params['CallStatus'], 'in-progress');
      assert.equal(params['Direction'], 'outbound-api');
      assert.equal(params['From'], FROM);
    });

    const reference = speechReference(t, TEXT);
    await t.test('every key of the phone reaches the application', async () => {
      await application.request('/keys', { withinMs: 20_000 });
      await alice.press(KEYS);
      const { params } = await application.request('/digits', { withinMs: 30_000 });
      assert.equal(params['Digits'], KEYS);
    });

    await t.test('the phone is recorded and hung up', async () => {
      const { params } = await application.request('/recorded', { withinMs: 20_000 });
      assert.match(params['RecordingSid'] ?? '', /^RE[0-9a-f]{32}$/);
      assert.equal(params['RecordingDuration'], String(RECORDED_SECONDS));
      await alice.event('CALL_CLOSED');
    });

    await t.test('what the phone heard is the speech of the engine, without a gap', () => {
      const heard = alice.heard();
      const { correlation, lag } = align(heard, reference);
      const gap = longestGapMs(heard, reference, lag);
      t.diagnostic(`speech: correlation ${correlation.toFixed(4)}, longest gap ${gap} ms`);
      assert.ok(correlation >= 0.9, `correlation ${correlation.toFixed(3)}, want at least 0.9`);
      assert.ok(gap <= 60, `a gap of ${gap} ms, want at most 60`);
    });

    await t.test('what the phone heard holds the 600 Hz of the played file', () => {
      const seconds = secondsOfTone(alice.heard(), 600);
      assert.ok(Math.abs(seconds - PLAYED_SECONDS) <= 0.2, `${seconds} s of 600 Hz, want ${PLAYED_SECONDS}`);
    });

    await t.test('the recording that the SDK finds holds the 900 Hz of the phone, and nothing else', async () => {
      const [recording, ...others] = await client.recordings.list({ callSid: call.sid });
      assert.equal(others.length, 0);
      assert.equal(recording?.status, 'completed');
      assert.equal(recording.source, 'RecordVerb');
      const response = await tandem.fetch(`${recording.uri.replace(/\.json$/, '')}.wav`);
      assert.equal(response.status, 200);
      const sound = mono(readWav(new Uint8Array(await response.arrayBuffer())));
      assert.ok(Math.abs(sound.length / 8000 - RECORDED_SECONDS) < 0.3, `${sound.length / 8000} s`);
      assert.ok(Math.abs(dominantHertz(sound) - 900) < 10, `${dominantHertz(sound)} Hz`);
      assert.ok(shareAt(sound, 900) > 0.9, `${shareAt(sound, 900)} of the energy at 900 Hz`);
    });

    await t.test('every request carried the signature that the SDK checks', () => {
      assert.ok(application.requests.all.length >= 5);
      assert.deepEqual(application.unsigned, []);
    });

    await t.test('the finished call says so', async () => {
      const { status, duration, startTime, endTime } = await client.calls(call.sid).fetch();
      assert.equal(status, 'completed');
      const seconds = (endTime.getTime() - startTime.getTime()) / 1000;
      assert.ok(Math.abs(Number(duration) - seconds) <= 1, `duration ${duration}, want about ${seconds}`);
    });
  },
);
