import type { Chromium } from './chromium.ts';
import { PhonePage } from './phone-page.ts';
import type { Scope } from './scope.ts';
import { servePage } from './serve-page.ts';

/** A page of an application elsewhere that imports the browser client from the server. */
export async function openClientPage(scope: Scope, chromium: Chromium, server: string): Promise<PhonePage> {
  const page = await chromium.open(await servePage(scope, { html: '<!doctype html><title>client</title>' }));
  return PhonePage.open(page, scriptOf(server));
}

// Else a steady tone is taken for noise and suppressed.
const scriptOf = (server: string): string => `
voice.device = async (token, options) => {
  const { Device } = await import('${server}/client.js');
  const audioConstraints = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const device = new Device(token, { audioConstraints, ...options });
  voice.listen(device);
};
`;
