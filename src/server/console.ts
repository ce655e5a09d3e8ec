import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isLoopbackHost } from '../api/console/admission.ts';
import type { ConsolePorts } from '../api/console/console-ports.ts';
import { OWN_TWIML_PATH } from '../api/console/own-twiml.ts';
import { systemClock } from '../base/clock.ts';
import { systemRandom } from '../base/random.ts';
import type { AccountSid, Sid } from '../base/sid.ts';
import { aorOf } from '../comms/calls/routing.ts';
import type { CallService } from '../comms/calls/call-service.ts';
import type { Application } from '../comms/model.ts';
import { HOME_DOMAIN } from '../comms/place.ts';
import type { CallParts } from './call-environment.ts';
import type { Config } from './config.ts';

/** As built by scripts/build-page.mjs: beside the program in a package, in the clone's own dist otherwise. */
const PAGE_FOLDERS = ['../page/', '../../dist/page/'];

export interface ConsoleParts extends Omit<CallParts, 'bus' | 'publicUrl'> {
  readonly service: CallService;
  /** Where this server reaches its own door. */
  ownUrl(): string;
  about(): Readonly<Record<string, string | null>>;
}

/** What the first page's door may ask, answered by the running parts. */
export function consolePorts(parts: ConsoleParts): ConsolePorts {
  const { records, traces, log, account, userAgent } = parts;
  return {
    ...{ clock: systemClock, random: systemRandom, log, records, traces, calls: parts.service },
    accountSid: account.sid,
    applicationSid: parts.pageApplication.sid,
    homeDomain: HOME_DOMAIN,
    trustLoopback: trustsLoopback(parts.config),
    pageFolder: pageFolder(),
    ownUrl: parts.ownUrl,
    phones: async () =>
      Promise.all(
        (await records.phones.list()).map(async ({ name, number }) => ({
          name,
          number,
          registered: (await userAgent.bindings(aorOf(name, HOME_DOMAIN))).length > 0,
        })),
      ),
    about: parts.about,
  };
}

/**
 * The application behind the page's phone. It is no row: nobody can change it, and nothing is left of it in the account.
 * Its sid stays the same, so that tokens outlive a restart.
 */
export function pageApplication(accountSid: AccountSid, ownUrl: () => string): Application {
  const digest = createHash('sha256').update(`page of ${accountSid}`).digest('hex');
  return {
    sid: `AP${digest.slice(0, 32)}` as Sid<'AP'>,
    accountSid,
    friendlyName: 'Phone of the first page',
    get voiceUrl() {
      return `${ownUrl()}${OWN_TWIML_PATH}/dial`;
    },
    voiceMethod: 'POST',
    ...{ voiceFallbackUrl: null, voiceFallbackMethod: 'POST', voiceCallerIdLookup: false },
    ...{ statusCallback: null, statusCallbackMethod: 'POST' },
    ...{ smsUrl: null, smsMethod: 'POST', smsFallbackUrl: null, smsFallbackMethod: 'POST', smsStatusCallback: null },
    ...{ messageStatusCallback: null, publicApplicationConnectEnabled: false, dateCreated: 0, dateUpdated: 0 },
  };
}

/** A public address means a proxy on this machine, whose visitors all seem to come from here. */
function trustsLoopback({ trustLoopback, publicUrl }: Config): boolean {
  if (!trustLoopback) return false;
  return publicUrl === undefined || isLoopbackHost(URL.parse(publicUrl)?.host);
}

function pageFolder(): string {
  const folders = PAGE_FOLDERS.map((path) => fileURLToPath(new URL(path, import.meta.url)));
  return folders.find((folder) => existsSync(folder)) ?? folders[0] ?? '';
}
