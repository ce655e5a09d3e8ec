import type { ReceivedRequest } from '../received-request.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import { dialogKey } from './dialog.ts';

/** What uses a dialog: gets the requests that come within it. */
export interface DialogUser {
  receive(request: ReceivedRequest, transaction: ServerTransaction): void;
  /** The ACK of a 2xx. */
  acknowledge(request: ReceivedRequest): void;
}

/** The dialogs of one user agent by Call-ID and tags (RFC 3261 12.2.2). */
export class DialogTable {
  readonly #users = new Map<string, DialogUser>();

  get size(): number {
    return this.#users.size;
  }

  add(key: string, user: DialogUser): void {
    this.#users.set(key, user);
  }

  /** Removes a dialog, when it still belongs to this user. */
  remove(key: string, user: DialogUser): void {
    if (this.#users.get(key) === user) this.#users.delete(key);
  }

  find(request: ReceivedRequest): DialogUser | undefined {
    const { callId, toTag, fromTag } = request;
    return toTag === undefined ? undefined : this.#users.get(dialogKey(callId, toTag, fromTag ?? ''));
  }

  /** By the names that a Replaces gives: its to-tag is ours (RFC 3891 3). */
  get(callId: string, localTag: string, remoteTag: string): DialogUser | undefined {
    return this.#users.get(dialogKey(callId, localTag, remoteTag));
  }
}
