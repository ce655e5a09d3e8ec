/** Turns text into a sound file. Keyed by text, voice, rate and engine version; the same request gives the same path. */
export interface SpeechEngine {
  /** `espeak-ng 1.51`, `flite 2.2`, `espeak-ng wasm 0.3.5`. */
  readonly name: string;
  /** Path of a WAV (mono). Rejects with SpeechError `failed` or `too-long`. `language` is a BCP 47 tag. */
  speak(request: SpeechRequest): Promise<string>;
}

export interface SpeechRequest {
  readonly text: string;
  /** The text is well-formed SSML with one root element, not plain text. */
  readonly ssml?: boolean;
  /** Voice name as TwiML says it (`alice`, `man`, `woman`, `Polly.Joanna`); unknown names fall back by language. */
  readonly voice?: string;
  readonly language?: string;
}
