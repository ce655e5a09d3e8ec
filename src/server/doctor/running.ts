import { connect } from 'node:net';
import { COMMAND } from '../../base/command-name.ts';
import type { HeldSource } from '../../base/hold-back.ts';
import type { RunFile } from '../data-folder.ts';
import { failure, ok, warning, type Finding } from './finding.ts';

const ANSWER_TIMEOUT_MS = 3000;
const CONNECT_TIMEOUT_MS = 2000;
/** Beyond this the sound suffers; media processes take no new legs then. */
const LATE_MS = 30;
const MAX_TARGETS = 50;
const MAX_NAMED = 10;

interface Status {
  readonly liveCalls: number;
  readonly media: { readonly legs: number; readonly latenessMs: number; readonly accepting: boolean };
}

interface ShownPhone {
  readonly name: string;
  readonly contacts: readonly unknown[];
}

interface ShownTrunk {
  readonly name: string;
  readonly register: boolean;
  readonly state: string;
}

type Handling = Readonly<Record<string, unknown>>;

/** What the running server says of itself, and whether its applications can be reached. */
export async function examineRunning(run: RunFile): Promise<readonly Finding[]> {
  const ask = async (path: string): Promise<unknown> => {
    const authorization = `Basic ${Buffer.from(`${run.accountSid}:${run.authToken}`).toString('base64')}`;
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const response = await fetch(run.url + path, { headers: { authorization }, signal });
    if (!response.ok) throw new Error(`${path}: status ${response.status}`);
    return response.json();
  };
  let status: Status;
  try {
    status = (await ask('/tandem/v1/status')) as Status;
  } catch {
    return [
      failure(
        'server',
        `process ${run.pid} is there, but nothing answers at ${run.url}: when it is not tandem, start with ${COMMAND} up; else stop it`,
      ),
    ];
  }
  const account = `/2010-04-01/Accounts/${run.accountSid}`;
  const [{ phones }, { trunks }, { heldBack }, numbers, applications] = (await Promise.all([
    ask('/tandem/v1/phones'),
    ask('/tandem/v1/trunks'),
    ask('/tandem/v1/held-back'),
    ask(`${account}/IncomingPhoneNumbers.json?PageSize=1000`),
    ask(`${account}/Applications.json?PageSize=1000`),
  ])) as [
    { phones: readonly ShownPhone[] },
    { trunks: readonly ShownTrunk[] },
    { heldBack: readonly HeldSource[] },
    { incoming_phone_numbers: readonly Handling[] },
    { applications: readonly Handling[] },
  ];
  return [
    ok('server', `runs as process ${run.pid} at ${run.url}`),
    mediaFinding(status),
    phonesFinding(phones),
    ...trunks.map(trunkFinding),
    heldBackFinding(heldBack),
    ...(await webhookFindings([...numbers.incoming_phone_numbers, ...applications.applications])),
  ];
}

export function mediaFinding({ media }: Status): Finding {
  const text = `${media.legs} legs, ${Math.round(media.latenessMs)} ms late`;
  if (!media.accepting) {
    return failure(
      'media',
      `${text}: no media process takes a call now; end calls, or give the machine more processors`,
    );
  }
  if (media.latenessMs > LATE_MS) {
    return warning('media', `${text}, want at most ${LATE_MS}: something else takes the processors; the sound suffers`);
  }
  return ok('media', text);
}

export function phonesFinding(phones: readonly ShownPhone[]): Finding {
  const absent = phones.filter(({ contacts }) => contacts.length === 0).map(({ name }) => name);
  if (phones.length === 0) return ok('phones', `none; add one with: ${COMMAND} phone add NAME`);
  if (absent.length === 0) return ok('phones', `all ${phones.length} are registered`);
  return warning('phones', `not registered, so calls to them ring nowhere: ${absent.join(', ')} (docs/phones.md)`);
}

export function trunkFinding({ name, register, state }: ShownTrunk): Finding {
  const subject = `trunk ${name}`;
  if (/does not resolve/.test(state)) return warning(subject, `${state}: check its name and this machine's DNS`);
  if (register && !state.startsWith('registered')) {
    return warning(subject, `${state}: calls do not come in; check user name, password and tandem logs`);
  }
  return ok(subject, state);
}

export function heldBackFinding(held: readonly HeldSource[]): Finding {
  if (held.length === 0) return ok('strangers', 'nobody is held back');
  const named = held.slice(0, MAX_NAMED).map(({ door, source, until, times, dropped }) => {
    const ends = new Date(until).toISOString();
    return `${source} (${door}) until ${ends}, time ${times}, ${dropped} requests dropped`;
  });
  const rest = held.length > MAX_NAMED ? `; and ${held.length - MAX_NAMED} more` : '';
  return warning('strangers', `held back: ${named.join('; ')}${rest} (docs/operations.md#strangers)`);
}

/** Opens a connection to each host that webhooks go to, and sends nothing. */
export async function webhookFindings(handlings: readonly Handling[]): Promise<readonly Finding[]> {
  const urls = handlings.flatMap((each) =>
    ['voice_url', 'voice_fallback_url', 'status_callback'].map((field) => each[field]),
  );
  const targets = new Set(urls.flatMap((url) => (typeof url === 'string' ? (originOf(url) ?? []) : [])));
  const findings = await Promise.all(
    [...targets].slice(0, MAX_TARGETS).map(async (origin) => {
      if (await takesConnections(new URL(origin))) return ok('webhooks', `${origin} takes connections`);
      return warning('webhooks', `${origin} takes no connection: is the application started, and the URL right?`);
    }),
  );
  return findings;
}

function originOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).origin : undefined;
}

function takesConnections({ hostname, port, protocol }: URL): Promise<boolean> {
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve) => {
    const socket = connect({ host, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => settle(false));
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
