import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { COMMAND } from '../base/command-name.ts';
import { systemClock } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import { formatEndpoint, type Endpoint } from '../base/network.ts';
import { openSpeech } from '../media/speech-engine.ts';
import { nodeNetwork } from '../sip/node-network.ts';
import type { Config } from './config.ts';
import { examineDataFolder } from './doctor/data-folder.ts';
import type { Finding } from './doctor/finding.ts';
import {
  leftoversFinding,
  nodeFinding,
  openFilesFinding,
  processorsFinding,
  receiveBufferFinding,
} from './doctor/machine.ts';
import { addressesFinding } from './doctor/network.ts';
import { examineRunning } from './doctor/running.ts';
import { examinePostgresql, examineSqlite } from './doctor/store.ts';
import { STORE_MIGRATIONS } from './store-migrations.ts';
import { runFilePath, type RunFile } from './data-folder.ts';
import { parsePortRange } from './listen-address.ts';
import { listenPlan } from './listening.ts';
import { loadConfig } from './load-config.ts';

export interface DoctorOptions {
  readonly data: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A clock before this is wrong: certificates and signatures would not be valid. */
const EARLIEST_PLAUSIBLE_MS = Date.UTC(2026, 0, 1);
/** Below this an event loop timer and the wall clock agree. */
const MAX_CLOCK_DRIFT_MS = 100;
const COMMAND_TIMEOUT_MS = 3000;
const SPOKEN = 'Tandem is listening.';
const SLOW_SPEECH_MS = 2000;
const VENDOR_HOST = 'api.twilio.com';
const run = promisify(execFile);

/**
 * Looks at everything a call needs on this machine. Hosts of webhooks and a PostgreSQL server are connected to; nothing
 * else leaves this machine.
 */
export async function examine(options: DoctorOptions): Promise<readonly Finding[]> {
  let config: Config;
  let doors: readonly Door[];
  try {
    config = await loadConfig({ flags: { data: options.data }, environment: options.environment });
    doors = doorsOf(config);
  } catch (error) {
    return [{ subject: 'configuration', level: 'error', text: errorText(error) }];
  }
  const running = await runningServer(config.data);
  return [
    { subject: 'configuration', level: 'ok', text: `data folder ${config.data}` },
    nodeFinding(),
    ...(await examineDataFolder(config.data, options.environment['TANDEM_MASTER_KEY'])),
    config.postgresql === undefined
      ? examineSqlite(config.data, STORE_MIGRATIONS)
      : await examinePostgresql(config.postgresql),
    ...(running === undefined
      ? [
          { subject: 'server', level: 'warning', text: `not running; start it with: ${COMMAND} up` } as const,
          ...(await Promise.all(doors.map(portFinding))),
        ]
      : await examineRunning(running)),
    addressesFinding(config),
    await firewall(),
    await receiveBufferFinding(),
    await openFilesFinding(),
    processorsFinding(config.mediaProcesses),
    await leftoversFinding(),
    await speech(config, options.environment['PATH'] ?? ''),
    await clock(),
    ...(await vendor(options.environment, running)),
  ];
}

async function runningServer(data: string): Promise<RunFile | undefined> {
  try {
    const file = JSON.parse(await readFile(runFilePath(data), 'utf8')) as RunFile;
    process.kill(file.pid, 0);
    return file;
  } catch {
    return undefined;
  }
}

interface Door {
  readonly subject: string;
  readonly at: Endpoint;
  readonly flag: string;
  readonly open: (at: Endpoint) => Promise<{ close(): Promise<void> }>;
}

function doorsOf(config: Config): readonly Door[] {
  const { low } = parsePortRange('rtp', config.rtp);
  const { at: http } = listenPlan(config, 'http');
  const { at: sip } = listenPlan(config, 'sip');
  const stream: Door['open'] = (at) => nodeNetwork.listen(at);
  const datagrams: Door['open'] = (at) => nodeNetwork.bindDatagram(at);
  return [
    { subject: 'HTTP port', at: http, flag: '--http', open: stream },
    { subject: 'SIP port (TCP)', at: sip, flag: '--sip', open: stream },
    { subject: 'SIP port (UDP)', at: sip, flag: '--sip', open: datagrams },
    { subject: 'first RTP port', at: { address: sip.address, port: low }, flag: '--rtp', open: datagrams },
  ];
}

async function portFinding({ subject, at, flag, open }: Door): Promise<Finding> {
  try {
    await (await open(at)).close();
    return { subject, level: 'ok', text: `${formatEndpoint(at)} is free` };
  } catch (error) {
    const text = `${formatEndpoint(at)}: ${errorText(error)}; another can be named with ${flag}`;
    return { subject, level: 'warning', text };
  }
}

/** Only what can be seen without asking the network: whether this machine filters what comes in. */
async function firewall(): Promise<Finding> {
  const subject = 'firewall';
  for (const [program, args] of [
    ['ufw', ['status']],
    ['firewall-cmd', ['--state']],
    ['iptables', ['-S', 'INPUT']],
  ] as const) {
    const output = await run(program, [...args], { timeout: COMMAND_TIMEOUT_MS }).then(
      (done) => done.stdout,
      () => undefined,
    );
    if (output === undefined) continue;
    const active = /Status: active|^running|-P INPUT (DROP|REJECT)|-j (DROP|REJECT)/m.test(output);
    if (!active) continue;
    return {
      subject,
      level: 'warning',
      text: `${program} filters what comes in; phones on the network need the SIP port (UDP and TCP) and the RTP ports (UDP) opened`,
    };
  }
  return { subject, level: 'ok', text: 'none that filters what comes in was found' };
}

async function speech({ speechEngine: prefer }: Config, environmentPath: string): Promise<Finding> {
  const cacheFolder = await mkdtemp(join(tmpdir(), 'tandem-doctor-'));
  try {
    const engine = await openSpeech({
      cacheFolder,
      clock: systemClock,
      environmentPath,
      ...(prefer === undefined ? {} : { prefer }),
    });
    if (engine.name !== 'none') {
      const began = performance.now();
      await engine.speak({ text: SPOKEN });
      const tookMs = Math.round(performance.now() - began);
      const text = `${engine.name} spoke in ${tookMs} ms`;
      if (tookMs <= SLOW_SPEECH_MS) return { subject: 'speech', level: 'ok', text };
      return { subject: 'speech', level: 'warning', text: `${text}: callers wait that long for each new text of Say` };
    }
    return { subject: 'speech', level: 'error', text: 'no engine: Say would be silent; install espeak-ng or flite' };
  } catch (error) {
    return { subject: 'speech', level: 'error', text: errorText(error) };
  } finally {
    await rm(cacheFolder, { recursive: true, force: true });
  }
}

async function clock(): Promise<Finding> {
  const now = Date.now();
  if (now < EARLIEST_PLAUSIBLE_MS) {
    return { subject: 'clock', level: 'error', text: `the clock says ${new Date(now).toISOString()}: set it` };
  }
  const drift = Math.abs(Date.now() - systemClock.now());
  if (drift > MAX_CLOCK_DRIFT_MS) {
    return {
      subject: 'clock',
      level: 'warning',
      text: `the wall clock moved by ${Math.round(drift)} ms since this program began`,
    };
  }
  // Where systemd keeps the time it knows; elsewhere nothing is said.
  const synchronised = await run('timedatectl', ['show', '-p', 'NTPSynchronized', '--value'], {
    timeout: COMMAND_TIMEOUT_MS,
  }).then(
    (done) => done.stdout.trim(),
    () => '',
  );
  const text = new Date(now).toISOString();
  if (synchronised !== 'no') return { subject: 'clock', level: 'ok', text };
  return {
    subject: 'clock',
    level: 'warning',
    text: `${text}, kept by no time server: timedatectl set-ntp true, or the times of calls drift`,
  };
}

/** An app that is started from this shell with real credentials would reach the vendor unless it is pointed here. */
async function vendor(environment: DoctorOptions['environment'], running: RunFile | undefined): Promise<Finding[]> {
  const subject = 'apps';
  const { TWILIO_ACCOUNT_SID: sid, TWILIO_REGION: region, HTTP_PROXY: proxy } = environment;
  const findings: Finding[] = [];
  const redirected = /^[^#]*\bapi\.twilio\.com\b/m.test(await readFile('/etc/hosts', 'utf8').catch(() => ''));
  if (sid !== undefined && sid !== running?.accountSid && !redirected && proxy === undefined) {
    findings.push({
      subject,
      level: 'warning',
      text: `TWILIO_ACCOUNT_SID is set to an account that is not this server's, and ${VENDOR_HOST} is not redirected: an app started here sends real credentials to the vendor unless it sets client.api.baseUrl`,
    });
  }
  if (region?.includes(':') === true) {
    findings.push({
      subject,
      level: 'warning',
      text: `TWILIO_REGION holds a colon: the SDK then silently uses ${VENDOR_HOST}; set client.api.baseUrl instead`,
    });
  }
  if (findings.length === 0)
    findings.push({ subject, level: 'ok', text: 'no credentials of another account in this environment' });
  return findings;
}
