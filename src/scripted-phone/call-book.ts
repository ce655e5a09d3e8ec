import type { PhoneCall } from './phone-call.ts';
import type { PhoneHappening, Transcript } from './transcript.ts';

/** The calls of one phone network, and what happens that no single phone sees. */
export class CallBook {
  readonly calls: PhoneCall[] = [];
  readonly #transcript: Transcript;

  constructor(transcript: Transcript) {
    this.#transcript = transcript;
  }

  /** Number of the call that what happens now belongs to; 0 before the first. */
  get current(): number {
    return this.calls.find((call) => !call.ended)?.number ?? this.calls.at(-1)?.number ?? 0;
  }

  tell(happened: PhoneHappening): void {
    this.reserve()(happened);
  }

  /** As Transcript.reserve, in the current call. */
  reserve(): (happened: PhoneHappening) => void {
    const tell = this.#transcript.reserve(this.current);
    return (happened) => {
      tell(happened);
      for (const call of this.calls) call.changed();
    };
  }
}
