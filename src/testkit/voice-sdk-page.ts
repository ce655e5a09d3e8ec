import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Chromium } from './chromium.ts';
import { PhonePage } from './phone-page.ts';
import type { Scope } from './scope.ts';
import { servePage } from './serve-page.ts';

/** What the SDK's own test of a connection says, as far as tests look. */
export interface PreflightReport {
  readonly callSid: string;
  readonly isTurnRequired: boolean | null;
  readonly samples: readonly object[];
  readonly networkTiming: { readonly signaling?: { readonly duration?: number } };
}

// The package's exports do not name it.
const BUNDLE = join(import.meta.dirname, '../../node_modules/@twilio/voice-sdk/dist/twilio.min.js');

/** A page with the vendor's unmodified browser SDK. */
export async function openVoiceSdkPage(
  scope: Scope,
  chromium: Chromium,
  options: { readonly soundsUrl?: string } = {},
): Promise<PhonePage> {
  const url = await servePage(scope, {
    html: '<!doctype html><title>VoIP</title><script src="/twilio.min.js"></script>',
    script: { path: '/twilio.min.js', bytes: readFileSync(BUNDLE) },
  });
  return PhonePage.open(await chromium.open(url), scriptOf(options.soundsUrl ?? ''));
}

/** Runs the SDK's test of a connection to its end. */
export async function preflight({ page }: PhonePage, token: string, options: object): Promise<PreflightReport> {
  return page.evaluate(`voice.preflight(${JSON.stringify(token)}, ${JSON.stringify(options)})`);
}

const scriptOf = (soundsUrl: string): string => `
voice.device = (token, options) => {
  const { Device } = Twilio;
  const soundsUrl = ${JSON.stringify(soundsUrl)};
  const names = ['disconnect', 'incoming', 'outgoing', 'dtmfh', 'dtmfs', ...Array.from({ length: 10 }, (_, key) => 'dtmf' + key)];
  const sounds = soundsUrl === '' ? {} : Object.fromEntries(names.map((name) => [name, soundsUrl + '/' + name + '.mp3']));
  const device = new Device(token, { sounds, ...options });
  // Else a steady tone is taken for noise and suppressed.
  device.audio.setAudioConstraints({ echoCancellation: false, noiseSuppression: false, autoGainControl: false });
  voice.listen(device);
};
voice.preflight = (token, options) => new Promise((resolve, reject) => {
  const test = Twilio.Device.runPreflight(token, options);
  test.on('completed', (report) => resolve(JSON.parse(JSON.stringify(report))));
  test.on('failed', (error) => reject(new Error('preflight failed: ' + error.code + ' ' + error.message)));
});
`;
