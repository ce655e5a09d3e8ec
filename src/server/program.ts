import { join } from 'node:path';
import { CredentialGuard } from '../api/authentication.ts';
import { buildApi } from '../api/build-api.ts';
import { registerConsole } from '../api/console/console.ts';
import { serveSignalling } from '../api/signalling-door.ts';
import { addTrustPage } from '../api/trust/trust-page.ts';
import type { Trust } from '../api/trust/trust.ts';
import { registerControlRoutes } from '../api/control-routes.ts';
import { systemClock } from '../base/clock.ts';
import { HoldBack } from '../base/hold-back.ts';
import { errorText } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { formatEndpoint, type Endpoint } from '../base/network.ts';
import { systemRandom } from '../base/random.ts';
import { InProcessBus } from '../bus/in-process.ts';
import { CallLane } from '../comms/calls/call-lane.ts';
import { CallTraces } from '../comms/call-traces.ts';
import { CallService } from '../comms/calls/call-service.ts';
import { HOME_DOMAIN, Place } from '../comms/place.ts';
import { loadMasterKey, parseKey } from '../comms/records/master-key.ts';
import { openRecords, type Records } from '../comms/records/records.ts';
import { openSecrets } from '../comms/records/secrets.ts';
import { ClientAdmission } from '../comms/client-admission.ts';
import { SipAdmission } from '../comms/sip-admission.ts';
import { MemoryDirectory } from '../directory/memory.ts';
import { openGuardedHttp } from '../http/guarded.ts';
import { DEVELOPMENT_TARGETS, TargetPolicy } from '../http/target-policy.ts';
import { Ledger } from '../ledger/ledger.ts';
import { openMediaPool } from '../media/media-pool.ts';
import { openSpeech } from '../media/speech-engine.ts';
import type { SpeechEngine } from '../media/speech.ts';
import { nodeResolver } from '../sip/locate/node-resolver.ts';
import { nodeNetwork } from '../sip/node-network.ts';
import { openUserAgent } from '../sip/open-user-agent.ts';
import type { UserAgent } from '../sip/user-agent.ts';
import { lockDataFolder } from '../store/data-folder-lock.ts';
import { openFileBlobs } from '../store/file-blobs.ts';
import { migrate } from '../store/migrate.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { Ears } from '../scripted-phone/ears.ts';
import { NamedSounds, NamingWebhooks } from '../scripted-phone/named-sounds.ts';
import { ObservedMedia } from '../scripted-phone/observed-media.ts';
import { ResidentPhones } from '../scripted-phone/resident-phones.ts';
import { TraceBook } from '../trace/trace-book.ts';
import { openWebphoneAgent } from '../webphone/open-webphone-agent.ts';
import { accountPace } from './account-pace.ts';
import { keepAlive, lastAlive } from './alive-mark.ts';
import { callEnvironment } from './call-environment.ts';
import { consolePorts, pageApplication } from './console.ts';
import { Cleanup } from './cleanup.ts';
import type { Config } from './config.ts';
import { ConnectionLimit } from './connection-limit.ts';
import { controlPorts } from './control.ts';
import { openDataFolder, removeRunFile, writeRunFile } from './data-folder.ts';
import { applyDeclared, FIRST_NUMBER, mainAccount } from './declared.ts';
import { listenHttp } from './http-door.ts';
import { Limits } from './limits.ts';
import { reachableAt } from './local-hosts.ts';
import { ConfigError } from './load-config.ts';
import { parsePortRange } from './listen-address.ts';
import { listenFrom, listenPlan, movedNotice } from './listening.ts';
import { LogBuffer } from './log-buffer.ts';
import { silenceShapes } from './silence.ts';
import { STORE_MIGRATIONS } from './store-migrations.ts';
import { relaySettings } from './relay-settings.ts';
import { placeCertificates } from './tls/place-certificates.ts';
import { openTlsDoor } from './tls/tls-door.ts';
import { watchPlayed } from './tracing/watch-party.ts';
import { watchRest, watchedWebhooks } from './tracing/watch-requests.ts';
import { linkingUserAgent, watchSip } from './tracing/watch-sip.ts';
import { watchWebphones } from './tracing/watch-webphones.ts';
import { VENDOR_HOSTS } from './tls/vendor-hosts.ts';
import { TrunkLines } from './trunk-lines.ts';

