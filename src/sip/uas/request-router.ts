import type { HoldBack } from '../../base/hold-back.ts';
import { ACCEPT, ALLOW, SUPPORTED } from '../abilities.ts';
import type { Gatekeeper } from '../auth/gatekeeper.ts';
import type { Realms } from '../auth/realms.ts';
import { contactFor, type SipCore } from '../core.ts';
import type { TokenBuckets } from '../limits/token-buckets.ts';
import type { ReceivedRequest } from '../received-request.ts';
import type { Registrar } from '../registrar/registrar.ts';
import type { TransactionUser } from '../transaction/transaction-layer.ts';
import type { Flow } from '../transport/hop.ts';
import type { Admission, IncomingCall, SipLimitName } from '../user-agent.ts';
import { Answers } from './answers.ts';
import { CallerAuthentication } from './caller-authentication.ts';
import { InviteRequests } from './invite-requests.ts';
import { Lookups } from './lookups.ts';
import { MessageRequests, type MessageHandler } from './message-requests.ts';
import { RegisterRequests } from './register-requests.ts';
import { StrangerGuard } from './stranger-guard.ts';

export interface RequestRouterOptions {
  readonly core: SipCore;
  readonly gatekeeper: Gatekeeper;
  readonly registrar: Registrar;
  readonly admission: Admission;
  readonly realms: Realms;
  /** New calls of known callers, one bucket for all: strangers cannot use it up. */
  readonly callRate: TokenBuckets;
  /** Calls without credentials, by address: each costs a challenge. */
  readonly strangerRate: TokenBuckets;
  /** Wrong passwords, by address. */
  readonly guesses: HoldBack;
  /** Requests of nobody known, by transport and address: whoever forges the address of a datagram harms no connection. */
  readonly strangers: HoldBack;
  readonly maxDialogs: number;
  readonly maxLookups?: number;
  onRefused(limit: SipLimitName): void;
}

/** Gives each new request to its place, in the order of RFC 3261 8.2 (the codec's validator has passed it). */
export class RequestRouter implements TransactionUser {
  readonly #core: SipCore;
  readonly #answers: Answers;
  readonly #guard: StrangerGuard;
  readonly #lookups: Lookups;
  readonly #registers: RegisterRequests;
  readonly #invites: InviteRequests;
  readonly #messages: MessageRequests;

  constructor(options: RequestRouterOptions) {
    const { core } = options;
    const answers = new Answers(options);
    const guard = new StrangerGuard({ ...options, answers });
    const lookups = new Lookups(core.tasks, options.maxLookups);
    const authentication = new CallerAuthentication({ ...options, guard, answers });
    const parts = { ...options, layer: core.layer, authentication, lookups, guard, answers };
    this.#core = core;
    this.#answers = answers;
    this.#guard = guard;
    this.#lookups = lookups;
    this.#registers = new RegisterRequests(parts);
    this.#invites = new InviteRequests(parts);
    this.#messages = new MessageRequests(parts);
  }

  onCall(handler: (call: IncomingCall) => void): void {
    this.#invites.onCall(handler);
  }

  onMessage(handler: MessageHandler): void {
    this.#messages.onMessage(handler);
  }

  /** Takes no more calls and messages. */
  drain(): void {
    this.#invites.drain();
    this.#messages.drain();
  }

  request(request: ReceivedRequest): void {
    if (request.method === 'CANCEL') return this.#invites.cancel(request);
    if (this.#core.layer.isFull) return this.#answers.busy(request, 'sip-transactions');
    if (request.toTag !== undefined) return this.#inDialog(request);
    if (this.#lookups.isFull) return this.#answers.busy(request, 'sip-transactions');
    if (this.#guard.dropsScanner(request)) return;
    switch (request.method) {
      case 'REGISTER':
        return this.#registers.receive(request);
      case 'INVITE':
        return this.#invites.receive(request);
      case 'MESSAGE':
        return this.#messages.receive(request);
      case 'OPTIONS':
        // The same for everybody, and nothing to remember.
        return this.#guard.answer(request, 200, [ACCEPT, ALLOW, SUPPORTED, contactFor(request.flow)]);
      case 'REFER':
        // Transfers are asked for within a call.
        return this.#guard.answer(request, 403);
      default:
        return this.#guard.answer(request, 481);
    }
  }

  ack(request: ReceivedRequest): void {
    this.#core.dialogs.find(request)?.acknowledge(request);
  }

  answersBroken(flow: Flow): boolean {
    return this.#guard.answersBroken(flow);
  }

  #inDialog(request: ReceivedRequest): void {
    const { layer, dialogs } = this.#core;
    const user = dialogs.find(request);
    if (user === undefined) return this.#guard.answer(request, 481);
    user.receive(request, layer.accept(request));
  }
}
