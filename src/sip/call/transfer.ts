import { deferred, type Deferred } from '../../base/deferred.ts';
import {
  formatSipfragStatus,
  parseReferTo,
  parseSipfragStatus,
  parseValue,
  type Replaces,
} from '../../wire/sip/header-values.ts';
import { header, type SipHeader, type SipResponse } from '../../wire/sip/message.ts';
import { contactFor, type SipCore } from '../core.ts';
import { dialogKey } from '../dialog/dialog.ts';
import type { DialogChannel } from '../dialog/dialog-channel.ts';
import type { ReceivedRequest } from '../received-request.ts';
import { SipError } from '../sip-error.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { SipCallEvent } from '../user-agent.ts';
import { textOf, toBytes } from './session-description.ts';

/** How long the subscription that a REFER makes may last (RFC 3515 2.4.4). */
const REFER_SECONDS = 180;
const SIPFRAG: SipHeader = { name: 'Content-Type', value: 'message/sipfrag;version=2.0' };

interface TransferPorts {
  readonly core: SipCore;
  readonly channel: DialogChannel;
}

/** Our REFER and the NOTIFYs that report its progress (RFC 3515). */
export class ReferSender {
  readonly #ports: TransferPorts;
  #progress: Deferred<number> | undefined;

  constructor(ports: TransferPorts) {
    this.#ports = ports;
  }

  /** Resolves with the final status that the peer reports. Rejects with SipError `rejected`, `timeout` or `ended`. */
  async send(
    referTo: string,
    ask: (method: string, headers: readonly SipHeader[]) => Promise<SipResponse>,
  ): Promise<number> {
    if (this.#progress !== undefined)
      throw new SipError('rejected', 'a transfer is already under way', { status: 491 });
    const progress = deferred<number>();
    progress.promise.catch(() => undefined);
    this.#progress = progress;
    const cancel = this.#ports.core.clock.at(this.#ports.core.clock.now() + REFER_SECONDS * 1000, () =>
      progress.reject(new SipError('timeout', 'the peer did not say how the transfer ended', { status: 408 })),
    );
    try {
      const response = await ask('REFER', [{ name: 'Refer-To', value: referTo }]);
      if (response.status >= 300) {
        const { status, reason } = response;
        throw new SipError('rejected', `REFER was refused: ${status} ${reason}`, { status });
      }
      return await progress.promise;
    } finally {
      cancel();
      this.#progress = undefined;
    }
  }

  /** Takes a NOTIFY; false when it reports on nothing of ours. */
  notified(request: ReceivedRequest): boolean {
    const { message } = request;
    const event = parseValue(header(message, 'Event') ?? '')?.value.toLowerCase();
    if (this.#progress === undefined || event !== 'refer') return false;
    const status = parseSipfragStatus(textOf(message))?.status;
    const state = parseValue(header(message, 'Subscription-State') ?? '')?.value.toLowerCase();
    if (status !== undefined && status >= 200) this.#progress.resolve(status);
    else if (state === 'terminated') this.#progress.resolve(status ?? 408);
    return true;
  }

  close(): void {
    this.#progress?.reject(new SipError('ended', 'the call ended before the transfer did', { status: 481 }));
  }
}

/** The peer's REFER and our NOTIFYs. */
export class ReferReceiver {
  readonly #ports: TransferPorts & { readonly emit: (event: SipCallEvent) => void };

  constructor(ports: TransferPorts & { readonly emit: (event: SipCallEvent) => void }) {
    this.#ports = ports;
  }

  receive(request: ReceivedRequest, transaction: ServerTransaction): void {
    const { core } = this.#ports;
    const answer = (status: number, headers: readonly SipHeader[] = []): void =>
      transaction.respond(core.responses.make(request, status, { headers }));
    const target = parseReferTo(header(request.message, 'Refer-To') ?? '');
    // RFC 3515 2.4.2: exactly one Refer-To.
    if (target === undefined) return answer(400);
    const { address, replaces } = target;
    let decided = false;
    const once = (): boolean => !decided && (decided = true);
    this.#ports.emit({
      kind: 'refer',
      referTo: address.uri,
      ...(replaces === undefined ? {} : { replacesDialog: dialogOf(replaces) }),
      accept: () => {
        if (once()) answer(202, [contactFor(request.flow)]);
        return this.#subscription();
      },
      refuse: (status) => {
        if (once()) answer(status);
      },
    });
  }

  #subscription(): { notify(status: number, reason: string): void } {
    let over = false;
    let sent: Promise<unknown> = Promise.resolve();
    const notify = (status: number, reason: string): void => {
      if (over) return;
      over = status >= 200;
      const state = over ? 'terminated;reason=noresource' : `active;expires=${REFER_SECONDS}`;
      const headers = [{ name: 'Event', value: 'refer' }, { name: 'Subscription-State', value: state }, SIPFRAG];
      const body = toBytes(formatSipfragStatus(status, reason.replaceAll(/[\r\n]/g, ' ')));
      // One after the other, so that none overtakes the final one.
      sent = sent.then(() => this.#ports.channel.request({ method: 'NOTIFY', headers, body }));
      this.#ports.core.tasks.run(() => sent.then(() => undefined));
    };
    // RFC 3515 2.4.4: a first NOTIFY at once.
    notify(100, 'Trying');
    return { notify };
  }
}

/** RFC 3891 3: to-tag is ours, for the INVITE that the REFER stands for would come to us. */
function dialogOf({ callId, toTag, fromTag }: Replaces): string {
  return dialogKey(callId, toTag, fromTag);
}
