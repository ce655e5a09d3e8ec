import { holding, type Clock } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import { randomHex, type Random } from '../base/random.ts';
import type { HttpRequest, HttpResponse, OutgoingHttp } from '../http/outgoing.ts';
import { decodeTwiml } from '../wire/twiml/decode.ts';
import { syntheticDocument, syntheticElement, type TwimlDocument } from '../wire/twiml/document.ts';
import { MAX_TWIML_CHARS, parseTwiml } from '../wire/twiml/parse.ts';
import { validateTwiml } from '../wire/twiml/verbs.ts';
import { callParameters } from './calls/call-journal.ts';
import type { DocumentRequest, FetchedDocument } from './executor-ports.ts';
import { cut, MAX_STEP_TEXT_CHARS, type WebhookExchange } from './call-step.ts';
import { fault, faultOfProblem, type Fault, type FaultCode, type FaultContext } from './faults.ts';
import type { Call, HttpMethod } from './model.ts';
import { signRequest, withoutCredentials } from './signature.ts';
import { freshUntil, SoundCache } from './sound-cache.ts';
import { failureOfStatus, failureOfThrown, responseContext, type WebhookFailure } from './webhook-failure.ts';
import { readWebhookUrl } from './webhook-url.ts';

export const USER_AGENT = 'TwilioProxy/1.1';
/** Of a sound, whether it comes from Play or as the answer in place of a document. */
export const MAX_SOUND_BYTES = 16 * 1024 * 1024;
const MAX_REDIRECTS = 10;
/** A sound that came in place of a document is played from the cache, not fetched a second time. */
const ANSWERED_SOUND_FRESH_MS = 60_000;
const IDEMPOTENCY_TOKEN_BYTES = 16;
const MIN_ATTEMPT_MS = 100;
/** Of an answer that is looked at: enough for the characters that are kept. */
const MAX_SHOWN_BYTES = 4 * MAX_STEP_TEXT_CHARS;
const FORM = 'application/x-www-form-urlencoded; charset=UTF-8';

export interface WebhooksOptions {
  readonly http: OutgoingHttp;
  readonly clock: Clock;
  readonly random: Random;
  /** Where fetched sounds are kept. */
  readonly soundDirectory: string;
  readonly soundCacheBytes?: number;
}

/** On whose behalf a request is made. */
export interface WebhookSender {
  readonly accountSid: string;
  /** Signs the request. */
  readonly authToken: string;
  /** Keeps a fault as a Notification. */
  readonly report: (fault: Fault) => void;
  /** Told of each attempt, for whoever looks on. */
  readonly exchanged?: (exchange: WebhookExchange) => void;
}

export interface CallSender extends WebhookSender {
  /** The call as it is now. */
  readonly call: Call;
  /** Parameters of this call beside the usual ones: SIP headers, a browser's own. */
  readonly extraParameters?: Readonly<Record<string, string>>;
}

export type FetchedSound =
  { readonly kind: 'file'; readonly path: string } | { readonly kind: 'fault'; readonly fault: Fault };

type Delivered =
  | { readonly kind: 'response'; readonly response: HttpResponse; readonly context: FaultContext }
  | { readonly kind: 'fault'; readonly fault: Fault };

interface Delivery {
  /** With fragment, which may change how it is delivered. */
  readonly url: string;
  readonly method: HttpMethod;
  readonly parameters: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly maxBytes: number;
}

/**
 * Requests to the application: signed, repeated by the rules of the URL, every failure told under one number. Holds the
 * clock while a request is out.
 */
export class Webhooks {
  readonly #options: WebhooksOptions;
  readonly #sounds: SoundCache;
  readonly #fetching = new Map<string, Promise<FetchedSound>>();

  constructor(options: WebhooksOptions) {
    this.#options = options;
    const { soundDirectory: directory, soundCacheBytes: maxBytes, clock, random } = options;
    this.#sounds = new SoundCache({ directory, clock, random, ...(maxBytes === undefined ? {} : { maxBytes }) });
  }

