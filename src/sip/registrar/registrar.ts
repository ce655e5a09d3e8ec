import type { Clock } from '../../base/clock.ts';
import type { Directory } from '../../directory/directory.ts';
import {
  contactExpires,
  contactPreference,
  formatAddress,
  parseAddressList,
  parseContacts,
  type NameAddress,
} from '../../wire/sip/address.ts';
import { parseExpires } from '../../wire/sip/header-values.ts';
import { isIpAddress, sameHost } from '../../wire/sip/host.ts';
import { header, headers, type SipHeader } from '../../wire/sip/message.ts';
import { hasParameter, parameter } from '../../wire/sip/parameters.ts';
import { parseSipUri, sameSipUri } from '../../wire/sip/uri.ts';
import type { ReceivedRequest } from '../received-request.ts';
import type { RegisteredContact } from '../user-agent.ts';
import { bindingId, contactOf, type Binding } from './binding.ts';
import { StoredBindings, type StoredBinding } from './stored-bindings.ts';

export interface RegistrarLimits {
  readonly defaultSeconds: number;
  readonly minSeconds: number;
  readonly maxSeconds: number;
  /** Bindings of one address of record; the one that expires first makes room. */
  readonly maxBindings: number;
}

export const DEFAULT_REGISTRAR_LIMITS: RegistrarLimits = {
  defaultSeconds: 600,
  minSeconds: 60,
  maxSeconds: 3_600,
  maxBindings: 10,
};
/** RFC 3261 10.3 step 7: only intervals below one hour may be refused as too brief. */
const ONE_HOUR_SECONDS = 3_600;
const MAX_CONTACTS_PER_REQUEST = 10;

export interface RegistrarAnswer {
  readonly status: number;
  readonly reason?: string;
  readonly headers: readonly SipHeader[];
}

type BindingsById = ReadonlyMap<string, Binding>;

interface Change {
  /** What it takes the place of. */
  readonly replaces: StoredBinding | undefined;
  /** Undefined: the binding goes. */
  readonly binding: Binding | undefined;
}

/** Who can be reached where: REGISTER in, bindings out, all kept in the directory (RFC 3261 10.3). */
export class Registrar {
  readonly #bindings: StoredBindings;
  readonly #clock: Clock;
  readonly #limits: RegistrarLimits;
  /** One REGISTER of an address of record at a time: each reads what the one before wrote. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(options: { readonly directory: Directory; readonly clock: Clock; readonly limits?: RegistrarLimits }) {
    this.#bindings = new StoredBindings(options);
    this.#clock = options.clock;
    this.#limits = options.limits ?? DEFAULT_REGISTRAR_LIMITS;
  }

  /** Performs an admitted REGISTER for `aor`: all of it or nothing. */
  register(aor: string, request: ReceivedRequest): Promise<RegistrarAnswer> {
    const before = this.#turns.get(aor) ?? Promise.resolve();
    const turn = before.then(
      () => this.#register(aor, request),
      () => this.#register(aor, request),
    );
    this.#turns.set(aor, turn);
    const leave = (): void => {
      if (this.#turns.get(aor) === turn) this.#turns.delete(aor);
    };
    turn.then(leave, leave);
    return turn;
  }

  /** Reachable contacts, best first: by preference, then the latest registered. */
  async contacts(aor: string): Promise<readonly RegisteredContact[]> {
    const stored = await this.#bindings.get(aor);
    return stored
      .map(({ binding }) => contactOf(aor, binding))
      .toSorted((a, b) => b.q - a.q || b.expiresAt - a.expiresAt);
  }

  async #register(aor: string, request: ReceivedRequest): Promise<RegistrarAnswer> {
    const contacts = parseContacts(headers(request.message, 'Contact'));
    const path = parseAddressList(headers(request.message, 'Path'));
    if (contacts === undefined || path === undefined) return { status: 400, headers: [] };
    if (contacts.length > MAX_CONTACTS_PER_REQUEST) return { status: 400, reason: 'Too Many Contacts', headers: [] };
    const stored = await this.#bindings.get(aor);
    const changes = contacts === '*' ? this.#removeAll(stored, request) : this.#plan(stored, contacts, request, path);
    if (!Array.isArray(changes)) return changes as RegistrarAnswer;
    const bindings = await this.#apply(aor, stored, changes as readonly Change[]);
    return this.#list(bindings, path);
  }

