import type { DirectStep } from '../../wire/webphone/client-message.ts';

/** One of two browsers that may speak past the server. */
export interface DirectSide {
  sendDirect(step: DirectStep): void;
  /** Its leg here sends nothing while it hears the other browser. */
  rest(resting: boolean): void;
  /** One handler; undefined takes it back. */
  onDirect(handler: ((step: DirectStep) => void) | undefined): void;
}

/**
 * Two browsers on their way to sound without the server between them. They tell each other how by their signalling; when
 * both are connected both are told to use it. Whatever goes wrong, and whenever the server is to hear again, both are told
 * `down` and speak to their legs, which have stayed as they were.
 */
export class DirectTalk {
  readonly #sides: readonly [DirectSide, DirectSide];
  readonly #connected = new Set<DirectSide>();
  #over = false;

  /** The first side makes the offer. */
  constructor(sides: readonly [DirectSide, DirectSide]) {
    this.#sides = sides;
    for (const side of sides) side.onDirect((step) => this.#take(step, side));
    sides[0].sendDirect({ kind: 'start' });
  }

  get isInUse(): boolean {
    return !this.#over && this.#connected.size === 2;
  }

  /** Sound comes by the server again. */
  stop(): void {
    this.#end(this.#sides);
  }

  #take(step: DirectStep, from: DirectSide): void {
    const [offerer, answerer] = this.#sides;
    const other = from === offerer ? answerer : offerer;
    switch (step.kind) {
      case 'offer':
        if (from === offerer) other.sendDirect(step);
        return;
      case 'answer':
        if (from === answerer) other.sendDirect(step);
        return;
      case 'up':
        if (this.isInUse) return;
        this.#connected.add(from);
        if (this.isInUse) this.#use();
        return;
      case 'down':
        this.#end([other]);
        return;
      case 'start':
        // The server's to say.
        return;
      default:
        step satisfies never;
    }
  }

  #use(): void {
    for (const side of this.#sides) {
      side.sendDirect({ kind: 'up' });
      side.rest(true);
    }
  }

  #end(told: readonly DirectSide[]): void {
    if (this.#over) return;
    this.#over = true;
    for (const side of this.#sides) {
      side.onDirect(undefined);
      side.rest(false);
    }
    for (const side of told) side.sendDirect({ kind: 'down' });
  }
}
