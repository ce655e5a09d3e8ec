import type { RegisteredContact, SipTarget } from '../user-agent.ts';

/** One registered contact as the directory keeps it (RFC 3261 10.3, RFC 5626, RFC 3327). */
export interface Binding {
  readonly contact: string;
  readonly q: number;
  readonly expiresAt: number;
  readonly callId: string;
  readonly cseq: number;
  /** The phone itself, over restarts and address changes. */
  readonly instance?: string;
  readonly regId?: string;
  /** Route values between here and the phone. */
  readonly path: readonly string[];
  /** The way the registration came; undefined when the contact itself is the way. */
  readonly flow?: NonNullable<SipTarget['flow']>;
  readonly userAgent?: string;
}

const KEY_PREFIX = 'sip-binding:';

export function bindingKey(aor: string): string {
  return `${KEY_PREFIX}${aor}`;
}

/** Names a binding under its address of record: the phone's instance, else its contact. */
export function bindingId(binding: Binding): string {
  return binding.instance === undefined
    ? `contact ${binding.contact}`
    : `instance ${binding.instance} ${binding.regId ?? ''}`;
}

/** Undefined for a value that another version of this program wrote in a form of its own. */
export function readBinding(value: string): Binding | undefined {
  try {
    const parsed: unknown = JSON.parse(value);
    return isBinding(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isBinding(value: unknown): value is Binding {
  if (typeof value !== 'object' || value === null) return false;
  const { contact, q, expiresAt, callId, cseq, path } = value as Partial<Record<keyof Binding, unknown>>;
  const numbers = [q, expiresAt, cseq].every((each) => typeof each === 'number');
  return numbers && typeof contact === 'string' && typeof callId === 'string' && Array.isArray(path);
}

export function contactOf(aor: string, binding: Binding): RegisteredContact {
  const { contact, path, flow, q, expiresAt, userAgent } = binding;
  const target: SipTarget = {
    uri: contact,
    ...(path.length > 0 && { route: path }),
    ...(flow !== undefined && { flow }),
  };
  return { aor, contact, target, q, expiresAt, ...(userAgent !== undefined && { userAgent }) };
}
