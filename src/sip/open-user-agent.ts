import type { Clock } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import { HoldBack, SILENCE, type HoldBackShape, type HeldSource } from '../base/hold-back.ts';
import { TaskGroup } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Endpoint, Network } from '../base/network.ts';
import { randomHex, type Random } from '../base/random.ts';
import type { Directory } from '../directory/directory.ts';
import { Gatekeeper } from './auth/gatekeeper.ts';
import { Realms } from './auth/realms.ts';
import { OutgoingCall } from './call/outgoing-call.ts';
import type { SipCore } from './core.ts';
import { DialogTable } from './dialog/dialog-table.ts';
import { TokenBuckets, type BucketShape } from './limits/token-buckets.ts';
import type { Resolver } from './locate/resolver.ts';
import { OwnedClock } from './owned-clock.ts';
import { aorInRealm } from './registrar/address-of-record.ts';
import { Registrar, type RegistrarLimits } from './registrar/registrar.ts';
import { Responses } from './responses.ts';
import { DEFAULT_TIMERS, type SipTimers } from './timers.ts';
import { MAX_TRANSACTIONS, TransactionLayer } from './transaction/transaction-layer.ts';
import type { StreamTimes } from './transport/stream-connection.ts';
import type { StreamLimits } from './transport/stream-table.ts';
import { Transports } from './transport/transports.ts';
import { TrunkRegistrar } from './trunk/trunk-registration.ts';
import { RequestSender } from './uac/request-sender.ts';
import { RequestRouter } from './uas/request-router.ts';
import type { Admission, SipLimitName, SipWatcher, UserAgent } from './user-agent.ts';

export interface SipLimits {
  readonly maxTransactions: number;
  /** Calls and ringing calls together. */
  readonly maxDialogs: number;
  /** Requests of which it is looked up who sends them. */
  readonly maxLookups: number;
  /** New calls that come in. */
  readonly callRate: BucketShape;
  /** Wrong passwords from one address, before nothing of it is answered for a while. */
  readonly guesses: HoldBackShape;
  /** Requests of one address without a password, or without a meaning, before the same. */
  readonly strangers: HoldBackShape;
  readonly registrar: RegistrarLimits;
  readonly streams: StreamLimits;
  readonly streamTimes: StreamTimes;
}

export const DEFAULT_MAX_DIALOGS = 10_000;
export const DEFAULT_CALL_RATE: BucketShape = { burst: 200, perSecond: 200 };
export const DEFAULT_GUESSES: HoldBackShape = { burst: 20, forgivenPerSecond: 0.02, ...SILENCE };
export const DEFAULT_STRANGERS: HoldBackShape = { burst: 1_000, forgivenPerSecond: 20, ...SILENCE };

export interface UserAgentOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly logger: Logger;
  readonly directory: Directory;
  readonly resolver: Resolver;
  readonly admission: Admission;
  /** UDP and TCP; port 0 means any port that is free for both. */
  readonly listen: Endpoint;
  /** Address for Via, Contact and SDP instead of the local address of the route to the peer. */
  readonly advertise?: string;
  /** Server and User-Agent. */
  readonly name?: string;
  readonly timers?: SipTimers;
  readonly limits?: Partial<SipLimits>;
  /** Told of each request that a limit refused. */
  readonly onRefused?: (limit: SipLimitName) => void;
  /** Looks on at every message; must not throw. */
  readonly watch?: SipWatcher;
}

const DEFAULT_NAME = 'Tandem';
const SECRET_BYTES = 16;
/** The buckets of the call rate: there is one for everybody. */
const ONE_BUCKET = 1;
const MAX_STRANGERS = 20_000;

