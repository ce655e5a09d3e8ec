import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import twilio from 'twilio';
import { Baresip } from '../src/testkit/baresip.ts';
import { Chromium } from '../src/testkit/chromium.ts';
import { everyPeer } from '../src/testkit/peers.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';
import { temporaryFolder } from '../src/testkit/temporary-folder.ts';
import { VoiceSdkPage } from '../src/testkit/voice-sdk-page.ts';
import { encodeWav, toneSamples } from '../src/testkit/wav.ts';
import { WebApplication } from '../src/testkit/web-application.ts';

const TONE_SECONDS = 120;
const CLEAR = 0.6;
const SILENT = 0.1;

/** A place whose clients talk by an application, with the tokens that the server SDK makes. */
class World {
  readonly context: TestContext;
  readonly tandem: Tandem;
  readonly application: WebApplication;
  readonly client: ReturnType<typeof twilio>;
  readonly key: { readonly sid: string; readonly secret: string };
  readonly applicationSid: string;

  private constructor(parts: Pick<World, 'context' | 'tandem' | 'application' | 'client' | 'key' | 'applicationSid'>) {
    this.context = parts.context;
    this.tandem = parts.tandem;
    this.application = parts.application;
    this.client = parts.client;
    this.key = parts.key;
    this.applicationSid = parts.applicationSid;
  }

  static async start(context: TestContext, config: object = {}): Promise<World> {
    const tandem = await Tandem.start(context, { config: { ...config } });
    const application = await WebApplication.start(context);
    application.authToken = tandem.ready.authToken;
    const client = twilio(tandem.ready.accountSid, tandem.ready.authToken);
    client.api.baseUrl = tandem.http;
    const { sid, secret } = await client.newKeys.create({ friendlyName: 'browser' });
    const made = await client.applications.create({ friendlyName: 'VoT', voiceUrl: `${application.url}/voice` });
    return new World({ context, tandem, application, client, key: { sid, secret }, applicationSid: made.sid });
  }

  token(identity: string, { ttl = 3600, secret = this.key.secret }: { ttl?: number; secret?: string } = {}): string {
    const { AccessToken } = twilio.jwt;
    const token = new AccessToken(this.tandem.ready.accountSid, this.key.sid, secret, { identity, ttl });
    token.addGrant(new AccessToken.VoiceGrant({ incomingAllow: true, outgoingApplicationSid: this.applicationSid }));
    return token.toJwt();
  }

  /** A browser of its own, whose microphone says this tone. */
  async browser(hertz: number): Promise<Chromium> {
    const path = join(temporaryFolder(this.context, 'microphone'), 'tone.wav');
    writeFileSync(path, encodeWav(toneSamples({ hertz, seconds: TONE_SECONDS })));
    return Chromium.start(this.context, {
      flags: [`--use-file-for-fake-audio-capture=${path}`, '--ignore-certificate-errors'],
    });
  }

  /** The SDK's Device in a page, by its own options alone. */
  async device(identity: string, hertz: number): Promise<VoiceSdkPage> {
    const page = await VoiceSdkPage.open(this.context, await this.browser(hertz));
    await page.device(this.token(identity), this.options);
    return page;
  }

  get options(): object {
    return {
      chunderw: new URL(this.tandem.https).host,
      publishEvents: false,
      logLevel: 'silent',
      closeProtection: false,
    };
  }
}

suite('the unmodified Voice SDK', everyPeer('chromium', 'baresip'), () => {
  test('registers, calls its application with its parameters, hears and is heard, and sends keys', async (t) => {
    const world = await World.start(t);
    const tone = world.application.on('/tone.wav', {
      type: 'audio/wav',
      body: encodeWav(toneSamples({ hertz: 600, seconds: 30 })),
    });
    world.application.on(
      '/voice',
      `<Gather numDigits="3" finishOnKey="" timeout="20" action="/digits"><Play>${tone}</Play></Gather>`,
    );
    world.application.on('/digits', '<Record action="/recorded" maxLength="2" playBeep="false" trim="do-not-trim"/>');
    world.application.on('/recorded', '<Hangup/>');
    const page = await world.device('mike', 900);
    await page.register();
    await page.call({ To: '+15551234', team: 'red' });
    await page.event('call', 'accept');
    const asked = await world.application.request('/voice');
    assert.ok(asked.signed);
    const { From, To, team, ApplicationSid, Direction, CallStatus } = asked.params;
    assert.deepEqual(
      { From, To, team, ApplicationSid, Direction, CallStatus },
      {
        ...{ From: 'client:mike', To: '+15551234', team: 'red', ApplicationSid: world.applicationSid },
        ...{ Direction: 'inbound', CallStatus: 'ringing' },
      },
    );
    const [at600 = 0] = await page.hears([600]);
    assert.ok(at600 > CLEAR, `hears 600 Hz with ${at600} of the power`);
    await page.run("voice.call_.sendDigits('1#7')");
    assert.equal((await world.application.request('/digits')).params['Digits'], '1#7');
    const recorded = await world.application.request('/recorded');
    assert.equal(recorded.params['RecordingDuration'], '2');
    await page.event('call', 'disconnect');
  });
});

void Baresip;
void SILENT;
