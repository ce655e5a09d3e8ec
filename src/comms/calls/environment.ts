import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import type { AccountSid, CallSid } from '../../base/sid.ts';
import type { Bus } from '../../bus/bus.ts';
import type { UserAgent } from '../../sip/user-agent.ts';
import type { WebphoneAgent } from '../../webphone/webphone.ts';
import type { CallStep } from '../call-step.ts';
import type { DocumentRequest, TwimlRun } from '../executor-ports.ts';
import type { Fault } from '../faults.ts';
import type { Account, Application, Call, IncomingPhoneNumber } from '../model.ts';
import type { Party } from '../party.ts';
import type { Phone, Trunk } from '../place-model.ts';
import type { CallChanges, StatusEvent } from './call-journal.ts';
import type { CallMedia } from './call-media.ts';
import type { LiveCall } from './live-call.ts';
import type { LiveCalls } from './live-calls.ts';
import type { RecordingPorts } from './recordings.ts';
import type { Resolution } from './routing.ts';
import type { TrunkCapacity } from './trunk-capacity.ts';
import type { Address } from '../address.ts';

/** What the call service stands on; `server` joins it from the packages. */
export interface CallEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly bus: Bus;
  readonly userAgent: UserAgent;
  readonly webphones: WebphoneAgent;
  readonly media: CallMedia;
  readonly calls: CallStore;
  readonly lookups: CallLookups;
  readonly recordings: RecordingPorts;
  readonly settings: CallSettings;
  readonly trunkCapacity: TrunkCapacity;
  readonly liveCalls: LiveCalls;
  /** Where a destination leads now: the one place where routing is decided. */
  resolve(
    destination: Address,
    context: { readonly accountSid: AccountSid; readonly emergency: boolean },
  ): Promise<Resolution>;
  /** Whether addresses at this host are this place's: its own names and addresses, its SIP domains. */
  isOwnHost(host: string, port: number | undefined): Promise<boolean>;
  /** Runs TwiML on a call whose party is there. */
  startFlow(live: LiveCall, first: DocumentRequest | { readonly twiml: string }, rules?: FlowRules): TwimlRun;
  /** Keeps the fault as a Notification of the call. */
  report(call: Call, fault: Fault): void;
  /** The same, on disk when it resolves, and not a second time for the same code: for what a crash may have cut off. */
  reportOnce(call: Call, fault: Fault): Promise<void>;
  /** Ordered delivery of status events, one queue a call. */
  deliver(call: Call, event: StatusEvent): void;
  /** Looks on: the party of a call is there. Must not throw. */
  partyJoined?(callSid: CallSid, party: Party): void;
  /** Looks on; nothing depends on it. */
  readonly observer?: CallObserver;
}

/** Hears what calls do, as they do it. Must not throw and takes little time. */
export interface CallObserver {
  /** The row as it is now; the disk may be a write behind. */
  row(call: Call): void;
  step(call: Call, step: CallStep): void;
}

export interface FlowRules {
  /** False for what a callee hears before it is connected; default true. */
  readonly mayDial?: boolean;
}

export interface CallStore {
  /** A call that has no lane: incoming, or dialled by a verb. */
  insert(call: Call): Promise<void>;
  /** A call of the REST API, with its place in the lane, in one write. Rejects with CommsError when the lane is full. */
  enqueue(call: Call): Promise<void>;
  /** True when the call was still waiting; it is then canceled on disk. */
  cancelQueued(call: Call, changes: CallChanges): Promise<boolean>;
  update(sid: CallSid, changes: CallChanges): Promise<void>;
  find(accountSid: AccountSid, sid: CallSid): Promise<Call | undefined>;
  /** Calls that are `dialling` or `live` on disk. */
  unfinished(): Promise<readonly Call[]>;
  /** Calls whose end was written and not told. */
  endsUntold(): Promise<readonly Call[]>;
  endTold(sid: CallSid): Promise<void>;
}

export interface CallLookups {
  account(sid: AccountSid): Promise<Account | undefined>;
  application(accountSid: AccountSid, sid: string): Promise<Application | undefined>;
  /** An owned number, whoever owns it. */
  number(phoneNumber: string): Promise<IncomingPhoneNumber | undefined>;
  phone(name: string): Promise<Phone | undefined>;
  phoneByNumber(phoneNumber: string): Promise<Phone | undefined>;
  trunk(name: string): Promise<Trunk | undefined>;
}

export interface CallSettings {
  readonly homeDomain: string;
  readonly emergencyNumbers: readonly string[];
  readonly advertisedAddress?: string;
  /** Browsers that both want it may speak straight to each other. */
  readonly directSound: boolean;
  /** Secret of this process: calls that the service places to its own numbers carry it. */
  readonly loopSecret: string;
  /** The account that anonymous and trunk calls to nobody's number are accounted to. */
  readonly mainAccount: AccountSid;
}
