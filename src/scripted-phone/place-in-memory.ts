import { errorText } from '../base/errors.ts';
import { TaskGroup } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Random } from '../base/random.ts';
import type { AccountSid, CallSid } from '../base/sid.ts';
import type { VirtualClock } from '../base/virtual-clock.ts';
import { InProcessBus } from '../bus/in-process.ts';
import { formatAddress, type Address } from '../comms/address.ts';
import { CallService } from '../comms/calls/call-service.ts';
import type { CallEnvironment } from '../comms/calls/environment.ts';
import { startFlow } from '../comms/calls/flow.ts';
import { LiveCalls } from '../comms/calls/live-calls.ts';
import type { LiveCall } from '../comms/calls/live-call.ts';
import type { Resolution } from '../comms/calls/routing.ts';
import { TrunkCapacity } from '../comms/calls/trunk-capacity.ts';
import { userPart } from '../comms/calls/outgoing-call.ts';
import type { Fault } from '../comms/faults.ts';
import type { Account, Call, HttpMethod, Recording } from '../comms/model.ts';
import { OrderedDelivery } from '../comms/ordered-delivery.ts';
import { numberTypeOf } from '../comms/records/numbers.ts';
import type { Webhooks } from '../comms/webhooks.ts';
import type { MediaNode } from '../media/media-node.ts';
import type { SpeechEngine } from '../media/speech.ts';
import type { UserAgent } from '../sip/user-agent.ts';
import { NO_WEBPHONES } from '../webphone/no-webphones.ts';
import type { FolderBlobs } from './folder-blobs.ts';
import { PhoneError } from './phone-error.ts';
import { openRestDoor, type RestDoor } from './rest-door.ts';
import { openRowsInMemory, type RowsInMemory } from './rows-in-memory.ts';

const DOMAIN = 'home.tandem';
const PUBLIC_URL = 'http://tandem.invalid';

export interface PlaceOptions {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly log: Logger;
  readonly account: { readonly sid: AccountSid; readonly authToken: string };
  /** The service's own SIP side, and its media. */
  readonly userAgent: UserAgent;
  readonly media: MediaNode;
  readonly webhooks: Webhooks;
  readonly speech: SpeechEngine;
  readonly blobs: FolderBlobs;
  readonly callsPerSecond: number;
  /** Where the phones' SIP side is reached. */
  readonly phones: { readonly address: string; readonly port: number };
  readonly onFault: (call: Call, fault: Fault) => void;
  readonly onRecording: (recording: Recording) => void;
}

/** What a number does when it is called. */
export interface NumberHandling {
  readonly voiceUrl: string;
  readonly voiceMethod: HttpMethod;
  readonly voiceFallbackUrl: string | null;
  readonly statusCallback: string | null;
}

/** A whole call service without a disk: one account, its numbers, and phones for every other destination. */
export class PlaceInMemory {
  readonly service: CallService;
  readonly account: Account;
  readonly #options: PlaceOptions;
  readonly #answering = new Map<string, Promise<void>>();
  readonly #rows: RowsInMemory;
  readonly #environment: CallEnvironment;
  readonly #events: OrderedDelivery;
  readonly #ends: TaskGroup;
  readonly #live: LiveCalls;
  #rest: RestDoor | undefined;

