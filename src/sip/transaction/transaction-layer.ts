import type { Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { sameEndpoint } from '../../base/network.ts';
import { randomHex, type Random } from '../../base/random.ts';
import type { SipHeader, SipMessage, SipRequest, SipResponse } from '../../wire/sip/message.ts';
import { serializeMessage } from '../../wire/sip/serialize.ts';
import { BRANCH_COOKIE, branchOf, formatVia, parseTopVia } from '../../wire/sip/via.ts';
import {
  clientKey,
  describeRequest,
  readRequest,
  serverKey,
  stampVia,
  type ReceivedRequest,
  type Stamped,
} from '../received-request.ts';
import { SipError } from '../sip-error.ts';
import { transactionTimeoutMs, type SipTimers } from '../timers.ts';
import { viaName, type Flow, type Hop } from '../transport/hop.ts';
import { datagramReplyTo, streamReplyTo } from '../transport/reply-route.ts';
import type { Transports } from '../transport/transports.ts';
import { ABILITIES } from '../abilities.ts';
import { cancelFor } from './ack.ts';
import { admit } from './admit.ts';
import { ClientTransaction, type ClientUser } from './client-transaction.ts';
import { GivenAnswers } from './given-answers.ts';
import { ServerTransaction, type ServerShell } from './server-transaction.ts';

export const MAX_TRANSACTIONS = 200_000;
const BRANCH_BYTES = 10;

/** Receives what no transaction absorbed. */
export interface TransactionUser {
  /** A new request; `accept` makes its transaction. Without it nothing is remembered (a stateless answer is given). */
  request(request: ReceivedRequest): void;
  /** An ACK that acknowledges a 2xx. */
  ack(request: ReceivedRequest): void;
  /** Whether a request that no rule lets in gets the answer that it is owed. */
  answersBroken(flow: Flow): boolean;
}

export interface TransactionLayerOptions {
  readonly transports: Transports;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly timers: SipTimers;
  readonly maxTransactions?: number;
}

/** The tables of client and server transactions between the transports and the user agent. Nothing here throws upward. */
export class TransactionLayer {
  readonly #options: TransactionLayerOptions;
  readonly #maxTransactions: number;
  readonly #clients = new Map<string, ClientTransaction>();
  readonly #servers = new Map<string, ServerTransaction>();
  readonly #serverShell: ServerShell;
  readonly #answers: GivenAnswers;
  #user: TransactionUser | undefined;
  #closed = false;

  constructor(options: TransactionLayerOptions) {
    this.#options = options;
    this.#maxTransactions = options.maxTransactions ?? MAX_TRANSACTIONS;
    this.#answers = new GivenAnswers(options.clock, transactionTimeoutMs(options.timers));
    this.#serverShell = {
      clock: options.clock,
      timers: options.timers,
      serialize: (response, request) => this.#serialize(response, request),
      reply: (bytes, to) => this.#reply(bytes, to),
      completed: ({ key, request }, answer) => {
        this.#servers.delete(key);
        this.#answers.keep(key, answer, datagramHop(request));
      },
      terminated: ({ key }) => this.#servers.delete(key),
    };
    options.transports.onMessage((message, flow) => this.#receive(message, flow));
    options.transports.onSendError((hop) => this.#sendFailed(hop));
  }

  setUser(user: TransactionUser): void {
    this.#user = user;
  }

  get size(): number {
    return this.#clients.size + this.#servers.size + this.#answers.size;
  }

  get isFull(): boolean {
    return this.size >= this.#maxTransactions;
  }

  /**
   * Sends a request on a flow, with a Via of its own. Throws SipSerializeError when it cannot be written, SipError
   * `overloaded` when the tables are full or closed.
   */
  start(request: SipRequest, flow: Flow, user: ClientUser): ClientTransaction {
    if (this.#closed || this.isFull) throw new SipError('overloaded', 'no room for another SIP transaction');
    const branch = this.#newBranch();
    return this.#start(`${branch}|${request.method}`, withVia(request, flow, branch), flow, user);
  }

  /** Sends the CANCEL of an INVITE, once and only where 9.1 allows; its own answer interests nobody. */
  cancel(invite: ClientTransaction): void {
    if (!invite.mayCancel || invite.wasCancelled) return;
    invite.markCancelled();
    const branch = branchOfRequest(invite.request);
    const user: ClientUser = { response: () => undefined, failed: () => undefined };
    if (branch !== undefined) this.#start(`${branch}|CANCEL`, cancelFor(invite.request), invite.flow, user);
  }

  /** Sends an ACK for a 2xx: no transaction, no answer. Returns the bytes, to be sent again for each repeated 2xx. */
  sendAck(ack: SipRequest, flow: Flow): Uint8Array {
    const bytes = serializeMessage(withVia(ack, flow, this.#newBranch()));
    this.#options.transports.send(bytes, flow, ack.method);
    return bytes;
  }

  /** Makes the transaction of a request that just arrived; its repeats are absorbed from now on. */
  accept(request: ReceivedRequest): ServerTransaction {
    const transaction = new ServerTransaction(request, this.#serverShell);
    this.#servers.set(request.key, transaction);
    return transaction;
  }

  /** Like `accept`, for a request that waited: undefined when its repeat was accepted meanwhile. */
  acceptOnce(request: ReceivedRequest): ServerTransaction | undefined {
    const { key } = request;
    return this.#servers.has(key) || this.#answers.find(key) !== undefined ? undefined : this.accept(request);
  }

  /** Answers without remembering anything: the same request gets the same answer again. */
  answerStateless(request: ReceivedRequest, response: SipResponse): void {
    const bytes = this.#serialize(response, request);
    if (bytes !== undefined) this.#reply(bytes, request);
  }

  /** The INVITE that a CANCEL means. */
  inviteOf(cancel: ReceivedRequest): ServerTransaction | undefined {
    return this.#servers.get(serverKey(cancel, 'INVITE'));
  }

  /** Ends every transaction; whoever waits for an answer is told that the transport failed. */
  close(): void {
    this.#closed = true;
    for (const transaction of [...this.#clients.values(), ...this.#servers.values()]) transaction.drop();
    this.#answers.clear();
  }

  #start(key: string, request: SipRequest, flow: Flow, user: ClientUser): ClientTransaction {
    const { clock, timers, transports } = this.#options;
    const transaction = new ClientTransaction({
      key,
      request,
      flow,
      user,
      shell: {
        clock,
        timers,
        send: (bytes, to) => transports.send(bytes, to, request.method),
        terminated: () => this.#clients.delete(key),
      },
    });
    this.#clients.set(key, transaction);
    transaction.start();
    return transaction;
  }

  #newBranch(): string {
    return `${BRANCH_COOKIE}${randomHex(this.#options.random, BRANCH_BYTES)}`;
  }

  /** The border of the engine: whatever a message makes go wrong is logged and ends here. */
  #receive(message: SipMessage, flow: Flow): void {
    try {
      if (message.kind === 'request') this.#receiveRequest(message, flow);
      else this.#receiveResponse(message);
    } catch (error) {
      this.#options.logger.error(
        { error: errorText(error), stack: error instanceof Error ? error.stack : '' },
        'a SIP message was not handled',
      );
    }
  }

  #receiveResponse(response: SipResponse): void {
    if (response.defect !== undefined || response.status < 100 || response.status > 699) return;
    const key = clientKey(response);
    if (key === undefined) return;
    // A response of no transaction is dropped: RFC 6026 8.1 for strays, and a late 2xx is the UAS's to give up.
    this.#clients.get(key)?.receive(response);
  }

  #receiveRequest(message: SipRequest, flow: Flow): void {
    const stamped = stampVia(message, flow);
    // Without a Via nobody knows where an answer goes.
    if (stamped === undefined) return;
    const request = readRequest(stamped.message, stamped.via, flow);
    if (request !== undefined && this.#isRepeat(request)) return;
    const verdict = admit(stamped.message, ABILITIES, request);
    if (verdict === 'drop' || request === undefined || verdict !== 'accept') {
      const isOwed = typeof verdict === 'object' && this.#user?.answersBroken(flow) !== false;
      if (isOwed) this.#answerBroken(verdict, stamped, flow);
      return;
    }
    if (request.method === 'ACK') this.#user?.ack(request);
    else this.#user?.request(request);
  }

  /** True when a transaction took the request: it came before, or it is the ACK of an answer given here. */
  #isRepeat(request: ReceivedRequest): boolean {
    const { key } = request;
    const answer = this.#answers.find(key);
    if (answer !== undefined) {
      this.#options.transports.send(answer.bytes, answer.to, request.method);
      return true;
    }
    const known = this.#servers.get(key);
    if (known === undefined) return false;
    if (request.method !== 'ACK') known.repeat();
    else if (!known.acknowledge()) this.#user?.ack(request);
    return true;
  }

  #answerBroken(response: SipResponse, { message, via }: Stamped, flow: Flow): void {
    const remote = flow.transport === 'udp' ? datagramReplyTo(via, flow) : flow.remote;
    this.#options.transports.send(serializeMessage(response), { ...flow, remote }, message.method);
  }

  #serialize(response: SipResponse, request: ReceivedRequest): Uint8Array | undefined {
    try {
      return serializeMessage(response);
    } catch (error) {
      this.#options.logger.error(
        { ...describeRequest(request), error: errorText(error) },
        'a SIP response cannot be written',
      );
      return undefined;
    }
  }

  #reply(bytes: Uint8Array, request: ReceivedRequest): void {
    const { flow, via } = request;
    const { transports, logger } = this.#options;
    if (flow.transport === 'udp') {
      transports.send(bytes, datagramHop(request), request.method);
      return;
    }
    if (transports.send(bytes, flow, request.method)) return;
    transports.flowTo(streamReplyTo(via, flow)).then(
      (again) => transports.send(bytes, again, request.method),
      (error: unknown) =>
        logger.debug({ ...describeRequest(request), error: errorText(error) }, 'no way back for a response'),
    );
  }

  #sendFailed(hop: Hop): void {
    for (const transaction of [...this.#clients.values()]) {
      const { flow } = transaction;
      if (flow.transport === hop.transport && sameEndpoint(flow.remote, hop.remote)) transaction.transportFailed();
    }
  }
}

function datagramHop({ via, flow }: ReceivedRequest): Hop {
  return { transport: 'udp', remote: datagramReplyTo(via, flow) };
}

/** RFC 3261 8.1.1.7, RFC 3581 3: our Via on top, always asking for rport. */
function withVia(request: SipRequest, flow: Flow, branch: string): SipRequest {
  const via: SipHeader = {
    name: 'Via',
    value: formatVia({
      version: '2.0',
      transport: viaName(flow.transport),
      host: flow.local.address,
      port: flow.local.port,
      parameters: [{ name: 'rport' }, { name: 'branch', value: branch }],
    }),
  };
  return { ...request, headers: [via, ...request.headers] };
}

function branchOfRequest(request: SipRequest): string | undefined {
  const via = parseTopVia(request.headers.filter((each) => each.name === 'Via').map((each) => each.value));
  return via === undefined ? undefined : branchOf(via);
}
