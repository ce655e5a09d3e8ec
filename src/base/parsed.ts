/**
 * Outcome of parsing untrusted bytes: a value, a wish for more bytes, or a refusal.
 * The caller keeps its bytes on `need-more` and answers or drops the peer on `bad`.
 */
export type Parsed<T> =
  | { readonly kind: 'ok'; readonly value: T; readonly used: number }
  | { readonly kind: 'need-more' }
  | { readonly kind: 'bad'; readonly offset: number; readonly reason: string };

const MAX_QUOTED_CHARS = 80;

/** Untrusted text made fit for a message or a log line: cut to a limit, control characters shown as escapes. */
export function quoted(text: string, maxChars = MAX_QUOTED_CHARS): string {
  const cut = text.length > maxChars ? `${text.slice(0, maxChars)}…` : text;
  return JSON.stringify(cut);
}
