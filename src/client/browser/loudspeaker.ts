/** Plays one stream at a time. */
export class Loudspeaker {
  readonly #element = new Audio();
  readonly #abort = new AbortController();

  get stream(): MediaStream | undefined {
    return this.#element.srcObject instanceof MediaStream ? this.#element.srcObject : undefined;
  }

  play(stream: MediaStream | undefined): void {
    if (this.stream === stream) return;
    this.#element.srcObject = stream ?? null;
    if (stream !== undefined) this.#start();
  }

  close(): void {
    this.#abort.abort();
    this.#element.pause();
    this.#element.srcObject = null;
  }

  #start(): void {
    this.#element.play().catch(() => {
      // A page that was never clicked may not make sound (autoplay policy): the first touch starts it.
      const again = { once: true, signal: this.#abort.signal };
      for (const event of ['pointerdown', 'keydown']) document.addEventListener(event, () => this.#start(), again);
    });
  }
}
