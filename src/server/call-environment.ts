import { systemClock } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import { TaskGroup } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import { systemRandom } from '../base/random.ts';
import type { CallSid } from '../base/sid.ts';
import type { Bus } from '../bus/bus.ts';
import type { CallLane } from '../comms/calls/call-lane.ts';
import type { CallService } from '../comms/calls/call-service.ts';
import type { CallEnvironment } from '../comms/calls/environment.ts';
import { startFlow } from '../comms/calls/flow.ts';
import { LiveCalls } from '../comms/calls/live-calls.ts';
import { isOwnHost, resolve, type RoutingPorts } from '../comms/calls/routing.ts';
import { TrunkCapacity } from '../comms/calls/trunk-capacity.ts';
import type { Fault } from '../comms/faults.ts';
import type { CallTraces } from '../comms/call-traces.ts';
import type { Account, Application, Call } from '../comms/model.ts';
import { OrderedDelivery } from '../comms/ordered-delivery.ts';
import { HOME_DOMAIN, type Place } from '../comms/place.ts';
import type { Party } from '../comms/party.ts';
import type { Records } from '../comms/records/records.ts';
import type { Webhooks, WebhookSender } from '../comms/webhooks.ts';
import type { CallMedia } from '../comms/calls/call-media.ts';
import type { MediaPool } from '../media/media-pool.ts';
import type { SpeechEngine } from '../media/speech.ts';
import type { UserAgent } from '../sip/user-agent.ts';
import type { FileBlobs } from '../store/file-blobs.ts';
import type { TraceBook } from '../trace/trace-book.ts';
import type { WebphoneAgent } from '../webphone/webphone.ts';
import type { Config } from './config.ts';
import type { Limits } from './limits.ts';
import { isLocalHost, isLocalNetwork } from './local-hosts.ts';
import { withAllowedRedirections } from './redirections.ts';
import { watchParty } from './tracing/watch-party.ts';
import type { TrunkLines } from './trunk-lines.ts';
import { WatchedMedia } from './watched-media.ts';

export interface CallParts {
  readonly config: Config;
  readonly account: Account;
  readonly place: Place;
  readonly records: Records;
  readonly blobs: FileBlobs;
  readonly webhooks: Webhooks;
  readonly userAgent: UserAgent;
  readonly webphones: WebphoneAgent;
  readonly media: MediaPool;
  /** The same, heard by the scripted phones. */
  readonly callMedia: CallMedia;
  readonly speech: SpeechEngine;
  readonly lane: CallLane;
  readonly trunkLines: TrunkLines;
  readonly log: Logger;
  readonly limits: Limits;
  readonly bus: Bus;
  readonly publicUrl: () => string;
  readonly book: TraceBook;
  readonly traces: CallTraces;
  /** The application behind the first page's own phone. */
  readonly pageApplication: Application;
}

export interface JoinedEnvironment {
  readonly forService: CallEnvironment;
  /** The service hears of media processes that die. */
  attach(service: CallService): void;
  /** Resolves when every event was delivered or given up, and every notification is on disk. */
  settled(): Promise<void>;
  /** The program closes: what is cut off now is nobody's fault, and an end that is not told stays to be told. */
  cutOff(): void;
}

