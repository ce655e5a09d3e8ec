import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { MediaBridge, MediaLeg, Playback, SoundSource } from '../../media/media-node.ts';
import type { LiveCall } from './live-call.ts';

/** What a caller hears before somebody answers: ringback, or the sound that the first callee sends early. */
export class WhileRinging {
  readonly #caller: LiveCall;
  readonly #log: Logger;
  #ringback: Playback | undefined;
  #early: Promise<MediaBridge | undefined> | undefined;

  /** Ringback is played to an answered caller only: an unanswered one makes its own. */
  constructor(caller: LiveCall, ringback: SoundSource | undefined, log: Logger) {
    this.#caller = caller;
    this.#log = log;
    if (ringback !== undefined && caller.party?.answered === true)
      this.#ringback = caller.media?.play([ringback], { loop: 0 });
  }

  earlyMedia(leg: MediaLeg): void {
    const { media, party } = this.#caller;
    if (this.#early !== undefined || media === undefined || media.node !== leg.node) return;
    this.#ringback?.stop();
    party?.earlyMedia();
    // The callee does not hear the caller before it has answered.
    this.#early = media.node.bridge([media, leg], { listeners: [media] }).catch((error: unknown) => {
      this.#log.info({ callSid: this.#caller.call.sid, error: errorText(error) }, 'early media was not joined');
      return undefined;
    });
  }

  async stop(): Promise<void> {
    this.#ringback?.stop();
    const bridge = await this.#early;
    await bridge?.close().catch(() => undefined);
  }
}