  private constructor(options: PlaceOptions, rows: RowsInMemory, account: Account) {
    const { log } = options;
    this.#options = options;
    this.#rows = rows;
    this.account = account;
    this.#events = new OrderedDelivery((error) => log.error({ error: errorText(error) }, 'an event was not delivered'));
    this.#ends = new TaskGroup((error) => log.error({ error: errorText(error) }, 'the end of a call failed'));
    this.#live = new AwaitedCalls(this.#ends);
    this.#environment = this.#join();
    this.service = new CallService(this.#environment);
  }

  static async open(options: PlaceOptions): Promise<PlaceInMemory> {
    const rows = await openRowsInMemory(options);
    const account = await rows.records.accounts.create({ ...options.account, friendlyName: 'scripted phone' });
    const place = new PlaceInMemory(options, rows, account);
    const { service } = place;
    await service.recover();
    await place.#rows.lane.start({
      start: (call) => service.start(call),
      interrupted: (call) => service.interrupted(call),
      expired: async (call) => place.#ends.run(() => service.expired(call)),
    });
    return place;
  }

  /** The application answers this number from now on. */
  answerWith(phoneNumber: string, handling: NumberHandling): Promise<void> {
    const before = this.#answering.get(phoneNumber) ?? Promise.resolve();
    const written = before.then(() => this.#writeNumber(phoneNumber, handling));
    this.#answering.set(phoneNumber, written);
    return written;
  }

  async #writeNumber(phoneNumber: string, handling: NumberHandling): Promise<void> {
    const { numbers } = this.#rows.records;
    const known = await numbers.findByNumber(phoneNumber);
    if (known !== undefined) {
      await numbers.update(this.account.sid, known.sid, handling);
      return;
    }
    await numbers.create({
      ...handling,
      accountSid: this.account.sid,
      friendlyName: phoneNumber,
      phoneNumber,
      type: numberTypeOf(phoneNumber),
      voiceFallbackMethod: 'POST',
      statusCallbackMethod: 'POST',
      smsUrl: null,
      smsMethod: 'POST',
      smsFallbackUrl: null,
      smsFallbackMethod: 'POST',
      voiceApplicationSid: null,
      smsApplicationSid: null,
      voiceCallerIdLookup: false,
    });
  }

  /** Opens the REST API on a port of this machine; gives its address. */
  async openRest(): Promise<string> {
    const { clock, log, blobs } = this.#options;
    this.#rest ??= await openRestDoor({ ...this.#rows, blobs, clock, log, calls: this.service });
    return this.#rest.url;
  }

  /** The row of a call. */
  async call(sid: CallSid): Promise<Call> {
    const call = await this.#rows.records.calls.findBySid(sid);
    if (call === undefined) throw new PhoneError('bad-option', `no call ${sid}`);
    return call;
  }

  /** Resolves when every call has ended, those that wait in the lane too, and every event was delivered or given up. */
  async settled(): Promise<void> {
    await this.#rows.lane.empty();
    await this.#quiet();
  }

  /** Ends every call that is up, and frees everything; what waits in the lane is not called any more. */
  async close(): Promise<void> {
    await this.#rest?.close();
    await this.#rows.lane.stop();
    await this.service.drain();
    await this.#quiet();
    await this.#rows.close();
  }

  async #quiet(): Promise<void> {
    await this.#ends.settled();
    await this.#events.settled();
  }

  #join(): CallEnvironment {
    const { clock, random, log, userAgent, media, blobs, onFault } = this.#options;
    const { lane, records } = this.#rows;
    const deliver: CallEnvironment['deliver'] = (call, event) => {
      const report = (fault: Fault): void => onFault(call, fault);
      const sender = { accountSid: call.accountSid, authToken: this.account.authToken, report };
      this.#events.deliver(call.sid, () => this.#options.webhooks.postEvent(event, sender));
    };
    const environment: CallEnvironment = {
      clock,
      random,
      log,
      bus: new InProcessBus({ logger: log }),
      userAgent,
      webphones: NO_WEBPHONES,
      media: { openLeg: (options) => media.openLeg(options) },
      calls: lane,
      lookups: {
        account: (sid) => records.accounts.find(sid),
        application: (accountSid, sid) => records.applications.find(accountSid, sid),
        number: (number) => records.numbers.findByNumber(number),
        phone: async () => undefined,
        phoneByNumber: async () => undefined,
        trunk: async () => undefined,
      },
      recordings: {
        clock,
        random,
        log,
        temporaryPath: (suffix) => blobs.temporaryPath(suffix),
        discard: (path) => blobs.discard(path),
        keep: async (path, sid, changes) => {
          const blobId = await blobs.adopt(path);
          await this.#changeRecording(sid, { ...changes, blobId });
          return blobId;
        },
        insert: (recording) => records.recordings.insert(recording),
        update: (sid, changes) => this.#changeRecording(sid, changes),
        unfinished: () => records.recordings.unfinished(),
        endsUntold: () => records.recordings.endsUntold(),
        endTold: (sid) => records.recordings.endTold(sid),
        ofCall: (call) => records.recordings.ofCall(call.sid),
        urlOf: ({ accountSid, sid }) =>
          `${this.#rest?.url ?? PUBLIC_URL}/2010-04-01/Accounts/${accountSid}/Recordings/${sid}`,
        deliver,
      },
      settings: {
        homeDomain: DOMAIN,
        directSound: true,
        emergencyNumbers: [],
        loopSecret: 'scripted-phone',
        mainAccount: this.account.sid,
      },
      trunkCapacity: new TrunkCapacity(),
      liveCalls: this.#live,
      resolve: (destination) => this.#resolve(destination),
      isOwnHost: () => Promise.resolve(true),
      startFlow: (live, first, rules) =>
        startFlow(
          live,
          first,
          { ...this.#options, rules, account: async () => this.account, report: onFault },
          environment,
        ),
      report: onFault,
      reportOnce: async (call, fault) => onFault(call, fault),
      deliver,
    };
    return environment;
  }

  /** Its own numbers are the application's; at every other destination there is a phone. */
  async #resolve(destination: Address): Promise<Resolution> {
    const to = formatAddress(destination);
    const number = await this.#rows.records.numbers.findByNumber(to);
    if (number !== undefined) return { kind: 'number', number };
    const uri = `sip:${userPart(to)}@${this.#options.phones.address}`;
    const flow = { transport: 'udp', remote: this.#options.phones } as const;
    return {
      kind: 'targets',
      targets: [{ kind: 'sip', target: { uri, flow }, group: 0, domain: DOMAIN, isPhone: true }],
    };
  }

  async #changeRecording(sid: Recording['sid'], changes: Partial<Recording>): Promise<void> {
    const { recordings } = this.#rows.records;
    await recordings.change(sid, changes);
    if (changes.status !== 'completed' && changes.status !== 'absent') return;
    const recording = await recordings.find(this.account.sid, sid);
    if (recording !== undefined) this.#options.onRecording(recording);
  }
}

/** Calls whose ends are waited for until their last event was told. */
class AwaitedCalls extends LiveCalls {
  readonly #ends: TaskGroup;

  constructor(ends: TaskGroup) {
    super();
    this.#ends = ends;
  }

  override add(live: LiveCall): void {
    super.add(live);
    this.#ends.run(async () => void (await live.settled()));
  }
}