  /**
   * Fetches the document to run next, else the one at the fallback URL. Each fault is reported before this resolves; the
   * one given back is the last. Never rejects.
   */
  async fetchDocument(request: DocumentRequest, sender: CallSender): Promise<FetchedDocument> {
    const { fallbackUrl, fallbackMethod, url, method } = request;
    const parameters = { ...callParameters(sender.call), ...sender.extraParameters, ...request.parameters };
    const first = await this.#document({ url, method, parameters }, sender);
    if (first.kind === 'document') return first;
    sender.report(first.fault);
    if (fallbackUrl === undefined || fallbackUrl === '') return first;
    const told = { ...parameters, ErrorCode: String(first.fault.code), ErrorUrl: withoutCredentials(url) };
    const second = await this.#document(
      { url: fallbackUrl, method: fallbackMethod ?? 'POST', parameters: told },
      sender,
    );
    if (second.kind === 'fault') sender.report(second.fault);
    return second;
  }

  /**
   * Fetches a sound for Play, or takes it from the cache while it is fresh. The caller reports the fault: 11751 too
   * large, 13420 not a WAV or MP3 file, else that of the request. Never rejects.
   */
  fetchSound(url: string, sender: WebhookSender): Promise<FetchedSound> {
    const key = soundKey(url, sender);
    const running = this.#fetching.get(key);
    if (running !== undefined) return running;
    const fetching = this.#sound(url, key, sender)
      .catch((thrown: unknown): FetchedSound => faultResult(12400, `the sound was not kept: ${errorText(thrown)}`))
      .finally(() => this.#fetching.delete(key));
    this.#fetching.set(key, fetching);
    return fetching;
  }

  /** Tells the application of an event; what it answers is not looked at. A failure is reported (15003). Never rejects. */
  async postEvent(
    event: { readonly url: string; readonly method: HttpMethod; readonly parameters: Readonly<Record<string, string>> },
    sender: WebhookSender,
  ): Promise<void> {
    const delivered = await this.#deliver({ ...event, maxBytes: MAX_TWIML_CHARS }, sender);
    // Too much of an answer that nobody reads is no failure of the event.
    if (delivered.kind === 'response' || delivered.fault.code === 11750) return;
    const { code, message, level: _, moreInfo: __, ...context } = delivered.fault;
    sender.report(fault(15003, `${code} ${message}`, context));
  }

  async #document(
    request: { readonly url: string; readonly method: HttpMethod; readonly parameters: Delivery['parameters'] },
    sender: WebhookSender,
  ): Promise<FetchedDocument> {
    // Large enough for a sound in place of a document; TwiML has its own limit.
    const delivered = await this.#deliver({ ...request, maxBytes: MAX_SOUND_BYTES }, sender);
    if (delivered.kind === 'fault') return delivered;
    const { response } = delivered;
    const context = { ...delivered.context, ...responseContext(response) };
    const sent = requestedUrl(readWebhookUrl(request.url).url, request.method, request.parameters);
    const redirected = response.url !== sent && response.url !== new URL(sent).href;
    const baseUrl = redirected ? response.url : request.url;
    const read = await this.#readDocument(response, baseUrl, context, sender);
    return read.kind === 'fault' ? read : { ...read, baseUrl, method: request.method };
  }

  async #readDocument(
    response: HttpResponse,
    baseUrl: string,
    context: FaultContext,
    sender: WebhookSender,
  ): Promise<{ kind: 'document'; document: TwimlDocument } | { kind: 'fault'; fault: Fault }> {
    const contentType = response.headers['content-type'];
    if (response.body.length === 0) return faultResult(11770, `status ${response.status} without a body`, context);
    if (/^\s*audio\//i.test(contentType ?? '')) return this.#playAnswer(response, baseUrl, context, sender);
    if (response.body.length > MAX_TWIML_CHARS) {
      return faultResult(11750, `got ${response.body.length} bytes, want at most ${MAX_TWIML_CHARS}`, context);
    }
    const decoded = decodeTwiml(response.body, contentType);
    if (decoded.kind === 'bad') return { kind: 'fault', fault: faultOfProblem(decoded.problem, context) };
    if (decoded.text.trim() === '') return faultResult(11770, 'nothing but white space', context);
    const parsed = parseTwiml(decoded.text, contentType);
    if (parsed.kind === 'bad') return { kind: 'fault', fault: faultOfProblem(parsed.problem, context) };
    // Checked here already, so that a document that cannot be run is answered by the fallback.
    const { error } = validateTwiml(parsed.document);
    if (error !== undefined) return { kind: 'fault', fault: faultOfProblem(error, context) };
    return { kind: 'document', document: parsed.document };
  }

  /** A sound in place of a document is played. */
  async #playAnswer(
    response: HttpResponse,
    url: string,
    context: FaultContext,
    sender: WebhookSender,
  ): Promise<{ kind: 'document'; document: TwimlDocument } | { kind: 'fault'; fault: Fault }> {
    if (!isSound(response.body)) {
      return faultResult(12300, 'the body is neither a WAV nor an MP3 file', { ...context, responseBody: '' });
    }
    const freshUntilMs = this.#options.clock.now() + ANSWERED_SOUND_FRESH_MS;
    const about = { freshUntilMs, etag: undefined, lastModified: undefined };
    const path = await holding(this.#options.clock, () =>
      this.#sounds.put(soundKey(url, sender), response.body, about).catch(() => undefined),
    );
    if (path === undefined) return faultResult(11751, 'no room for the sound', { ...context, responseBody: '' });
    return { kind: 'document', document: syntheticDocument(syntheticElement('Play', url)) };
  }

  async #sound(url: string, key: string, sender: WebhookSender): Promise<FetchedSound> {
    const { clock } = this.#options;
    const kept = this.#sounds.get(key);
    if (kept !== undefined && kept.freshUntilMs > clock.now()) return { kind: 'file', path: kept.path };
    const headers = {
      ...(kept?.etag === undefined ? {} : { 'if-none-match': kept.etag }),
      ...(kept?.lastModified === undefined ? {} : { 'if-modified-since': kept.lastModified }),
    };
    const delivery: Delivery = { url, method: 'GET', parameters: {}, headers, maxBytes: MAX_SOUND_BYTES };
    const delivered = await this.#deliver(delivery, sender);
    if (delivered.kind === 'fault') {
      const { fault: failed } = delivered;
      return failed.code === 11750 ? faultResult(11751, `want at most ${MAX_SOUND_BYTES} bytes`, failed) : delivered;
    }
    const { response, context } = delivered;
    const freshUntilMs = freshUntil(response.headers, clock.now());
    if (response.status === 304 && kept !== undefined) {
      this.#sounds.renew(key, freshUntilMs);
      return { kind: 'file', path: kept.path };
    }
    const wrong = wrongSound(response);
    if (wrong !== undefined) return faultResult(13420, wrong, context);
    const about = { freshUntilMs, etag: response.headers['etag'], lastModified: response.headers['last-modified'] };
    const path = await holding(clock, () => this.#sounds.put(key, response.body, about));
    return path === undefined
      ? faultResult(11751, 'the sounds in use leave no room for it', context)
      : { kind: 'file', path };
  }

  /** One request with its retries. 2xx is a response; so is 304 where it was asked for. */
  async #deliver(delivery: Delivery, sender: WebhookSender): Promise<Delivered> {
    const { clock, random } = this.#options;
    const { url, rules } = readWebhookUrl(delivery.url);
    const form = new URLSearchParams(delivery.parameters).toString();
    const context = { requestUrl: withoutCredentials(url), requestMethod: delivery.method, requestVariables: form };
    // The same token for every attempt: the application can tell a repeat.
    const token = randomHex(random, IDEMPOTENCY_TOKEN_BYTES);
    const request = requestOf({ ...delivery, url }, token, sender);
    const deadlineMs = clock.now() + rules.totalTimeoutMs;
    for (let attempt = 0; ; attempt += 1) {
      const { connectTimeoutMs, readTimeoutMs } = rules;
      const totalTimeoutMs = Math.max(MIN_ATTEMPT_MS, deadlineMs - clock.now());
      const startedMs = clock.now();
      const outcome = await this.#attempt({ ...request, connectTimeoutMs, readTimeoutMs, totalTimeoutMs }, context);
      sender.exchanged?.(exchangeOf(delivery, outcome, clock.now() - startedMs));
      if (!('fault' in outcome)) return { kind: 'response', response: outcome, context };
      const again = attempt < rules.retries && outcome.cause !== undefined && rules.retryOn.has(outcome.cause);
      if (!again || deadlineMs - clock.now() < MIN_ATTEMPT_MS) return { kind: 'fault', fault: outcome.fault };
    }
  }

  async #attempt(request: HttpRequest, context: FaultContext): Promise<HttpResponse | WebhookFailure> {
    try {
      const response = await holding(this.#options.clock, () => this.#options.http.request(request));
      if (response.status === 304 && isConditional(request)) return response;
      return failureOfStatus(response, context) ?? response;
    } catch (thrown) {
      return failureOfThrown(thrown, context);
    }
  }
}

