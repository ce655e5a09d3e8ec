import { fault, type Fault, type FaultCode } from '../faults.ts';
import type { DocumentRequest, ExecutorPorts, RunEnd } from '../executor-ports.ts';
import type { HttpMethod } from '../model.ts';
import type { Party } from '../party.ts';
import type { DigitBuffer } from './digit-buffer.ts';

/** What a running verb may use. Aborting `signal` cuts the verb off: it throws the signal's reason. */
export interface VerbContext {
  readonly party: Party;
  readonly ports: ExecutorPorts;
  readonly digits: DigitBuffer;
  readonly signal: AbortSignal;
  /** The running document's address; undefined for TwiML that came with the call. */
  readonly baseUrl: string | undefined;
  readonly method: HttpMethod;
  /** Answers an incoming call that rings; does nothing otherwise. */
  ensureAnswered(): Promise<void>;
  /** Sound reached the party. */
  heard(): void;
  /** Records a fault after which the flow goes on; it ends a call in which nothing was heard. */
  reportSoundFault(fault: Fault): void;
  /** Work that outlives the verb after a hang-up; awaited by the run's `settled`. */
  later(work: () => Promise<void>): void;
}

/** What comes after a verb. */
export type Step =
  | { readonly kind: 'next-verb' }
  | { readonly kind: 'document'; readonly request: DocumentRequest }
  | { readonly kind: 'end'; readonly end: RunEnd };

export const NEXT_VERB: Step = { kind: 'next-verb' };

/** The fault ends the run; it is recorded here. */
export function endWith(context: VerbContext, code: FaultCode, details: string): Step {
  const made = fault(code, details);
  context.ports.report(made);
  return { kind: 'end', end: { kind: 'fault', fault: made } };
}

export interface ActionTarget {
  /** As written in the document. */
  readonly url: string;
  readonly method: HttpMethod;
  readonly parameters: Readonly<Record<string, string>>;
}

/** The request of an action or a Redirect; a URL that cannot be resolved ends the run (11100). */
export function requestDocument(context: VerbContext, target: ActionTarget): Step {
  const url = resolveUrl(target.url, context.baseUrl);
  if (url === undefined) return endWith(context, 11100, unresolved(target.url, context.baseUrl));
  return { kind: 'document', request: { url, method: target.method, parameters: target.parameters } };
}

/** An absolute URL as it was written (signatures are made over it), a relative one against the document's. */
export function resolveUrl(url: string, baseUrl: string | undefined): string | undefined {
  const written = url.trim();
  if (!URL.canParse(written, baseUrl)) return undefined;
  const absolute = /^https?:\/\//i.test(written);
  const resolved = absolute ? written : new URL(written, baseUrl).href;
  return /^https?:\/\//i.test(resolved) ? resolved : undefined;
}

export function unresolved(url: string, baseUrl: string | undefined): string {
  const got = `got ${JSON.stringify(url.slice(0, 200))}`;
  return baseUrl === undefined
    ? `${got}; TwiML that is given with the call has no address of its own, so a relative URL leads nowhere`
    : got;
}
