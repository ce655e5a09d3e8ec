import assert from 'node:assert/strict';
import type { PhonePage } from '../src/testkit/phone-page.ts';
import { encodeWav, toneSamples } from '../src/testkit/wav.ts';
import { CLEAR, type World } from './browser-world.ts';

/** Mike's page calls its application with parameters, hears it, presses `keys`, is recorded, and is hung up. */
export async function callsItsApplication(
  world: World,
  page: PhonePage,
  { keys, arriveAs = keys }: { readonly keys: string; readonly arriveAs?: string },
): Promise<void> {
  const { application } = world;
  const body = encodeWav(toneSamples({ hertz: 600, seconds: 30 }));
  const tone = application.on('/tone.wav', { type: 'audio/wav', body });
  const gather = `<Gather numDigits="${arriveAs.length}" finishOnKey="" timeout="20" action="/digits">`;
  application.on('/voice', `${gather}<Play>${tone}</Play></Gather>`);
  // Trimmed of silence: nothing would be left of a call that carries none.
  application.on('/digits', '<Record action="/recorded" maxLength="2" playBeep="false" trim="trim-silence"/>');
  application.on('/recorded', '<Hangup/>');
  await page.register();
  await page.call({ To: '+15551234', team: 'red' });
  await page.event('call', 'ringing');
  await page.event('call', 'accept');
  const asked = await application.request('/voice');
  assert.ok(asked.signed);
  const { From, To, team, ApplicationSid, Direction, CallStatus, CallSid } = asked.params;
  assert.deepEqual(
    { From, To, team, ApplicationSid, Direction, CallStatus },
    {
      ...{ From: 'client:mike', To: '+15551234', team: 'red', ApplicationSid: world.applicationSid },
      ...{ Direction: 'inbound', CallStatus: 'ringing' },
    },
  );
  assert.equal(await page.run('voice.call_.parameters.CallSid'), CallSid);
  const [at600 = 0] = await page.hears([600]);
  assert.ok(at600 > CLEAR, `hears 600 Hz with ${at600} of the power`);
  await page.run(`voice.call_.sendDigits(${JSON.stringify(keys)})`);
  assert.equal((await application.request('/digits')).params['Digits'], arriveAs);
  assert.equal((await application.request('/recorded')).params['RecordingDuration'], '2');
  await page.event('call', 'disconnect');
  assert.equal(await page.run('voice.call_.status()'), 'closed');
}
