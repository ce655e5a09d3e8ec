import type { Clock } from '../../base/clock.ts';
import type { SipRequest, SipResponse } from '../../wire/sip/message.ts';
import { serializeMessage } from '../../wire/sip/serialize.ts';
import { isReliable, type Flow } from '../transport/hop.ts';
import type { SipTimers } from '../timers.ts';
import { ArmedTimers } from './armed-timers.ts';
import { ackForFailure } from './ack.ts';
import {
  INVITE_CLIENT_START,
  stepInviteClient,
  type InviteClientEvent,
  type InviteClientState,
} from './invite-client.ts';
import type { TimerName, TransactionEffect } from './machine.ts';
import {
  NON_INVITE_CLIENT_START,
  stepNonInviteClient,
  type NonInviteClientEvent,
  type NonInviteClientState,
} from './non-invite-client.ts';

/** Who sent the request. Every response of the transaction arrives, `failed` at most once and then nothing more. */
export interface ClientUser {
  response(response: SipResponse): void;
  failed(cause: 'timeout' | 'transport'): void;
}

export interface ClientShell {
  readonly clock: Clock;
  readonly timers: SipTimers;
  /** False when the flow's connection is gone. */
  send(bytes: Uint8Array, flow: Flow): boolean;
  terminated(transaction: ClientTransaction): void;
}

type AnyEvent =
  | { readonly kind: 'start' | 'transport-error' }
  | { readonly kind: 'timer'; readonly timer: TimerName }
  | {
      readonly kind: 'response';
      readonly status: number;
    };

/** One request that leaves here, with its retransmissions (RFC 3261 17.1): the machines' timers, bytes and table entry. */
export class ClientTransaction {
  readonly key: string;
  readonly request: SipRequest;
  readonly flow: Flow;
  readonly #bytes: Uint8Array;
  readonly #user: ClientUser;
  readonly #shell: ClientShell;
  readonly #timers: ArmedTimers<TimerName>;
  #state: InviteClientState | NonInviteClientState;
  #ack: Uint8Array | undefined;
  #cancelled = false;
  #answered = false;

  /** Throws SipSerializeError when the request cannot be written. */
  constructor(options: {
    readonly key: string;
    readonly request: SipRequest;
    readonly flow: Flow;
    readonly user: ClientUser;
    readonly shell: ClientShell;
  }) {
    this.key = options.key;
    this.request = options.request;
    this.flow = options.flow;
    this.#user = options.user;
    this.#shell = options.shell;
    this.#timers = new ArmedTimers(this.#shell.clock, (timer) => this.#feed({ kind: 'timer', timer }));
    this.#bytes = serializeMessage(options.request);
    this.#state = options.request.method === 'INVITE' ? INVITE_CLIENT_START : NON_INVITE_CLIENT_START;
  }

  /** RFC 3261 9.1: a CANCEL may follow a provisional response, and only that. */
  get mayCancel(): boolean {
    return this.request.method === 'INVITE' && this.#state.name === 'proceeding';
  }

  get isOver(): boolean {
    return this.#state.name === 'terminated';
  }

  /** Marks that its CANCEL left, so that no second one does. */
  markCancelled(): void {
    this.#cancelled = true;
  }

  get wasCancelled(): boolean {
    return this.#cancelled;
  }

  start(): void {
    this.#feed({ kind: 'start' });
  }

  receive(response: SipResponse): void {
    if (response.status >= 200) this.#answered = true;
    this.#feed({ kind: 'response', status: response.status }, response);
  }

  transportFailed(): void {
    this.#feed({ kind: 'transport-error' });
  }

  /** Ends the transaction; a user that still waits for a final response is told that none comes. */
  drop(): void {
    if (this.isOver) return;
    this.#terminate();
    if (!this.#answered) this.#user.failed('transport');
  }

  #feed(event: AnyEvent, response?: SipResponse): void {
    const context = { timers: this.#shell.timers, reliable: isReliable(this.flow.transport) };
    const step =
      this.request.method === 'INVITE'
        ? stepInviteClient(this.#state as InviteClientState, event as InviteClientEvent, context)
        : stepNonInviteClient(this.#state as NonInviteClientState, event as NonInviteClientEvent, context);
    this.#state = step.state;
    for (const effect of step.effects) this.#perform(effect, response);
  }

  #perform(effect: TransactionEffect, response: SipResponse | undefined): void {
    switch (effect.kind) {
      case 'send-request':
        return this.#send(this.#bytes);
      case 'send-ack':
        if (response !== undefined) this.#ack ??= serializeMessage(ackForFailure(this.request, response));
        if (this.#ack !== undefined) this.#send(this.#ack);
        return;
      case 'deliver':
        if (response !== undefined) this.#user.response(response);
        return;
      case 'arm':
        return this.#arm(effect.timer, effect.afterMs);
      case 'disarm':
        this.#timers.cancel(effect.timer);
        return;
      case 'fail':
        return this.#user.failed(effect.cause);
      case 'terminate':
        return this.#terminate();
      case 'send-response':
        throw new Error('a client transaction sends no response');
    }
  }

  #send(bytes: Uint8Array): void {
    if (!this.#shell.send(bytes, this.flow)) this.transportFailed();
  }

  #arm(timer: TimerName, afterMs: number): void {
    if (this.#state.name === 'terminated') return;
    this.#timers.arm(timer, afterMs);
  }

  #terminate(): void {
    this.#state = { name: 'terminated' };
    this.#timers.clear();
    this.#shell.terminated(this);
  }
}
