import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { silentLogger } from '../../base/logger.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { WebphoneCall, WebphoneCallEvent } from '../../webphone/webphone.ts';
import type { SoundPath } from '../../wire/webphone/client-message.ts';
import { type ScriptedLeg, ScriptedMedia } from './test/scripted-media.ts';
import { WebphoneParty } from './webphone-party.ts';

/** The signalling of an answered call, which the test plays. */
class Page implements WebphoneCall {
  readonly callSid = 'CA1';
  readonly direct = false;
  /** Packets that it was sent over its socket. */
  readonly heard: Uint8Array[] = [];
  speak: (packet: Uint8Array) => void = () => assert.fail('nobody takes its packets');
  readonly frames = {
    send: (packet: Uint8Array) => void this.heard.push(packet),
    onFrame: (handler: (packet: Uint8Array) => void) => {
      this.speak = handler;
    },
  };
  #handler: (event: WebphoneCallEvent) => void = () => undefined;

  hangup(): void {}

  sendMessage(): boolean {
    return false;
  }

  sendDirect(): void {}

  onEvent(handler: (event: WebphoneCallEvent) => void): void {
    this.#handler = handler;
  }

  offers(sound: SoundPath): Promise<SoundPath | 'refused'> {
    return new Promise((resolve) => {
      this.#handler({ kind: 'offer', sound, answer: resolve, refuse: () => resolve('refused') });
    });
  }
}

async function talking(kind: 'webrtc' | 'rtp'): Promise<{ readonly page: Page; readonly leg: ScriptedLeg }> {
  const leg = await new ScriptedMedia(new VirtualClock(0)).openLeg({ kind, localAddress: '127.0.0.1' });
  const page = new Page();
  WebphoneParty.outgoing(page, leg, { log: silentLogger });
  return { page, leg: leg as ScriptedLeg };
}

suite('a browser that offers another path for its sound', () => {
  test('by ICE is answered by its leg', async () => {
    const { page, leg } = await talking('webrtc');
    assert.deepEqual(await page.offers({ kind: 'webrtc', sdp: 'v=0' }), { kind: 'webrtc', sdp: `answer of ${leg.id}` });
  });

  test('as frames has its leg take and give packets over the socket', async () => {
    const { page, leg } = await talking('webrtc');
    assert.deepEqual(await page.offers({ kind: 'frames' }), { kind: 'frames' });
    assert.match(leg.framesOffer ?? '', /PCMU\/8000/);
    page.speak(new Uint8Array(12));
    leg.say(new Uint8Array(172));
    assert.deepEqual([leg.pushed.length, page.heard.length], [1, 1]);
  });

  test('that its leg cannot take is refused', async () => {
    const { page } = await talking('rtp');
    assert.equal(await page.offers({ kind: 'frames' }), 'refused');
  });
});
