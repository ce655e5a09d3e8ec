import { contactPreference, parseContacts } from '../../wire/sip/address.ts';
import { headers, type SipResponse } from '../../wire/sip/message.ts';
import { parseSipUri, sameSipUri } from '../../wire/sip/uri.ts';

/** Contacts that one call follows, over all its redirections (RFC 3261 8.1.3.4). */
export const MAX_REDIRECTED_TARGETS = 5;

/** Where a call was sent and where redirections send it next: each target once, a bounded number of them. */
export class RedirectTargets {
  readonly #tried: string[];
  readonly #next: string[] = [];

  constructor(first: string) {
    this.#tried = [first];
  }

  /** Takes the contacts of a 3xx, best first; those that are no plain SIP address are left out. */
  take(response: SipResponse): void {
    const contacts = parseContacts(headers(response, 'Contact'));
    if (contacts === undefined || contacts === '*') return;
    const ordered = contacts.toSorted((a, b) => (contactPreference(b) ?? 0) - (contactPreference(a) ?? 0));
    for (const { uri } of ordered) {
      const parsed = parseSipUri(uri);
      // A redirection is a stranger's word: no other scheme, no headers for our request, nothing tried before.
      if (parsed?.scheme !== 'sip' || parsed.headers.length > 0) continue;
      if (this.#isKnown(uri) || this.#tried.length + this.#next.length > MAX_REDIRECTED_TARGETS) continue;
      this.#next.push(uri);
    }
  }

  next(): string | undefined {
    const uri = this.#next.shift();
    if (uri !== undefined) this.#tried.push(uri);
    return uri;
  }

  #isKnown(uri: string): boolean {
    const parsed = parseSipUri(uri);
    return [...this.#tried, ...this.#next].some((other) => {
      const known = parseSipUri(other);
      return parsed !== undefined && known !== undefined && sameSipUri(parsed, known);
    });
  }
}
