import type { Hearing, SoundName } from './hearing.ts';

/** What one party has heard, and how far its expectations have looked: each looks behind what the one before it found. */
export class HeardSounds {
  readonly #heard: Hearing[] = [];
  readonly #begun: SoundName[] = [];
  #heardBefore = 0;
  #begunBefore = 0;

  begins(name: SoundName): void {
    this.#begun.push(name);
  }

  ends(hearing: Hearing): void {
    this.#heard.push(hearing);
  }

  /** Whether this was heard to its end; it may run over several sounds in a row. */
  findWhole(what: string | RegExp): boolean {
    const past = endOf(what, this.#heard, this.#heardBefore);
    if (past === undefined) return false;
    this.#heardBefore = past;
    this.#begunBefore = Math.max(this.#begunBefore, past);
    return true;
  }

  /** Whether a sound with this text began. */
  findBegun(what: string | RegExp): boolean {
    const at = this.#begun.findIndex(({ text }, index) => index >= this.#begunBefore && matches(what, text));
    if (at < 0) return false;
    this.#begunBefore = at + 1;
    return true;
  }

  /** How many sounds have begun. */
  get begunCount(): number {
    return this.#begun.length;
  }

  /** The texts of those that began after the first `count`. */
  begunAfter(count: number): readonly string[] {
    return this.#begun.slice(count).map(({ text }) => text);
  }

  /** What was heard where something else was expected, in words. */
  get instead(): string {
    const rest = this.#heard.slice(this.#heardBefore);
    return rest.length === 0 ? 'heard nothing' : `heard ${rest.map(inWords).join(', ')}`;
  }
}

function normal(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().toLowerCase();
}

function matches(what: string | RegExp, text: string): boolean {
  return typeof what === 'string' ? normal(text).includes(normal(what)) : what.test(text);
}

/** One past the sound with which `what` was heard, from `from` on. */
function endOf(what: string | RegExp, heard: readonly Hearing[], from: number): number | undefined {
  let joined = '';
  for (let index = from; index < heard.length; index += 1) {
    const { outcome, text } = heard[index] as Hearing;
    joined = outcome === 'whole' ? `${joined} ${text}` : '';
    if (joined !== '' && matches(what, joined.trim())) return index + 1;
  }
  return undefined;
}

function inWords({ text, outcome, heardMs }: Hearing): string {
  if (outcome === 'whole') return `"${text}"`;
  if (outcome === 'cut') return `"${text}" (cut after ${(heardMs / 1000).toFixed(1)} s)`;
  return `nothing of "${text}", which was played`;
}
