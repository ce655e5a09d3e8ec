import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import twilio from 'twilio';
import { Chromium, type ChromiumOptions } from '../src/testkit/chromium.ts';
import { eventually } from '../src/testkit/eventually.ts';
import type { PhonePage } from '../src/testkit/phone-page.ts';
import { Tandem, type TandemOptions } from '../src/testkit/tandem-process.ts';
import { temporaryFolder } from '../src/testkit/temporary-folder.ts';
import { encodeWav, toneSamples } from '../src/testkit/wav.ts';
import { WebApplication } from '../src/testkit/web-application.ts';

const TONE_SECONDS = 120;
/** Share of the heard power that a tone has when it is heard, and when it is not. */
export const CLEAR = 0.6;
export const SILENT = 0.1;

export interface WorldBrowserOptions extends ChromiumOptions {
  /** Takes the place's certificate unasked; default true. */
  readonly anyCertificate?: boolean;
}

/** A place whose clients talk by an application, with the tokens that the server SDK makes. */
export class World {
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

  static async start(context: TestContext, config: object = {}, options: TandemOptions = {}): Promise<World> {
    const tandem = await Tandem.start(context, { ...options, config: { ...config } });
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

  /** The steps of a call as the first page gets them. */
  async timeLine(sid: string): Promise<string> {
    const response = await fetch(`${this.tandem.http}/console/events?watch=${sid}`);
    let told = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      told += chunk;
      // The first event is the state of now; leaving the loop closes the stream.
      if (told.includes('\n\n')) break;
    }
    return told;
  }

  /** A browser of its own, whose microphone says this tone. */
  async browser(hertz: number, options: WorldBrowserOptions = {}): Promise<Chromium> {
    const path = join(temporaryFolder(this.context, 'microphone'), 'tone.wav');
    writeFileSync(path, encodeWav(toneSamples({ hertz, seconds: TONE_SECONDS })));
    const { anyCertificate = true, flags = [], ...others } = options;
    const ignoring = anyCertificate ? ['--ignore-certificate-errors'] : [];
    return Chromium.start(this.context, {
      ...others,
      flags: [`--use-file-for-fake-audio-capture=${path}`, ...ignoring, ...flags],
    });
  }
}

export async function statusOf(world: World, sid: string, wanted: string): Promise<void> {
  await eventually(async () => (await world.client.calls(sid).fetch()).status, {
    until: (status) => status === wanted,
    what: `${wanted} of ${sid}`,
  });
}

/** Looks of a second each: a machine that is busy may miss the first. */
const LOOKS = 4;

/** Mike says 900 Hz, jenny 600 Hz. */
export async function hearEachOther(mike: PhonePage, jenny: PhonePage): Promise<void> {
  let heard = '';
  for (let look = 0; look < LOOKS; look++) {
    const [[m600 = 0, m900 = 0], [j600 = 0, j900 = 0]] = (await Promise.all([
      mike.hears([600, 900]),
      jenny.hears([600, 900]),
    ])) as [number[], number[]];
    if (m600 > CLEAR && m900 < SILENT && j900 > CLEAR && j600 < SILENT) return;
    heard = `mike hears 600 Hz ${m600}, 900 Hz ${m900}; jenny hears 900 Hz ${j900}, 600 Hz ${j600}`;
  }
  assert.fail(heard);
}