/** Opens the SIP side of a call service. Rejects with the system's error when a port cannot be opened. */
export async function openUserAgent(options: UserAgentOptions): Promise<UserAgent> {
  const clock = new OwnedClock(options.clock);
  const { random, logger, admission, limits = {} } = options;
  const transports = await Transports.open({
    ...options,
    clock,
    ...(limits.streams && { streamLimits: limits.streams }),
    ...(limits.streamTimes && { streamTimes: limits.streamTimes }),
  });
  const core = makeCore({ ...options, clock }, transports);
  const realms = new Realms(admission, clock);
  const { directory, onRefused = () => undefined } = options;
  const guesses = new HoldBack({
    ...{ door: 'SIP passwords', clock, logger, shape: limits.guesses ?? DEFAULT_GUESSES },
    onDropped: () => onRefused('wrong-passwords'),
  });
  const strangers = new HoldBack({
    ...{ door: 'SIP', clock, logger, shape: limits.strangers ?? DEFAULT_STRANGERS },
    onHeld: (source) => core.tasks.run(() => pardonTrunk(source)),
    onDropped: () => onRefused('strangers'),
  });
  // A trunk that sends much of no meaning is not kept out: what it sends of meaning is asked for by its address.
  const pardonTrunk = async (source: string): Promise<void> => {
    const [, address = ''] = source.split(' ');
    // As if over TCP: its port does not matter.
    if ((await admission.trustedPeer({ address, port: 0 }, 'tcp')) !== undefined) strangers.pardon(source);
  };
  const registrar = new Registrar({ directory, clock, ...(limits.registrar && { limits: limits.registrar }) });
  const router = new RequestRouter({
    core,
    registrar,
    admission,
    realms,
    gatekeeper: new Gatekeeper({ admission, clock, random, guesses, logger }),
    guesses,
    strangers,
    callRate: new TokenBuckets(clock, limits.callRate ?? DEFAULT_CALL_RATE, ONE_BUCKET),
    strangerRate: new TokenBuckets(clock, limits.callRate ?? DEFAULT_CALL_RATE, MAX_STRANGERS),
    maxDialogs: limits.maxDialogs ?? DEFAULT_MAX_DIALOGS,
    ...(limits.maxLookups !== undefined && { maxLookups: limits.maxLookups }),
    onRefused,
  });
  core.layer.setUser(router);
  logger.debug({ ...transports.addresses }, 'SIP is open');
  return {
    addresses: transports.addresses,
    placeCall(call, handlers) {
      const outgoing = new OutgoingCall(core, call, handlers);
      outgoing.start();
      return outgoing;
    },
    registerTrunk(trunk) {
      const registration = new TrunkRegistrar(core, trunk);
      registration.start();
      return registration;
    },
    onIncomingCall: (handler) => router.onCall(handler),
    onMessage: (handler) => router.onMessage(handler),
    bindings: async (text) => {
      const aor = aorInRealm(text, await realms.of(text));
      return aor === undefined ? [] : registrar.contacts(aor);
    },
    heldBack: (): readonly HeldSource[] => [...guesses.view(), ...strangers.view()],
    free: (address): readonly HeldSource[] => [...guesses.free(address), ...strangers.free(address)],
    drain: () => router.drain(),
    async close() {
      core.layer.close();
      await transports.close();
      await core.tasks.settled();
      clock.close();
    },
  };
}

function makeCore(options: UserAgentOptions, transports: Transports): SipCore {
  const { clock, random, logger, resolver, timers = DEFAULT_TIMERS, name = DEFAULT_NAME } = options;
  const maxTransactions = options.limits?.maxTransactions ?? MAX_TRANSACTIONS;
  const layer = new TransactionLayer({ transports, clock, random, logger, timers, maxTransactions });
  return {
    ...{ clock, random, logger, resolver, timers, transports, layer },
    sender: new RequestSender({ layer, transports, clock, random, logger }),
    responses: new Responses(name, randomHex(random, SECRET_BYTES)),
    dialogs: new DialogTable(),
    tasks: new TaskGroup((error) => logger.error({ error: errorText(error) }, 'SIP work failed')),
    userAgent: { name: 'User-Agent', value: name },
  };
}
