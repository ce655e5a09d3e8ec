/** What a sound is to the one who hears it. */
export interface SoundName {
  readonly how: 'say' | 'play' | 'beep' | 'tone' | 'person';
  /** The text of a Say, the URL of a Play. */
  readonly text: string;
}

export interface Hearing extends SoundName {
  /** `whole`: to its end; `cut`: it was stopped on the way; `missing`: it was played and did not arrive. */
  readonly outcome: 'whole' | 'cut' | 'missing';
  /** How much of it was heard. */
  readonly heardMs: number;
}
