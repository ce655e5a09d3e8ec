import { seededRandom } from '../../../base/random.ts';
import { silentLogger } from '../../../base/logger.ts';
import type { AccountSid, CallSid, Sid } from '../../../base/sid.ts';
import { VirtualClock } from '../../../base/virtual-clock.ts';
import { InProcessBus } from '../../../bus/in-process.ts';
import type { BlobId } from '../../../store/blobs.ts';
import { parseAddress } from '../../address.ts';
import type { Fault } from '../../faults.ts';
import type { Account, Application, Call, CallPlan, IncomingPhoneNumber, Recording, SipDomain } from '../../model.ts';
import type { Phone, Trunk } from '../../place-model.ts';
import { ScriptedHttp, xml } from '../../test/scripted-http.ts';
import { Webhooks } from '../../webhooks.ts';
import { NO_WEBPHONES } from '../../../webphone/no-webphones.ts';
import { CallService } from '../call-service.ts';
import type { CallEnvironment } from '../environment.ts';
import { startFlow } from '../flow.ts';
import { LiveCalls } from '../live-calls.ts';
import type { LiveCall } from '../live-call.ts';
import { isOwnHost, resolve, type RoutingPorts } from '../routing.ts';
import { TrunkCapacity } from '../trunk-capacity.ts';
import { MemoryCalls, storageFull } from './memory-calls.ts';
import { ScriptedMedia, type ScriptedLeg } from './scripted-media.ts';
import {
  ScriptedUserAgent,
  type Attempt,
  type Behaviour,
  type Caller,
  type CallerOptions,
} from './scripted-user-agent.ts';

export const HOME = 'home.tandem';
export const ACCOUNT_SID = `AC${'0'.repeat(32)}` as AccountSid;
export const OTHER_ACCOUNT_SID = `AC${'1'.repeat(32)}` as AccountSid;
export const NUMBER = '+12025550100';
export const APP = 'http://app/voice';
export const LOOP_SECRET = 'secret';

/** `FROM url event` becomes easy to compare. */
export interface ToldEvent {
  readonly callSid: CallSid;
  readonly url: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** A place with phones, trunks, numbers and an application, all scripted, in virtual time. */
export class CallWorld {
  readonly clock = new VirtualClock(1_700_000_000_000);
  readonly userAgent = new ScriptedUserAgent(this.clock);
  readonly media = new ScriptedMedia(this.clock);
  readonly calls = new MemoryCalls();
  readonly http = new ScriptedHttp();
  readonly liveCalls = new LiveCalls();
  readonly trunkCapacity = new TrunkCapacity();
  readonly faults: { readonly callSid: CallSid; readonly fault: Fault }[] = [];
  readonly events: ToldEvent[] = [];
  readonly recordings = new Map<string, Recording>();
  readonly accounts = new Map<string, Account>();
  readonly numbers = new Map<string, IncomingPhoneNumber>();
  readonly applications = new Map<string, Application>();
  readonly domains = new Map<string, SipDomain>();
  /** Runs before the notification of an interrupted call is written. */
  beforeNotification: ((sid: CallSid) => Promise<void>) | undefined;
  readonly phones = new Map<string, Phone>();
  readonly unregistered = new Set<string>();
  readonly trunks: Trunk[] = [];
  readonly environment: CallEnvironment;
  readonly service: CallService;
  readonly account: Account;
  recordingsFull = false;
  /** Events are taken and never delivered. */
  deliveryHangs = false;
  adoptFails = false;
  /** Temporary files that were removed. */
  readonly discarded: string[] = [];

  private constructor() {
    this.account = this.#addAccount(ACCOUNT_SID);
    this.#addAccount(OTHER_ACCOUNT_SID);
    this.environment = this.#environment();
    this.service = new CallService(this.environment);
    this.domain(HOME, null);
    this.number(NUMBER, APP);
  }

  static async open(): Promise<CallWorld> {
    const world = new CallWorld();
    await world.service.recover();
    return world;
  }

  /** A phone that is registered under its name, with a number when one is given. */
  phone(name: string, behaviour: Behaviour, number: string | null = null): void {
    this.phones.set(name, {
      name,
      accountSid: ACCOUNT_SID,
      number,
      credentialSid: 'CR1' as Sid<'CR'>,
      script: null,
      scriptPassword: null,
      dateCreated: 0,
    });
    this.userAgent.behaviours.set(name, behaviour);
  }

  trunk(name: string, prefixes: readonly string[], maxCalls = 10): Trunk {
    const trunk: Trunk = {
      sid: `TK${name}` as Sid<'TK'>,
      accountSid: ACCOUNT_SID,
      name,
      uri: `sip:${name}.example`,
      username: null,
      password: null,
      register: false,
      prefixes,
      maxCalls,
      dateCreated: 0,
    };
    this.trunks.push(trunk);
    return trunk;
  }

