import type { SipHeader, SipRequest } from '../../wire/sip/message.ts';
import { isIpAddress, sameHost } from '../../wire/sip/host.ts';
import { parseSipUri } from '../../wire/sip/uri.ts';
import type { DigestClient } from '../auth/digest-client.ts';
import { contactFor, type SipCore } from '../core.ts';
import { locate } from '../locate/locate.ts';
import type { Flow, Hop } from '../transport/hop.ts';
import type { ExchangeObserver, ExchangeOutcome } from '../uac/request-sender.ts';
import type { Dialog, DialogRequest } from './dialog.ts';

/** Requests that tell the peer where the next ones go (RFC 3261 12.2.1.1, 6 "target refresh"). */
const TARGET_REFRESH = new Set(['INVITE', 'UPDATE', 'REFER', 'NOTIFY']);

export interface DialogChannelOptions {
  readonly core: SipCore;
  readonly dialog: Dialog;
  readonly digest: DigestClient;
  /** The way by which the dialog was made. */
  readonly flow: Flow;
  /** The peer is reached by the flow only: a registered flow, or a peer behind a NAT. */
  readonly pinned: boolean;
}

/** Sends the requests of one dialog to where its route set, remote target or flow lead. */
export class DialogChannel {
  readonly dialog: Dialog;
  readonly flow: Flow;
  readonly #core: SipCore;
  readonly #digest: DigestClient;
  readonly #pinned: boolean;
  /** ACKs by the number of their INVITE: each repeated 2xx gets the same one. */
  readonly #acks = new Map<number, { readonly bytes: Uint8Array; readonly flow: Flow } | undefined>();

  constructor(options: DialogChannelOptions) {
    this.#core = options.core;
    this.dialog = options.dialog;
    this.#digest = options.digest;
    this.flow = options.flow;
    this.#pinned = options.pinned;
  }

  request(request: DialogRequest, observer?: ExchangeObserver): Promise<ExchangeOutcome> {
    return this.#core.sender.exchange(
      {
        hops: () => this.#hops(),
        compose: (flow) => this.dialog.request({ ...request, headers: this.#headers(request, flow) }),
        digest: this.#digest,
        pinned: this.#pinned,
      },
      observer,
    );
  }

  /**
   * Acknowledges a 2xx, also each time it comes again (RFC 3261 13.2.2.4). `invite` is the request as it was sent: its
   * credentials go into the ACK, since nobody may challenge one (22.1).
   */
  acknowledge(invite: SipRequest, sequence: number): void {
    if (this.#acks.has(sequence)) {
      const sent = this.#acks.get(sequence);
      if (sent !== undefined) this.#core.transports.send(sent.bytes, sent.flow, 'ACK');
      return;
    }
    this.#acks.clear();
    this.#acks.set(sequence, undefined);
    const credentials = invite.headers.filter(({ name }) => name === 'Authorization' || name === 'Proxy-Authorization');
    const ack = this.dialog.ack(sequence, [...credentials, this.#core.userAgent]);
    this.#core.tasks.run(async () => {
      const [hop] = await this.#hops();
      if (hop === undefined) return;
      const flow = await this.#core.transports.flowTo(hop);
      this.#acks.set(sequence, { bytes: this.#core.layer.sendAck(ack, flow), flow });
    });
  }

  #headers({ method, headers = [] }: DialogRequest, flow: Flow): readonly SipHeader[] {
    const contact = TARGET_REFRESH.has(method) ? [contactFor(flow)] : [];
    return [...contact, this.#core.userAgent, ...headers];
  }

  async #hops(): Promise<readonly Hop[]> {
    const { dialog, flow } = this;
    // A stream is used as long as it lasts (18): the peer's Contact may not be reachable from here.
    const stays = this.#pinned || (dialog.routeSet.length === 0 && flow.transport !== 'udp');
    if (stays && this.#core.transports.isOpen(flow)) return [flow];
    if (this.#pinned && flow.transport === 'udp') return [flow];
    return locate(dialog.nextHop, this.#core.resolver, this.#core.random);
  }
}

/**
 * Whether a peer without proxies between is behind a NAT: its Contact is not the address that its message came from.
 * Such a Contact leads nowhere; the way the message came does.
 */
export function isBehindNat(dialog: Dialog, vias: number, flow: Flow): boolean {
  if (dialog.routeSet.length > 0 || vias !== 1) return false;
  const host = parseSipUri(dialog.remoteTarget)?.host ?? '';
  return host.endsWith('.invalid') || (isIpAddress(host) && !sameHost(host, flow.remote.address));
}
