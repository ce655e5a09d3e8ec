import type { SpeechEngine } from '../media/speech.ts';
import type { SoundName } from './hearing.ts';
import { Webhooks, type FetchedSound, type WebhookSender } from '../comms/webhooks.ts';

/** A server that runs for months makes many sounds: the oldest names are forgotten. */
const MAX_NAMES = 10_000;

/** Which file holds what. */
export class NamedSounds {
  readonly #names = new Map<string, SoundName>();

  nameOf(path: string): SoundName {
    return this.#names.get(path) ?? { how: 'play', text: path };
  }

  /** The engine, its files named by their text. */
  speech(engine: SpeechEngine): SpeechEngine {
    return {
      name: engine.name,
      speak: async (request) => {
        const path = await engine.speak(request);
        const text = request.ssml === true ? request.text.replaceAll(/<[^>]*>/g, ' ') : request.text;
        this.name(path, { how: 'say', text: text.replaceAll(/\s+/g, ' ').trim() });
        return path;
      },
    };
  }

  name(path: string, name: SoundName): void {
    this.#names.delete(path);
    this.#names.set(path, name);
    const [oldest] = this.#names.keys();
    if (this.#names.size > MAX_NAMES && oldest !== undefined) this.#names.delete(oldest);
  }
}

/** Webhooks whose fetched sounds are named by their URL. */
export class NamingWebhooks extends Webhooks {
  readonly #sounds: NamedSounds;

  constructor(options: ConstructorParameters<typeof Webhooks>[0], sounds: NamedSounds) {
    super(options);
    this.#sounds = sounds;
  }

  override async fetchSound(url: string, sender: WebhookSender): Promise<FetchedSound> {
    const fetched = await super.fetchSound(url, sender);
    if (fetched.kind === 'file') this.#sounds.name(fetched.path, { how: 'play', text: url });
    return fetched;
  }
}
