import { after, type Cancel } from '../../base/clock.ts';
import type { Endpoint } from '../../base/network.ts';
import { randomHex } from '../../base/random.ts';
import { parseReplaces } from '../../wire/sip/header-values.ts';
import { header, headers, type SipHeader, type SipRequest } from '../../wire/sip/message.ts';
import { splitCommas } from '../../wire/sip/parameters.ts';
import { ALLOW, SUPPORTED } from '../abilities.ts';
import { DigestClient } from '../auth/digest-client.ts';
import { contactFor, type SipCore } from '../core.ts';
import { DialogChannel, isBehindNat } from '../dialog/dialog-channel.ts';
import type { DialogUser } from '../dialog/dialog-table.ts';
import { Dialog } from '../dialog/dialog.ts';
import type { ReceivedRequest } from '../received-request.ts';
import { SipError } from '../sip-error.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { CallerIdentity, IncomingCall, SipCall, SipCredentials, SipTransport } from '../user-agent.ts';
import { EstablishedCall } from './established-call.ts';
import { SDP_TYPE, sdpOf, toBytes } from './session-description.ts';
import type { SessionAnswer } from './session-timer.ts';

const TAG_BYTES = 8;
/** RFC 3261 13.3.1.1: proxies on the way forget a call that says nothing for three minutes. */
const PROVISIONAL_REPEAT_MS = 60_000;

export interface IncomingInviteOptions {
  readonly core: SipCore;
  readonly transaction: ServerTransaction;
  readonly caller: CallerIdentity;
  readonly session: SessionAnswer & { readonly kind: 'ok' };
  /** Called once, when the INVITE has its final response. */
  readonly onDecided: () => void;
}

/** A call that comes in, until it is answered, refused or given up (RFC 3261 13.3). */
export class IncomingInvite implements IncomingCall, DialogUser {
  readonly callId: string;
  readonly dialogId: string;
  readonly request: SipRequest;
  readonly source: Endpoint;
  readonly transport: SipTransport;
  readonly localAddress: string;
  readonly caller: CallerIdentity;
  readonly offer: string | undefined;
  readonly replacesCallId: string | undefined;
  readonly #core: SipCore;
  readonly #transaction: ServerTransaction;
  readonly #received: ReceivedRequest;
  readonly #session: SessionAnswer & { readonly kind: 'ok' };
  readonly #onDecided: () => void;
  readonly #localTag: string;
  readonly #dialog: Dialog;
  #onCancelled: () => void = () => undefined;
  #cancelled = false;
  #decided = false;
  #early = false;
  #repeat: Cancel | undefined;

  /** Undefined when the INVITE cannot make a dialog: it has no Contact to reach its sender at. */
  static take(options: IncomingInviteOptions): IncomingInvite | undefined {
    const localTag = randomHex(options.core.random, TAG_BYTES);
    const dialog = Dialog.forCallee(options.transaction.request, localTag);
    return dialog === undefined ? undefined : new IncomingInvite(options, dialog, localTag);
  }

  private constructor(options: IncomingInviteOptions, dialog: Dialog, localTag: string) {
    const { request } = options.transaction;
    this.#core = options.core;
    this.#transaction = options.transaction;
    this.#received = request;
    this.#session = options.session;
    this.#onDecided = options.onDecided;
    this.#localTag = localTag;
    this.#dialog = dialog;
    this.caller = options.caller;
    this.callId = request.callId;
    this.dialogId = dialog.key;
    this.request = request.message;
    this.source = request.flow.remote;
    this.transport = request.flow.transport;
    this.localAddress = request.flow.local.address;
    this.offer = sdpOf(request.message);
    this.replacesCallId = parseReplaces(header(request.message, 'Replaces') ?? '')?.callId;
  }

  ringing(): void {
    this.#provisional(180);
  }

  progress(sdp: string): void {
    this.#provisional(183, sdp);
  }