  number(phoneNumber: string, voiceUrl: string | null, more: Partial<IncomingPhoneNumber> = {}): void {
    this.numbers.set(phoneNumber, {
      ...HANDLING,
      sid: `PN${phoneNumber}` as Sid<'PN'>,
      accountSid: ACCOUNT_SID,
      friendlyName: phoneNumber,
      phoneNumber,
      voiceUrl,
      voiceApplicationSid: null,
      smsApplicationSid: null,
      voiceCallerIdLookup: false,
      ...more,
    });
  }

  domain(domainName: string, voiceUrl: string | null, accountSid = ACCOUNT_SID): void {
    const domain = { ...HANDLING, sid: `SD${domainName}`, accountSid, domainName, voiceUrl };
    this.domains.set(domainName, domain as unknown as SipDomain);
  }

  application(sid: string, voiceUrl: string | null, more: Partial<Application> = {}): void {
    this.applications.set(sid, { ...HANDLING, sid, accountSid: ACCOUNT_SID, voiceUrl, ...more } as Application);
  }

  /** What the application answers at APP, or at another URL. */
  app(verbs: string, url = APP): this {
    this.http.answer(url, xml(`<Response>${verbs}</Response>`));
    return this;
  }

  /** Posted to this URL, in order: each request's form. */
  posted(url: string): readonly Record<string, string>[] {
    return this.http.requests
      .filter((request) => request.url === url)
      .map(({ body }) => Object.fromEntries(new URLSearchParams(String(body ?? ''))));
  }

  /** Makes a call by the API and lets it out of its lane. */
  async call(to: string, plan: CallPlan, from = NUMBER): Promise<CallSid> {
    const { sid } = await this.create(to, plan, from);
    this.letOut();
    await this.settle();
    return sid;
  }

  create(to: string, plan: CallPlan, from = NUMBER): Promise<Call> {
    const [toAddress, fromAddress] = [parseAddress(to), parseAddress(from)];
    if (toAddress === undefined || fromAddress === undefined) throw new Error(`${to}, ${from}: want addresses`);
    return this.service.create(this.account, { to: toAddress, from: fromAddress, plan });
  }

  letOut(): void {
    const call = this.calls.take();
    if (call !== undefined) this.service.start(call);
  }

  /** Somebody calls in. */
  async incoming(options: CallerOptions): Promise<Caller> {
    const caller = this.userAgent.receive(options);
    await this.settle();
    return caller;
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 5; turn += 1) await this.clock.advance(0);
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    await this.settle();
  }

  row(sid: CallSid): Call {
    const row = this.calls.rows.get(sid);
    if (row === undefined) throw new Error(`no call ${sid}`);
    return row;
  }

  /** Rows in the order of their making. */
  get all(): readonly Call[] {
    return [...this.calls.rows.values()];
  }

  live(sid: CallSid): LiveCall {
    const live = this.liveCalls.get(sid);
    if (live === undefined) throw new Error(`call ${sid} is not live`);
    return live;
  }

  leg(sid: CallSid): ScriptedLeg {
    return this.live(sid).media as ScriptedLeg;
  }

  attempt(user: string): Attempt {
    const attempt = this.userAgent.attempts.findLast((each) => each.user === user);
    if (attempt === undefined) throw new Error(`${user} was not called`);
    return attempt;
  }

  get codes(): readonly number[] {
    return this.faults.map(({ fault }) => fault.code);
  }

  /** Names of the events of a call, in the order in which they were told. */
  told(sid: CallSid): readonly string[] {
    return this.events.filter(({ callSid }) => callSid === sid).map(({ parameters }) => parameters['CallStatus'] ?? '');
  }

  /** Nothing of any call is left: what a test checks at its end. */
  leftovers(): readonly string[] {
    return [
      ...this.liveCalls.all().map((live) => `live ${live.call.to}`),
      ...this.media.open.map((leg) => `open ${leg.id}`),
      ...this.all.filter(({ stage }) => stage !== 'ended').map((call) => `${call.stage} ${call.to}`),
    ];
  }

