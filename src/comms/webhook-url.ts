/** What may be tried again: answers by status, connections that fail (`ct`), answers that stay away (`rt`). */
export type RetryCause = '4xx' | '5xx' | 'ct' | 'rt';

/** How a webhook is delivered; the URL's fragment may say otherwise, e.g. `#rc=2&rp=5xx,ct&rt=3000`. */
export interface DeliveryRules {
  readonly connectTimeoutMs: number;
  readonly readTimeoutMs: number;
  /** For all attempts together. */
  readonly totalTimeoutMs: number;
  readonly retries: number;
  readonly retryOn: ReadonlySet<RetryCause>;
}

export const DEFAULT_DELIVERY_RULES: DeliveryRules = {
  connectTimeoutMs: 5000,
  readTimeoutMs: 15_000,
  totalTimeoutMs: 15_000,
  retries: 1,
  retryOn: new Set<RetryCause>(['ct']),
};

const RETRY_CAUSES: Readonly<Record<string, readonly RetryCause[]>> = {
  '4xx': ['4xx'],
  '5xx': ['5xx'],
  ct: ['ct'],
  rt: ['rt'],
  all: ['4xx', '5xx', 'ct', 'rt'],
};

/** The URL without its fragment, and the rules that the fragment asks for; values out of range leave the default. */
export function readWebhookUrl(url: string): { readonly url: string; readonly rules: DeliveryRules } {
  const hash = url.indexOf('#');
  if (hash < 0) return { url, rules: DEFAULT_DELIVERY_RULES };
  const wanted = new URLSearchParams(url.slice(hash + 1));
  const defaults = DEFAULT_DELIVERY_RULES;
  const rules: DeliveryRules = {
    connectTimeoutMs: within(wanted.get('ct'), 100, 10_000) ?? defaults.connectTimeoutMs,
    readTimeoutMs: within(wanted.get('rt'), 100, 15_000) ?? defaults.readTimeoutMs,
    totalTimeoutMs: within(wanted.get('tt'), 100, 15_000) ?? defaults.totalTimeoutMs,
    retries: within(wanted.get('rc'), 0, 5) ?? defaults.retries,
    retryOn: causes(wanted.get('rp')) ?? defaults.retryOn,
  };
  return { url: url.slice(0, hash), rules };
}

function within(text: string | null, min: number, max: number): number | undefined {
  if (text === null || !/^\d{1,5}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

function causes(text: string | null): ReadonlySet<RetryCause> | undefined {
  if (text === null) return undefined;
  const found = text
    .split(',')
    .flatMap((word) => (Object.hasOwn(RETRY_CAUSES, word) ? (RETRY_CAUSES[word] ?? []) : []));
  return found.length === 0 ? undefined : new Set(found);
}
