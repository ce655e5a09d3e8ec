import type { DirectStep } from '../wire/webphone/client-message.ts';
import type { DirectSound } from './ports.ts';

export interface DirectPathPorts {
  /** Tells the other browser, by the server. */
  send(step: DirectStep): void;
  /** The sound takes the direct way, or that by the server again. */
  changed(): void;
}

/**
 * This side of the way straight to the other browser. The server names who offers, carries the descriptions, and says
 * when both are connected; until then, and again when it or either side says `down`, sound goes by the server.
 */
export class DirectPath {
  readonly #ports: DirectPathPorts;
  sound: DirectSound | undefined;
  #inUse = false;
  /** Raised when a path is begun or given up: what an earlier one still brings is not meant for the next. */
  #attempt = 0;
  #open = false;

  constructor(ports: DirectPathPorts) {
    this.#ports = ports;
  }

  get isInUse(): boolean {
    return this.#inUse;
  }

  /** A step of the other side or of the server. */
  take(step: DirectStep): void {
    const { sound } = this;
    if (sound === undefined) return;
    switch (step.kind) {
      case 'start':
        this.#begin();
        this.#describe('offer', sound.offer());
        return;
      case 'offer':
        this.#begin();
        this.#describe('answer', sound.answer(step.sdp));
        return;
      case 'answer':
        if (this.#open) sound.accept(step.sdp).catch(() => this.leave());
        return;
      case 'up':
        if (this.#open && !this.#inUse) {
          sound.use();
          this.#inUse = true;
          this.#ports.changed();
        }
        return;
      case 'down':
        this.#stop();
        return;
      default:
        step satisfies never;
    }
  }

  /** What the browser says of the connection. */
  connection(state: 'up' | 'down'): void {
    if (!this.#open) return;
    if (state === 'up') this.#ports.send({ kind: 'up' });
    else this.leave();
  }

  /** This side goes by the server again. */
  leave(): void {
    if (!this.#open) return;
    this.#ports.send({ kind: 'down' });
    this.#stop();
  }

  close(): void {
    this.#open = false;
    this.#inUse = false;
    this.#attempt += 1;
    this.sound = undefined;
  }

  #begin(): void {
    this.#stop();
    this.#open = true;
  }

  #describe(kind: 'offer' | 'answer', description: Promise<string>): void {
    const attempt = this.#attempt;
    description.then(
      (sdp) => {
        if (attempt === this.#attempt) this.#ports.send({ kind, sdp });
      },
      () => {
        if (attempt === this.#attempt) this.leave();
      },
    );
  }

  #stop(): void {
    this.#attempt += 1;
    if (!this.#open) return;
    this.#open = false;
    this.sound?.stop();
    if (!this.#inUse) return;
    this.#inUse = false;
    this.#ports.changed();
  }
}