  #addAccount(sid: AccountSid): Account {
    const account: Account = {
      sid,
      friendlyName: 'place',
      status: 'active',
      type: 'Full',
      authToken: 'token',
      ownerAccountSid: sid,
      dateCreated: 0,
      dateUpdated: 0,
    };
    this.accounts.set(sid, account);
    return account;
  }

  #environment(): CallEnvironment {
    const { clock, calls, media, userAgent, liveCalls, trunkCapacity } = this;
    const random = seededRandom(1);
    const webhooks = new Webhooks({ http: this.http, clock, random, soundDirectory: '/nowhere' });
    const report = (call: Call, fault: Fault): void => void this.faults.push({ callSid: call.sid, fault });
    const deliver: CallEnvironment['deliver'] = (call, { url, parameters, afterwards }) => {
      this.events.push({ callSid: call.sid, url, parameters });
      if (!this.deliveryHangs) void afterwards?.();
    };
    let made = 0;
    const environment: CallEnvironment = {
      clock,
      random,
      log: silentLogger,
      bus: new InProcessBus({ logger: silentLogger }),
      userAgent,
      webphones: NO_WEBPHONES,
      media,
      calls,
      liveCalls,
      trunkCapacity,
      lookups: {
        account: (sid) => Promise.resolve(this.accounts.get(sid)),
        application: (_account, sid) => Promise.resolve(this.applications.get(sid)),
        number: (number) => Promise.resolve(this.numbers.get(number)),
        phone: (name) => Promise.resolve(this.phones.get(name)),
        phoneByNumber: (number) => Promise.resolve(this.#phoneByNumber(number)),
        trunk: (name) => Promise.resolve(this.trunks.find((each) => each.name === name)),
      },
      recordings: {
        clock,
        random,
        log: silentLogger,
        temporaryPath: (suffix) => `/tmp/${made++}${suffix}`,
        discard: async (path) => void this.discarded.push(path),
        keep: (_path, sid, changes) => {
          const row = this.recordings.get(sid);
          if (this.adoptFails || row === undefined) return Promise.reject(new Error('no space left'));
          const blobId = 'blob' as BlobId;
          this.recordings.set(sid, { ...row, ...changes, blobId });
          return Promise.resolve(blobId);
        },
        insert: (recording) => {
          if (this.recordingsFull) return Promise.reject(storageFull());
          this.recordings.set(recording.sid, recording);
          return Promise.resolve();
        },
        update: (sid, changes) => {
          const row = this.recordings.get(sid);
          if (row === undefined) return Promise.reject(new Error('no such recording'));
          this.recordings.set(sid, { ...row, ...changes });
          return Promise.resolve();
        },
        unfinished: () =>
          Promise.resolve([...this.recordings.values()].filter(({ status }) => status === 'in-progress')),
        endsUntold: async () =>
          [...this.recordings.values()].filter(
            ({ status, untoldEnd }) => untoldEnd !== null && status !== 'in-progress',
          ),
        endTold: async (sid) => {
          const row = this.recordings.get(sid);
          if (row !== undefined) this.recordings.set(sid, { ...row, untoldEnd: null });
        },
        ofCall: (call) => Promise.resolve([...this.recordings.values()].filter(({ callSid }) => callSid === call.sid)),
        urlOf: ({ sid }) => `http://tandem/Recordings/${sid}`,
        deliver,
      },
      settings: {
        homeDomain: HOME,
        directSound: true,
        emergencyNumbers: ['112', '911'],
        loopSecret: LOOP_SECRET,
        mainAccount: ACCOUNT_SID,
      },
      resolve: (destination, context) => resolve(destination, context, this.routing()),
      isOwnHost: (host, port) => isOwnHost(host, port, this.routing()),
      startFlow: (live, first, rules) =>
        startFlow(
          live,
          first,
          {
            clock,
            speech: { name: 'scripted', speak: ({ text }) => Promise.resolve(`"${text}"`) },
            webhooks,
            account: () => Promise.resolve(this.account),
            report,
            rules,
          },
          environment,
        ),
      report,
      reportOnce: async (call, fault) => {
        if (this.beforeNotification !== undefined) await this.beforeNotification(call.sid);
        const isThere = this.faults.some((known) => known.callSid === call.sid && known.fault.code === fault.code);
        if (!isThere) report(call, fault);
      },
      deliver,
    };
    return environment;
  }

  routing(): RoutingPorts {
    return {
      homeDomain: HOME,
      phoneByName: (name) => Promise.resolve(this.phones.get(name)),
      phoneByNumber: (number) => Promise.resolve(this.#phoneByNumber(number)),
      numberOwned: (number) => Promise.resolve(this.numbers.get(number)),
      domainByName: (name) => Promise.resolve(this.domains.get(name)),
      isLocalHost: (host) => host === '127.0.0.1',
      trunks: () => Promise.resolve(this.trunks),
      registered: (aor) => {
        const name = aor.slice('sip:'.length).split('@')[0] ?? '';
        const known = this.userAgent.behaviours.has(name) && !this.unregistered.has(name);
        return Promise.resolve(known ? [{ uri: `sip:${name}@192.0.2.1` }] : []);
      },
      clientDevices: () => Promise.resolve([]),
      mayDialHost: (host) => host.endsWith('.allowed'),
    };
  }

  #phoneByNumber(number: string): Phone | undefined {
    return [...this.phones.values()].find((phone) => phone.number === number);
  }
}

const HANDLING = {
  voiceUrl: null,
  voiceMethod: 'POST',
  voiceFallbackUrl: null,
  voiceFallbackMethod: 'POST',
  statusCallback: null,
  statusCallbackMethod: 'POST',
  smsUrl: null,
  smsMethod: 'POST',
  smsFallbackUrl: null,
  smsFallbackMethod: 'POST',
  dateCreated: 0,
  dateUpdated: 0,
} as const;
