import type { Clock } from '../../base/clock.ts';
import { ArmedTimers } from './armed-timers.ts';
import type { SipResponse } from '../../wire/sip/message.ts';
import type { ReceivedRequest } from '../received-request.ts';
import { isReliable } from '../transport/hop.ts';
import type { SipTimers } from '../timers.ts';
import {
  INVITE_SERVER_START,
  stepInviteServer,
  type InviteServerEvent,
  type InviteServerState,
} from './invite-server.ts';
import type { TimerName, TransactionEffect } from './machine.ts';
import {
  NON_INVITE_SERVER_START,
  stepNonInviteServer,
  type NonInviteServerEvent,
  type NonInviteServerState,
} from './non-invite-server.ts';

export interface ServerShell {
  readonly clock: Clock;
  readonly timers: SipTimers;
  /** Writes a response; undefined when it cannot be written (it was logged). */
  serialize(response: SipResponse, request: ReceivedRequest): Uint8Array | undefined;
  reply(bytes: Uint8Array, request: ReceivedRequest): void;
  /** All that is left to do is to repeat this answer until timer J (17.2.2): the transaction gives up its place. */
  completed(transaction: ServerTransaction, answer: Uint8Array): void;
  terminated(transaction: ServerTransaction): void;
}

type AnyEvent =
  | { readonly kind: 'request' | 'ack' | 'transport-error' }
  | { readonly kind: 'respond'; readonly status: number }
  | { readonly kind: 'timer'; readonly timer: TimerName };

/** One request that came here, with the answers to it (RFC 3261 17.2): the machines' timers, bytes and table entry. */
export class ServerTransaction {
  readonly key: string;
  readonly request: ReceivedRequest;
  readonly #shell: ServerShell;
  readonly #timers: ArmedTimers<TimerName>;
  #state: InviteServerState | NonInviteServerState;
  #response: Uint8Array | undefined;
  #finalStatus: number | undefined;
  #onFailed: (cause: 'timeout' | 'transport') => void = () => undefined;

  constructor(request: ReceivedRequest, shell: ServerShell) {
    this.key = request.key;
    this.request = request;
    this.#shell = shell;
    this.#timers = new ArmedTimers(shell.clock, (timer) => this.#feed({ kind: 'timer', timer }));
    this.#state = request.method === 'INVITE' ? INVITE_SERVER_START : NON_INVITE_SERVER_START;
  }

  /** Status of the final response, once there is one. */
  get finalStatus(): number | undefined {
    return this.#finalStatus;
  }

  /** No ACK came for a failure response, or it could not be sent. */
  onFailed(handler: (cause: 'timeout' | 'transport') => void): void {
    this.#onFailed = handler;
  }

  /** Sends a response. After a final one only a repeat of a 2xx to INVITE is sent, the rest is ignored. */
  respond(response: SipResponse): void {
    if (this.#finalStatus !== undefined && response.status < 200) return;
    const bytes = this.#shell.serialize(response, this.request);
    if (bytes === undefined) return;
    if (this.#finalStatus === undefined || this.#state.name === 'accepted') this.#response = bytes;
    if (response.status >= 200) this.#finalStatus ??= response.status;
    this.#feed({ kind: 'respond', status: response.status });
  }

  /** The request came again. */
  repeat(): void {
    this.#feed({ kind: 'request' });
  }

  /** True when this ACK ended a failure response; false when it acknowledges a 2xx and belongs to the dialog. */
  acknowledge(): boolean {
    if (this.#state.name === 'accepted') return false;
    this.#feed({ kind: 'ack' });
    return true;
  }

  drop(): void {
    this.#terminate();
  }

  #feed(event: AnyEvent): void {
    const context = { timers: this.#shell.timers, reliable: isReliable(this.request.flow.transport) };
    const step =
      this.request.method === 'INVITE'
        ? stepInviteServer(this.#state as InviteServerState, event as InviteServerEvent, context)
        : stepNonInviteServer(this.#state as NonInviteServerState, event as NonInviteServerEvent, context);
    this.#state = step.state;
    for (const effect of step.effects) this.#perform(effect);
  }

  #perform(effect: TransactionEffect): void {
    switch (effect.kind) {
      case 'send-response':
        if (this.#response !== undefined) this.#shell.reply(this.#response, this.request);
        return;
      case 'arm':
        return this.#arm(effect.timer, effect.afterMs);
      case 'disarm':
        this.#timers.cancel(effect.timer);
        return;
      case 'fail':
        return this.#onFailed(effect.cause);
      case 'terminate':
        return this.#terminate();
      case 'deliver':
        return;
      case 'send-request':
      case 'send-ack':
        throw new Error('a server transaction sends no request');
    }
  }

  #arm(timer: TimerName, afterMs: number): void {
    if (this.#state.name === 'terminated') return;
    const answer = this.#response;
    if (timer === 'J' && afterMs > 0 && answer !== undefined) this.#shell.completed(this, answer);
    else this.#timers.arm(timer, afterMs);
  }

  #terminate(): void {
    this.#state = { name: 'terminated' };
    this.#timers.clear();
    this.#shell.terminated(this);
  }
}