/** Joins records, SIP, media and webhooks to what the call service stands on. */
export function callEnvironment(parts: CallParts): JoinedEnvironment {
  const { records, log, lane, userAgent, config, place } = parts;
  const tasks = new TaskGroup((error) => log.error({ error: errorText(error) }, 'a notification could not be written'));
  const events = new OrderedDelivery((error) =>
    log.error({ error: errorText(error) }, 'an event could not be delivered'),
  );
  const routing = routingPorts(parts);
  let service: CallService | undefined;
  let isCutOff = false;

  const note = (call: Call, { code, level, message }: Fault): void => {
    const told = { callSid: call.sid, code, severity: level };
    if (level === 'error') log.warn(told, message);
    else log.info(told, message);
    parts.traces.step(call, { kind: 'fault', code, level, message });
  };
  const report = (call: Call, fault: Fault): void => {
    if (isCutOff) return;
    note(call, fault);
    tasks.run(async () => void (await records.notifications.create(notificationOf(call, fault))));
  };
  const reportOnce: CallEnvironment['reportOnce'] = async (call, fault) => {
    await records.notifications.createOnce(notificationOf(call, fault));
    note(call, fault);
  };
  const deliver: CallEnvironment['deliver'] = (call, event) => {
    const taken = events.deliver(call.sid, async () => {
      const { authToken } = await accountOf(call, records);
      const sender: WebhookSender = {
        accountSid: call.accountSid,
        authToken,
        report: (fault) => report(call, fault),
        exchanged: (exchange) => parts.traces.step(call, { kind: 'request', ...exchange }),
      };
      await parts.webhooks.postEvent(event, sender);
      if (!isCutOff) await event.afterwards?.();
    });
    if (!taken) log.warn({ callSid: call.sid }, 'too many events of a call wait; this one is not told');
  };
  const environment: CallEnvironment = {
    clock: systemClock,
    random: systemRandom,
    log,
    bus: parts.bus,
    userAgent: withAllowedRedirections(userAgent, {
      isLocalHost,
      mayDialHost: routing.mayDialHost,
      trunks: () => records.trunks.list(),
      trunkAddresses: (host) => parts.trunkLines.addressesOf(host),
    }),
    webphones: parts.webphones,
    media: new WatchedMedia(parts.callMedia, parts.limits, (node, reason) => service?.mediaLost(node, reason)),
    calls: lane,
    lookups: {
      account: (sid) => records.accounts.find(sid),
      application: async (accountSid, sid) =>
        sid === parts.pageApplication.sid ? parts.pageApplication : records.applications.find(accountSid, sid),
      number: (number) => records.numbers.findByNumber(number),
      phone: (name) => records.phones.byName(name),
      phoneByNumber: (number) => records.phones.byNumber(number),
      trunk: (name) => records.trunks.byName(name),
    },
    recordings: {
      clock: systemClock,
      random: systemRandom,
      log,
      temporaryPath: (suffix) => parts.blobs.temporaryPath(suffix),
      discard: (path) => parts.blobs.discard(path),
      keep: (path, sid, changes) =>
        parts.blobs.adopt(path, (blobId) => [records.recordings.updateStatement(sid, { ...changes, blobId })]),
      insert: (recording) => records.recordings.insert(recording),
      update: (sid, changes) => records.recordings.change(sid, changes),
      unfinished: () => records.recordings.unfinished(),
      endsUntold: () => records.recordings.endsUntold(),
      endTold: (sid) => records.recordings.endTold(sid),
      ofCall: (call) => records.recordings.ofCall(call.sid),
      urlOf: ({ accountSid, sid }) => `${parts.publicUrl()}/2010-04-01/Accounts/${accountSid}/Recordings/${sid}`,
      deliver,
    },
    settings: {
      homeDomain: HOME_DOMAIN,
      directSound: config.directSound,
      emergencyNumbers: config.emergencyNumbers,
      ...(config.advertise === undefined ? {} : { advertisedAddress: config.advertise }),
      loopSecret: place.loopSecret(),
      mainAccount: parts.account.sid,
    },
    trunkCapacity: new TrunkCapacity(() => parts.limits.refuse('trunk-calls')),
    liveCalls: new LiveCalls(),
    resolve: (destination, context) => resolve(destination, context, routing),
    isOwnHost: (host, port) => isOwnHost(host, port, routing),
    startFlow: (live, first, rules) =>
      startFlow(
        live,
        first,
        {
          clock: systemClock,
          speech: parts.speech,
          webhooks: parts.webhooks,
          account: (call) => accountOf(call, records),
          report,
          rules,
        },
        environment,
      ),
    report,
    reportOnce,
    deliver,
    ...(parts.book.isOn ? { partyJoined: (sid: CallSid, party: Party) => watchParty(parts.book, sid, party) } : {}),
    observer: parts.traces,
  };
  return {
    forService: environment,
    attach: (made) => void (service = made),
    cutOff: () => void (isCutOff = true),
    async settled() {
      await events.settled();
      await tasks.settled();
    },
  };
}

function routingPorts({ records, userAgent, webphones, config }: CallParts): RoutingPorts {
  return {
    homeDomain: HOME_DOMAIN,
    phoneByName: (name) => records.phones.byName(name),
    phoneByNumber: (number) => records.phones.byNumber(number),
    numberOwned: (number) => records.numbers.findByNumber(number),
    domainByName: (name) => records.domains.findByName(name),
    isLocalHost: (host, port) =>
      (isLocalHost(host) || host === config.advertise) && (port === undefined || port === userAgent.addresses.udp.port),
    trunks: async (accountSid) => {
      const trunks = await records.trunks.list();
      const account = await records.accounts.find(accountSid);
      // Sub-accounts use the lines of the account that owns them.
      return trunks.filter((trunk) => trunk.accountSid === accountSid || trunk.accountSid === account?.ownerAccountSid);
    },
    registered: async (aor) => (await userAgent.bindings(aor)).map((binding) => binding.target),
    clientDevices: (accountSid, identity) => webphones.registered(accountSid, identity),
    mayDialHost: (host) => isLocalNetwork(host) || config.sipAllow.includes('any') || config.sipAllow.includes(host),
  };
}

async function accountOf(call: Call, records: Records): Promise<Account> {
  const account = await records.accounts.find(call.accountSid);
  if (account === undefined) throw new Error(`account ${call.accountSid} of call ${call.sid} is unknown`);
  return account;
}

function notificationOf(call: Call, fault: Fault): Parameters<Records['notifications']['create']>[0] {
  return {
    accountSid: call.accountSid,
    callSid: call.sid,
    log: fault.level === 'error' ? '0' : '1',
    errorCode: fault.code,
    messageText: fault.message,
    messageDate: systemClock.now(),
    requestMethod: fault.requestMethod ?? null,
    requestUrl: fault.requestUrl ?? null,
    requestVariables: fault.requestVariables ?? null,
    responseBody: fault.responseBody ?? null,
    responseHeaders: fault.responseHeaders ?? null,
  };
}
