import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Chromium } from './chromium.ts';
import { PhonePage } from './phone-page.ts';
import type { Scope } from './scope.ts';
import { servePage } from './serve-page.ts';

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
`;