/** The HTTP request of a delivery whose URL has no fragment any more. */
function requestOf(delivery: Delivery, token: string, sender: WebhookSender): HttpRequest {
  const { url, method, parameters } = delivery;
  const posting = method === 'POST';
  return {
    method,
    url: requestedUrl(url, method, parameters),
    headers: {
      accept: '*/*',
      'user-agent': USER_AGENT,
      'i-twilio-idempotency-token': token,
      ...(posting ? { 'content-type': FORM } : {}),
      ...delivery.headers,
    },
    ...(posting ? { body: new URLSearchParams(parameters).toString() } : {}),
    maxBytes: delivery.maxBytes,
    maxRedirects: MAX_REDIRECTS,
    // Signed anew on each hop: the receiver checks the URL that it sees. A redirect may turn POST into GET.
    headersFor: (hop, hopMethod) => ({
      'x-twilio-signature': signRequest(sender.authToken, hop, hopMethod === 'POST' ? parameters : {}),
    }),
  };
}

/** An attempt as it is shown; what is long is cut, a sound is left out. */
function exchangeOf(delivery: Delivery, outcome: HttpResponse | WebhookFailure, durationMs: number): WebhookExchange {
  const { method, parameters } = delivery;
  const about = { method, url: withoutCredentials(delivery.url), parameters, durationMs };
  if ('fault' in outcome) {
    const { code, message, responseBody = '' } = outcome.fault;
    const { status = null } = outcome;
    return { ...about, status, contentType: null, body: cut(responseBody), failure: { code, message: cut(message) } };
  }
  const contentType = outcome.headers['content-type'] ?? null;
  const readable = isSound(outcome.body) ? new Uint8Array() : outcome.body.subarray(0, MAX_SHOWN_BYTES);
  return {
    ...about,
    status: outcome.status,
    contentType,
    body: cut(new TextDecoder().decode(readable)),
    failure: null,
  };
}