  /** `Contact: *`, with Expires 0, which the validator asked for (10.2.2). */
  #removeAll(stored: readonly StoredBinding[], request: ReceivedRequest): readonly Change[] | RegistrarAnswer {
    if (stored.some(({ binding }) => isOutOfOrder(binding, request))) return OUT_OF_ORDER;
    return stored.map((each) => ({ replaces: each, binding: undefined }));
  }

  #plan(
    stored: readonly StoredBinding[],
    contacts: readonly NameAddress[],
    request: ReceivedRequest,
    path: readonly NameAddress[],
  ): readonly Change[] | RegistrarAnswer {
    const changes: Change[] = [];
    const common = parseExpires(header(request.message, 'Expires') ?? '') ?? this.#limits.defaultSeconds;
    for (const contact of contacts) {
      const asked = contactExpires(contact) ?? common;
      const q = contactPreference(contact);
      if (q === undefined || parseSipUri(contact.uri) === undefined)
        return { status: 400, reason: 'Bad Contact', headers: [] };
      if (asked > 0 && asked < this.#limits.minSeconds && asked < ONE_HOUR_SECONDS) {
        return { status: 423, headers: [{ name: 'Min-Expires', value: String(this.#limits.minSeconds) }] };
      }
      const replaces = stored.find((each) => isSameBinding(each.binding, contact));
      if (replaces !== undefined && isOutOfOrder(replaces.binding, request)) return OUT_OF_ORDER;
      const seconds = Math.min(asked, this.#limits.maxSeconds);
      const binding = seconds === 0 ? undefined : this.#bind({ contact, q, seconds, request, path });
      changes.push({ replaces, binding });
    }
    return changes;
  }

  #bind(options: {
    readonly contact: NameAddress;
    readonly q: number;
    readonly seconds: number;
    readonly request: ReceivedRequest;
    readonly path: readonly NameAddress[];
  }): Binding {
    const { contact, q, seconds, request, path } = options;
    const instance = instanceOf(contact);
    const regId = parameter(contact.parameters, 'reg-id');
    const userAgent = header(request.message, 'User-Agent')?.slice(0, MAX_USER_AGENT_CHARS);
    return {
      contact: contact.uri,
      q,
      // Whole milliseconds: fractions are slow to write as text. Never more than was asked for (RFC 3261 10.3 step 7).
      expiresAt: Math.floor(this.#clock.now()) + seconds * 1000,
      callId: request.callId,
      cseq: request.cseq,
      path: path.map(formatAddress),
      ...(instance !== undefined && { instance }),
      ...(regId !== undefined && { regId }),
      ...flowOf(contact, request),
      ...(userAgent !== undefined && { userAgent }),
    };
  }

  /** The bindings that the address of record has afterwards. */
  async #apply(aor: string, stored: readonly StoredBinding[], changes: readonly Change[]): Promise<readonly Binding[]> {
    const before = new Map(stored.map((each) => [each.id, each.binding]));
    const after = this.#outcome(before, changes);
    await this.#write(aor, before, after);
    return [...after.values()];
  }

  #outcome(before: BindingsById, changes: readonly Change[]): BindingsById {
    const after = new Map(before);
    for (const { replaces, binding } of changes) {
      const id = binding === undefined ? undefined : bindingId(binding);
      if (replaces !== undefined && replaces.id !== id) after.delete(replaces.id);
      if (binding !== undefined && id !== undefined) after.set(id, binding);
    }
    const lastToExpire = [...after].toSorted(([, a], [, b]) => b.expiresAt - a.expiresAt);
    for (const [id] of lastToExpire.slice(this.#limits.maxBindings)) after.delete(id);
    return after;
  }

  /** 10.3 step 7: all of it or nothing. Where the directory refuses one, what it took before is undone. */
  async #write(aor: string, before: BindingsById, after: BindingsById): Promise<void> {
    const taken: string[] = [];
    try {
      for (const [id, binding] of after) {
        if (before.get(id) === binding) continue;
        await this.#bindings.put(aor, binding);
        taken.push(id);
      }
    } catch (error) {
      for (const id of taken) {
        const old = before.get(id);
        await (old === undefined ? this.#bindings.remove(aor, id) : this.#bindings.put(aor, old));
      }
      throw error;
    }
    for (const id of before.keys()) if (!after.has(id)) await this.#bindings.remove(aor, id);
  }

  /** 10.3 step 8: all bindings, each with the time that is left. */
  #list(bindings: readonly Binding[], path: readonly NameAddress[]): RegistrarAnswer {
    const nowMs = this.#clock.now();
    const lines = bindings.map((binding): SipHeader => {
      const seconds = Math.ceil((binding.expiresAt - nowMs) / 1000);
      const instance = binding.instance === undefined ? '' : `;+sip.instance="${binding.instance}"`;
      const regId = binding.regId === undefined ? '' : `;reg-id=${binding.regId}`;
      return { name: 'Contact', value: `<${binding.contact}>;expires=${seconds}${instance}${regId}` };
    });
    const echoed = path.map((each): SipHeader => ({ name: 'Path', value: formatAddress(each) }));
    return { status: 200, headers: [...lines, ...echoed] };
  }
}

const MAX_USER_AGENT_CHARS = 128;
const MAX_INSTANCE_CHARS = 128;
const OUT_OF_ORDER: RegistrarAnswer = { status: 500, reason: 'CSeq Out Of Order', headers: [] };

/** 10.3 step 7: within one Call-ID the CSeq rises, else the request came late. */
function isOutOfOrder(binding: Binding, request: ReceivedRequest): boolean {
  return binding.callId === request.callId && request.cseq <= binding.cseq;
}

/** The same phone by its instance (RFC 5626 6), else the same contact by URI equality (10.3). */
function isSameBinding(binding: Binding, contact: NameAddress): boolean {
  const instance = instanceOf(contact);
  if (instance !== undefined && binding.instance !== undefined) {
    return instance === binding.instance && parameter(contact.parameters, 'reg-id') === binding.regId;
  }
  if (binding.contact === contact.uri) return true;
  const a = parseSipUri(binding.contact);
  const b = parseSipUri(contact.uri);
  return a !== undefined && b !== undefined && sameSipUri(a, b);
}

function instanceOf(contact: NameAddress): string | undefined {
  const instance = parameter(contact.parameters, '+sip.instance');
  return instance === undefined || instance === ''
    ? undefined
    : instance.slice(0, MAX_INSTANCE_CHARS).replaceAll(/["\\\r\n]/g, '');
}

/**
 * Calls go back the way the registration came, unless the phone shows that it listens elsewhere: over datagrams, without
 * asking for rport, and with a Contact at the address that it sent from.
 */
function flowOf(contact: NameAddress, request: ReceivedRequest): { readonly flow?: NonNullable<Binding['flow']> } {
  const { transport, remote, connectionId } = request.flow;
  const host = parseSipUri(contact.uri)?.host ?? '';
  const symmetric =
    hasParameter(request.via.parameters, 'rport') || !isIpAddress(host) || !sameHost(host, remote.address);
  if (transport === 'udp' && !symmetric) return {};
  return { flow: { transport, remote, ...(connectionId !== undefined && { connectionId }) } };
}