export interface ProgramOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `tandem stop` came over the control door. */
  onStopAsked(): void;
}

/** The running program. */
export interface Program {
  readonly http: string;
  /** The same over TLS. */
  readonly https?: string;
  readonly sip: { readonly udp: string; readonly tcp: string };
  readonly accountSid: string;
  readonly authToken: string;
  readonly speech: string;
  readonly firstNumber: string;
  readonly phones: number;
  /** What a person should know at the start. */
  readonly notices: readonly string[];
  liveCalls(): number;
  /** No new calls; every call is ended, written down and told. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** Joins the packages and opens the doors. Whatever was opened is closed again when a later part fails. */
export async function startProgram(config: Config, options: ProgramOptions): Promise<Program> {
  const cleanup = new Cleanup();
  try {
    return await start(config, options, cleanup);
  } catch (error) {
    // Why it does not start is what counts, not what then fails to close.
    await cleanup.run().catch(() => undefined);
    throw error;
  }
}

async function start(config: Config, options: ProgramOptions, cleanup: Cleanup): Promise<Program> {
  const logs = new LogBuffer(config.logLevel);
  const log = logs.logger;
  const limits = new Limits();
  const { environment } = options;
  const folder = await openDataFolder(config.data, config.ephemeral);
  cleanup.add(() => folder.remove());
  const lock = lockDataFolder(folder.path);
  cleanup.add(() => lock.release());
  const aliveUntil = await lastAlive(folder.path);

  // Slow beginnings that need nothing of each other run side by side.
  const rtp = parsePortRange('rtp', config.rtp);
  const mediaOpening = openMediaPool({
    portRange: rtp,
    logger: log,
    ...(config.mediaProcesses === undefined ? {} : { processes: config.mediaProcesses }),
  });
  const speechOpening = openTheSpeech(config, join(folder.path, 'speech'), environment['PATH'] ?? '');
  // Either may fail while something else is awaited; it is told where it is needed.
  speechOpening.catch(() => undefined);
  mediaOpening.catch(() => undefined);
  cleanup.add(async () => (await mediaOpening.catch(() => undefined))?.close());

  const store = await openStore(config, folder.path, log);
  cleanup.add(() => store.close());
  await migrate(store, STORE_MIGRATIONS, { clock: systemClock });
  const records = await openTheRecords(store, folder.path, environment);
  const blobs = await openFileBlobs({ folder: join(folder.path, 'blobs'), store, clock: systemClock });
  const sweeping = new AbortController();
  const sweep = blobs.sweep(sweeping.signal).then(
    (swept) => (swept === 0 ? undefined : log.info({ swept }, 'sounds that nothing refers to were deleted')),
    (error: unknown) => log.warn({ error: errorText(error) }, 'the folder of sounds could not be swept'),
  );
  cleanup.add(() => {
    sweeping.abort();
    return sweep;
  });
  const account = await mainAccount(config, records);
  const place = await Place.open({ records, store, clock: systemClock, random: systemRandom }, account);
  await applyDeclared(config, place, records);

  const certificates = await placeCertificates(config, { folder: folder.path, clock: systemClock, log });
  cleanup.add(() => certificates.close());
  const book = new TraceBook({ clock: systemClock, maxCalls: config.traceCalls });
  const outside = openGuardedHttp({ policy: targetPolicy(config), clock: systemClock, logger: log });
  const http = book.isOn ? watchedWebhooks(outside, book) : outside;
  cleanup.add(() => http.close());
  const names = new NamedSounds();
  const webhooks = new NamingWebhooks(
    { http, clock: systemClock, random: systemRandom, soundDirectory: join(folder.path, 'sounds') },
    names,
  );
  const trunkLines = new TrunkLines({ clock: systemClock, log });
  const sip = await openSip(config, { records, trunkLines, log, limits, book });
  cleanup.add(() => sip.close());
  cleanup.add(() => trunkLines.close());
  await trunkLines.start(await records.trunks.list(), sip);
  const webphones = openWebphoneAgent({
    clock: systemClock,
    random: systemRandom,
    log,
    directory: new MemoryDirectory({ clock: systemClock, logger: log }),
    admission: new ClientAdmission(records, systemClock),
    ...(book.isOn ? { watch: watchWebphones(book) } : {}),
  });
  cleanup.add(async () => webphones.close());
  const media = await mediaOpening;
  const speech = await speechOpening;
  const ears = new Ears();
  const lane = new CallLane({
    store,
    records,
    ledger: new Ledger(store),
    clock: systemClock,
    random: systemRandom,
    log,
    callsPerSecond: config.callsPerSecond,
    callsPerSecondFrom: config.callsPerSecondFrom,
    onFull: () => limits.refuse('call-queue'),
  });
  const ownUrl = { value: '' };
  const parts = {
    config,
    traces: new CallTraces({ clock: systemClock }),
    pageApplication: pageApplication(account.sid, () => ownUrl.value),
    account,
    place,
    records,
    blobs,
    webhooks,
    userAgent: linkingUserAgent(sip, book),
    webphones,
    media,
    callMedia: new ObservedMedia(media, (announcement) => {
      ears.announce(announcement);
      const { legId, sources } = announcement;
      if (legId !== undefined) watchPlayed(book, legId, sources);
    }),
    speech: names.speech(speech),
    lane,
    trunkLines,
    log,
    limits,
    book,
  };
  const publicUrl = { value: config.publicUrl ?? '' };
  const secureUrl: { value: string | undefined } = { value: undefined };
  const joined = callEnvironment({
    ...parts,
    bus: new InProcessBus({ logger: log }),
    publicUrl: () => publicUrl.value,
  });
  const service = new CallService(joined.forService);
  joined.attach(service);
  cleanup.add(() => joined.cutOff());
  await service.recover(aliveUntil);

  const failures = (door: string): HoldBack => {
    const hold = new HoldBack({ door, clock: systemClock, logger: log, shape: silenceShapes(config).guesses });
    cleanup.add(async () => hold.close());
    return hold;
  };
  const wrongCredentials = failures('HTTP credentials');
  const forgedTokens = failures('browser tokens');
  const guard = new CredentialGuard(wrongCredentials);
  const app = buildApi({
    guard,
    records,
    calls: service,
    sounds: blobs,
    clock: systemClock,
    logger: log,
    publicUrl: () => publicUrl.value,
    ...(book.isOn ? { watch: watchRest(book) } : {}),
    relay: relaySettings(config),
    pace: accountPace(config.requestsPerSecond, systemClock, () => limits.refuse('rest-requests')),
  });
  serveSignalling(app, { webphones, log, forgedTokens });
  const residents = new ResidentPhones({
    ...{ ears, names, log, rtp, voice: speech, domain: HOME_DOMAIN },
    ...{ clock: systemClock, random: systemRandom, network: nodeNetwork },
    door: doorFromHere(sip.addresses.udp),
  });
  cleanup.add(() => residents.close());
  const trust = async (): Promise<Trust> => {
    const { authority, authorityFingerprint: fingerprint, names: own, endsAt } = await certificates.open();
    return { authority, fingerprint, names: own, endsAt, https: secureUrl.value, vendorHosts: VENDOR_HOSTS };
  };
  addTrustPage(app, { trust, publicUrl: () => publicUrl.value });
  registerControlRoutes(
    app,
    controlPorts({
      ...{ ...parts, logs, service, residents, trust, guard, onStopAsked: options.onStopAsked },
      heldAtHttp: () => [...wrongCredentials.view(), ...forgedTokens.view()],
      freeAtHttp: (address) => [...wrongCredentials.free(address), ...forgedTokens.free(address)],
    }),
  );
  registerConsole(
    app,
    consolePorts({
      ...{ ...parts, service, ownUrl: () => ownUrl.value },
      about: () => ({
        ...{ http: publicUrl.value, https: secureUrl.value ?? null, speech: speech.name },
        sip: shownAddress(sip.addresses.udp),
      }),
    }),
  );
  cleanup.add(() => app.close());
  const httpPlan = listenPlan(config, 'http');
  const connections = new ConnectionLimit({ clock: systemClock, log });
  cleanup.add(async () => connections.close());
  const bound = await listenHttp(app, httpPlan, connections);
  const httpsPlan = config.https === 'off' ? undefined : listenPlan(config, 'https');
  const secure = await openTlsDoor(app, { certificates: certificates.open, plan: httpsPlan, log, connections });
  cleanup.add(async () => secure?.close());
  secureUrl.value = secure === undefined ? undefined : `https://${shownAddress(secure.endpoint)}`;
  const url = `http://${formatEndpoint(bound)}`;
  ownUrl.value = url;
  // Links are followed on other machines too where the door is open to them.
  const linked = shownAddress({ address: httpPlan.at.address, port: bound.port });
  publicUrl.value = (config.publicUrl ?? `http://${linked}`).replace(/\/+$/, '');
  await service.tellUntoldEnds();
  await startResidents(residents, records);
  await lane.start({
    start: (call) => service.start(call),
    interrupted: (call) => service.interrupted(call),
    expired: (call) => service.expired(call),
  });
  cleanup.add(() => lane.stop());
  await writeRunFile(folder.path, {
    ...{ pid: process.pid, url, accountSid: account.sid, authToken: account.authToken },
    ...(secureUrl.value === undefined ? {} : { https: secureUrl.value }),
  });
  cleanup.add(() => removeRunFile(folder.path));
  cleanup.add(keepAlive(folder.path, { clock: systemClock, log }));
  return {
    http: url,
    ...(secureUrl.value === undefined ? {} : { https: secureUrl.value }),
    sip: { udp: shownAddress(sip.addresses.udp), tcp: shownAddress(sip.addresses.tcp) },
    accountSid: account.sid,
    authToken: account.authToken,
    speech: speech.name === 'none' ? 'none found: Say is silent; install espeak-ng' : speech.name,
    firstNumber: (await records.numbers.list(account.sid, [], { size: 1 })).records[0]?.phoneNumber ?? FIRST_NUMBER,
    phones: (await records.phones.list()).length,
    notices: [
      ...[
        movedNotice(httpPlan, bound.port),
        ...(httpsPlan === undefined || secure === undefined ? [] : [movedNotice(httpsPlan, secure.endpoint.port)]),
        movedNotice(listenPlan(config, 'sip'), sip.addresses.udp.port),
      ].filter((notice) => notice !== undefined),
      ...notices(config),
    ],
    liveCalls: () => service.liveCalls,
    async drain() {
      await lane.stop();
      await service.drain();
      await joined.settled();
    },
    close: () => cleanup.run(),
  };
}

/** Every phone with a script is there, and registered, before anybody is told that the server is ready. */
async function startResidents(residents: ResidentPhones, records: Records): Promise<void> {
  await Promise.all(
    (await records.phones.list()).map(async ({ name, script, scriptPassword }) => {
      if (script !== null && scriptPassword !== null) await residents.add({ name, password: scriptPassword, script });
    }),
  );
}

/** The SIP door as this machine itself reaches it. */
function doorFromHere({ address, port }: Endpoint): Endpoint {
  const here: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  return { address: here[address] ?? address, port };
}

async function openStore(config: Config, folder: string, logger: Logger): Promise<Store> {
  if (config.postgresql !== undefined) {
    // Loaded only where it is used: the embedded default stays small.
    const { openPostgresStore } = await import('../store/postgresql-store.ts');
    return openPostgresStore({ connectionString: config.postgresql, clock: systemClock, logger });
  }
  return openSqliteStore({ path: join(folder, 'tandem.db'), clock: systemClock, logger });
}

async function openTheRecords(
  store: Store,
  folder: string,
  environment: ProgramOptions['environment'],
): Promise<Records> {
  const given = environment['TANDEM_MASTER_KEY'];
  const key = given === undefined ? await loadMasterKey(folder, systemRandom) : parseKey(given, 'TANDEM_MASTER_KEY');
  return openRecords({ store, secrets: openSecrets(key, systemRandom), clock: systemClock, random: systemRandom });
}

async function openTheSpeech(config: Config, cacheFolder: string, environmentPath: string): Promise<SpeechEngine> {
  const prefer = config.speechEngine;
  return openSpeech({ cacheFolder, clock: systemClock, environmentPath, ...(prefer === undefined ? {} : { prefer }) });
}

function targetPolicy(config: Config): TargetPolicy {
  try {
    return new TargetPolicy([...DEVELOPMENT_TARGETS, ...config.webhookAllow]);
  } catch (error) {
    throw new ConfigError(`webhookAllow: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

interface SipParts {
  readonly records: Records;
  readonly trunkLines: TrunkLines;
  readonly log: Logger;
  readonly limits: Limits;
  readonly book: TraceBook;
}

async function openSip(config: Config, { records, trunkLines, log, limits, book }: SipParts): Promise<UserAgent> {
  const { incomingCallsPerSecond } = config;
  let userAgent: UserAgent | undefined = undefined;
  const admission = new SipAdmission({
    records,
    homeDomain: HOME_DOMAIN,
    trunkAddresses: (host) => trunkLines.addressesOf(host),
    isOwn: (source) =>
      userAgent !== undefined &&
      source.port === userAgent.addresses.udp.port &&
      isOwnAddress(source.address, userAgent),
  });
  userAgent = await listenFrom(listenPlan(config, 'sip'), (listen) =>
    openUserAgent({
      clock: systemClock,
      random: systemRandom,
      network: nodeNetwork,
      logger: log,
      directory: new MemoryDirectory({ clock: systemClock, logger: log }),
      resolver: nodeResolver,
      admission,
      listen,
      limits: {
        callRate: { burst: Math.ceil(incomingCallsPerSecond), perSecond: incomingCallsPerSecond },
        ...silenceShapes(config),
      },
      onRefused: (limit) => limits.refuse(limit),
      ...(book.isOn ? { watch: watchSip(book) } : {}),
      ...(config.advertise === undefined ? {} : { advertise: config.advertise }),
    }),
  );
  return userAgent;
}

function shownAddress(bound: Endpoint): string {
  const [best = bound] = reachableAt(bound);
  return formatEndpoint(best);
}

function isOwnAddress(address: string, userAgent: UserAgent): boolean {
  const own = userAgent.addresses.udp.address;
  return address === own || ((own === '0.0.0.0' || own === '::') && (address === '127.0.0.1' || address === '::1'));
}

function notices(config: Config): readonly string[] {
  return [
    `webhooks may reach this machine and its local network${config.webhookAllow.length === 0 ? '' : ` and ${config.webhookAllow.join(', ')}`}`,
    ...(config.lan
      ? ['open to the local network (--lan)']
      : ['reachable from this machine only; phones on the network need --lan']),
    ...(config.ephemeral ? ['nothing is kept (--ephemeral)'] : []),
  ];
}