  async answer(
    sdp: string,
    credentials?: SipCredentials,
  ): Promise<{ readonly call: SipCall; readonly ackSdp: string | undefined }> {
    if (!this.#decide()) throw new SipError('cancelled', 'the caller gave up before the answer', { status: 487 });
    const { flow } = this.#received;
    const digest = new DigestClient(credentials, this.#core.random);
    const pinned = isBehindNat(this.#dialog, viaCount(this.request), flow);
    const channel = new DialogChannel({ core: this.#core, dialog: this.#dialog, digest, flow, pinned });
    const call = new EstablishedCall({
      core: this.#core,
      channel,
      ownsCallId: false,
      localSdp: sdp,
      peer: this.request,
      interval: this.#session.interval,
    });
    const response = this.#core.responses.make(this.#received, 200, {
      toTag: this.#localTag,
      recordRoute: true,
      headers: [contactFor(flow), ALLOW, SUPPORTED, ...this.#session.headers, SDP_TYPE],
      body: toBytes(sdp),
    });
    const ackSdp = await call.confirm(this.#transaction, response, this.offer === undefined);
    return { call, ackSdp };
  }

  reject(status: number, reason?: string, extra: readonly SipHeader[] = []): void {
    if (!this.#decide()) return;
    const phrase = reason === undefined ? {} : { reason: reason.replaceAll(/[\r\n]/g, ' ') };
    this.#final(status, { ...phrase, headers: extra });
  }

  onCancelled(handler: () => void): void {
    this.#onCancelled = handler;
    if (this.#cancelled) handler();
  }

  /** The caller's CANCEL, or its BYE before the answer (15.1.2): the INVITE ends with 487. */
  giveUp(): void {
    if (!this.#decide()) return;
    this.#final(487, {});
    this.#cancelled = true;
    this.#onCancelled();
  }

  /** A request of the caller within the early dialog. */
  receive(request: ReceivedRequest, transaction: ServerTransaction): void {
    const answer = (status: number, extra: readonly SipHeader[] = []): void =>
      transaction.respond(this.#core.responses.make(request, status, { headers: extra }));
    if (!this.#dialog.takeSequence(request.cseq)) return answer(500);
    switch (request.method) {
      case 'BYE':
        answer(200);
        return this.giveUp();
      case 'OPTIONS':
        return answer(200, [ALLOW, SUPPORTED]);
      case 'INFO':
        return answer(200);
      case 'INVITE':
        // 14.2: the first INVITE has no answer yet.
        return answer(500, [{ name: 'Retry-After', value: '5' }]);
      default:
        return answer(491);
    }
  }

  acknowledge(): void {
    // The ACK of a 2xx belongs to the call that took this dialog over.
  }

  #provisional(status: 180 | 183, sdp?: string): void {
    if (this.#decided) return;
    if (!this.#early) {
      this.#early = true;
      this.#core.dialogs.add(this.#dialog.key, this);
    }
    const response = this.#core.responses.make(this.#received, status, {
      toTag: this.#localTag,
      recordRoute: true,
      headers: [contactFor(this.#received.flow), ALLOW, ...(sdp === undefined ? [] : [SDP_TYPE])],
      ...(sdp === undefined ? {} : { body: toBytes(sdp) }),
    });
    this.#repeat?.();
    const again = (): void => {
      this.#transaction.respond(response);
      this.#repeat = after(this.#core.clock, PROVISIONAL_REPEAT_MS, again);
    };
    again();
  }

  #final(status: number, options: { readonly reason?: string; readonly headers?: readonly SipHeader[] }): void {
    this.#transaction.respond(this.#core.responses.make(this.#received, status, { ...options, toTag: this.#localTag }));
    this.#core.dialogs.remove(this.#dialog.key, this);
  }

  #decide(): boolean {
    if (this.#decided) return false;
    this.#decided = true;
    this.#repeat?.();
    this.#onDecided();
    return true;
  }
}

function viaCount(request: SipRequest): number {
  return headers(request, 'Via').reduce((count, line) => count + splitCommas(line).length, 0);
}
