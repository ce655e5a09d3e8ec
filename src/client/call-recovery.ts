import { after, type Cancel, type Clock } from '../base/clock.ts';
import { lostSocket } from './call-errors.ts';
import { ClientError } from './client-error.ts';
import { RECONNECT_MS, RESTART_EVERY_MS, SOUND_TIMEOUT_MS } from './limits.ts';

export interface CallRecoveryPorts {
  readonly clock: Clock;
  /** Socket or sound is lost, and looked for. */
  begun(error: ClientError): void;
  /** Both are there again. */
  recovered(): void;
  /** It took too long. */
  givenUp(error: ClientError): void;
  /** Of an answered call: not one packet has passed. Told again when none has by then by another way. */
  neverPassed(): void;
  /** Offers another ICE connection under the same call. */
  restartSound(): void;
}

/** What a call has lost, its socket or its sound, and how long it is looked for once the call was answered. */
export class CallRecovery {
  readonly #ports: CallRecoveryPorts;
  #lostSocket = false;
  #lostSound = false;
  /** Packets pass. */
  #soundUp = false;
  /** Given up before a packet passed. */
  #soundBlocked = false;
  /** Another way is taken, by the socket. */
  #goesOver = false;
  #opened = false;
  #begun = false;
  #closed = false;
  readonly #timers = new Map<'sound' | 'restart' | 'give-up', Cancel>();

  constructor(ports: CallRecoveryPorts) {
    this.#ports = ports;
  }

  get isSocketLost(): boolean {
    return this.#lostSocket;
  }

  /** Sound of an answered call is looked for. */
  get isSoundLost(): boolean {
    return this.#lostSound && this.#opened;
  }

  /** The call was answered. */
  opened(): void {
    if (this.#closed) return;
    this.#opened = true;
    if (this.#lostSound) this.#lookForSound();
    else if (this.#soundBlocked) this.#neverPassed();
    else if (!this.#soundUp) this.#arm('sound', SOUND_TIMEOUT_MS, () => this.#neverPassed());
  }

  socketLost(): void {
    this.#lostSocket = true;
    this.#begin(lostSocket());
  }

  /** The server has taken the call up on a new socket. */
  socketBack(): void {
    this.#lostSocket = false;
    this.#recovered();
  }

  soundUp(): void {
    this.#soundUp = true;
    this.#soundBlocked = false;
    this.#cancel('sound');
    this.#cancel('restart');
    if (!this.#lostSound) return;
    this.#lostSound = false;
    this.#recovered();
  }

  /** Of a call that only rings, early sound is looked for with the answer: no offer is taken before. */
  soundDown(): void {
    if (!this.#soundUp && !this.#lostSound) {
      this.#soundBlocked = true;
      if (this.#opened) this.#neverPassed();
      return;
    }
    this.#soundUp = false;
    if (this.#lostSound) return;
    this.#lostSound = true;
    if (this.#opened) this.#lookForSound();
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  /** Another way has the same time, and that for which the socket is lost besides. */
  #neverPassed(): void {
    this.#arm('sound', SOUND_TIMEOUT_MS, () => this.#neverPassed());
    if (this.#goesOver && this.#lostSocket) return;
    this.#goesOver = true;
    this.#ports.neverPassed();
  }

  #lookForSound(): void {
    this.#begin(new ClientError(53405, 'the sound broke off; another way is looked for'));
    this.#restart();
  }

  /** Tried until sound is there or the call is given up. */
  #restart(): void {
    if (!this.#lostSound) return;
    this.#arm('restart', RESTART_EVERY_MS, () => this.#restart());
    // Signalling first: without it nobody hears the offer.
    if (!this.#lostSocket) this.#ports.restartSound();
  }

  #begin(error: ClientError): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#arm('give-up', RECONNECT_MS, () => this.#ports.givenUp(error));
    this.#ports.begun(error);
  }

  #recovered(): void {
    if (this.#lostSocket || this.#lostSound || !this.#begun) return;
    this.#begun = false;
    this.#cancel('give-up');
    this.#ports.recovered();
  }

  #arm(name: 'sound' | 'restart' | 'give-up', delayMs: number, fn: () => void): void {
    this.#cancel(name);
    if (!this.#closed) this.#timers.set(name, after(this.#ports.clock, delayMs, fn));
  }

  #cancel(name: 'sound' | 'restart' | 'give-up'): void {
    this.#timers.get(name)?.();
    this.#timers.delete(name);
  }
}