function isConditional(request: HttpRequest): boolean {
  return request.headers?.['if-none-match'] !== undefined || request.headers?.['if-modified-since'] !== undefined;
}

function requestedUrl(url: string, method: HttpMethod, parameters: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(parameters).toString();
  if (method === 'POST' || query === '') return url;
  return `${url}${url.includes('?') ? '&' : '?'}${query}`;
}

/** Sounds of one account are not served to another: they may be behind its signature. */
function soundKey(url: string, sender: WebhookSender): string {
  return `${sender.accountSid} ${url}`;
}

function faultResult(code: FaultCode, details: string, context: FaultContext = {}): { kind: 'fault'; fault: Fault } {
  const { requestUrl, requestMethod, requestVariables, responseBody, responseHeaders } = context;
  const kept = { requestUrl, requestMethod, requestVariables, responseBody, responseHeaders };
  const defined = Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined));
  return { kind: 'fault', fault: fault(code, details, defined) };
}

function wrongSound(response: HttpResponse): string | undefined {
  const type = (response.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const named = type === '' || type === 'application/octet-stream' || type.startsWith('audio/');
  if (!named) return `got content type ${JSON.stringify(type.slice(0, 80))}, want an audio type`;
  return isSound(response.body) ? undefined : `got ${JSON.stringify(type)} that is neither a WAV nor an MP3 file`;
}

/** WAV: RIFF....WAVE. MP3: an ID3 tag, or a frame header (11 bits set, ISO 11172-3 2.4.1.3). */
function isSound(bytes: Uint8Array): boolean {
  const start = String.fromCharCode(...bytes.subarray(0, 12));
  if (start.startsWith('RIFF') && start.endsWith('WAVE')) return true;
  return start.startsWith('ID3') || (bytes[0] === 0xff && ((bytes[1] ?? 0) & 0xe0) === 0xe0);
}
