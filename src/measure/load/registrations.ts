import { readFile } from 'node:fs/promises';
import { silentLogger } from '../../base/logger.ts';
import { formatEndpoint } from '../../base/network.ts';
import { randomHex } from '../../base/random.ts';
import { contactFor } from '../../sip/core.ts';
import { DigestClient } from '../../sip/auth/digest-client.ts';
import type { Flow } from '../../sip/transport/hop.ts';
import { openSipClient, type SipClient } from '../../sip/uac/open-client.ts';
import { NO_BODY, SIP_VERSION, type SipRequest } from '../../wire/sip/message.ts';
import { inParallel } from './clean-up.ts';
import { LoadError } from './load-error.ts';
import { MAX_USERS, type RegistrationOptions } from './load-options.ts';
import type { LoadContext, Scenario } from './scenario.ts';
import { networkFrom, sourceAddresses } from './sources.ts';

/** The shortest that a registrar takes: what is left behind is gone a minute later. */
const EXPIRES_SECONDS = 60;
const MAX_OPEN = 50_000;
const PHONES_AT_A_TIME = 16;
const ID_BYTES = 12;
const TAG_BYTES = 6;

interface User {
  readonly username: string;
  readonly password: string;
}

/** REGISTER with digest: 401, then 200. Users in turn, sources in turn. */
export async function prepareRegistrations(options: RegistrationOptions, context: LoadContext): Promise<Scenario> {
  const { clock, random, tally, cleanUp, sip } = context;
  const users = options.usersFile === undefined ? await makePhones(options.users, context) : await readUsers(options);
  const clients: SipClient[] = [];
  for (const address of await sourceAddresses(options.sources, sip.address)) {
    const client = await openSipClient({
      clock,
      random,
      network: networkFrom(address),
      logger: silentLogger,
      listen: { address, port: 0 },
    });
    clients.push(client);
    cleanUp.add('a socket', () => client.close());
  }
  const hops = [{ transport: options.transport, remote: sip }] as const;
  const server = formatEndpoint(sip);
  let challenges = 0;
  const observer = {
    response: ({ status }: { readonly status: number }) => void (challenges += status === 401 ? 1 : 0),
  };
  return {
    maxOpen: MAX_OPEN,
    async work(index, intendedMs) {
      const user = users[index % users.length] as User;
      const client = clients[index % clients.length] as SipClient;
      const callId = randomHex(random, ID_BYTES);
      const tag = randomHex(random, TAG_BYTES);
      let sequence = 0;
      const outcome = await client.exchange(
        {
          hops: () => Promise.resolve(hops),
          compose: (flow) => register({ flow, user, server, callId, tag, sequence: (sequence += 1) }),
          // New for each, so that each is challenged, as a phone that starts.
          digest: new DigestClient(user, random),
          pinned: true,
        },
        observer,
      );
      if (outcome.kind !== 'response') {
        const label = outcome.kind === 'failed' && outcome.cause === 'timeout' ? 'no answer' : 'unreachable';
        return tally.end({ ok: false, label });
      }
      const { status, reason } = outcome.response;
      if (status !== 200) return tally.end({ ok: false, label: `${status} ${reason}` });
      tally.took(intendedMs, clock.now());
      tally.end({ ok: true });
    },
    finish: () => Promise.resolve({ figures: { users: users.length, challenges }, faults: [] }),
  };
}

interface Register {
  readonly flow: Flow;
  readonly user: User;
  readonly server: string;
  readonly callId: string;
  readonly tag: string;
  readonly sequence: number;
}

function register({ flow, user, server, callId, tag, sequence }: Register): SipRequest {
  const aor = `sip:${user.username}@${server}`;
  return {
    kind: 'request',
    method: 'REGISTER',
    uri: `sip:${server}`,
    version: SIP_VERSION,
    headers: [
      { name: 'Max-Forwards', value: '70' },
      { name: 'From', value: `<${aor}>;tag=${tag}` },
      { name: 'To', value: `<${aor}>` },
      { name: 'Call-ID', value: callId },
      { name: 'CSeq', value: `${sequence} REGISTER` },
      contactFor(flow, user.username),
      { name: 'Expires', value: String(EXPIRES_SECONDS) },
      { name: 'User-Agent', value: 'tandem load' },
    ],
    body: NO_BODY,
  };
}

async function makePhones(count: number, { door, cleanUp, mark, say, signal }: LoadContext): Promise<readonly User[]> {
  say(`making ${count} temporary phones (${mark}-…)`);
  const users: User[] = [];
  cleanUp.add('temporary phones', () =>
    inParallel(users, PHONES_AT_A_TIME, async ({ username }) => {
      await door.wanted(door.control('DELETE', `/phones/${username}`), `phone ${username} be removed`);
    }),
  );
  const names = Array.from({ length: count }, (_, index) => `${mark}-${index}`);
  await inParallel(names, PHONES_AT_A_TIME, async (name) => {
    if (signal.aborted) return;
    const answer = door.control('POST', '/phones', { name });
    const { password } = await door.wanted<{ readonly password: string }>(answer, 'temporary phones be made');
    users.push({ username: name, password });
  });
  return users;
}

async function readUsers({ usersFile }: RegistrationOptions): Promise<readonly User[]> {
  const path = usersFile ?? '';
  const text = await readFile(path, 'utf8').catch(() => undefined);
  const lines = (text ?? '').split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const users = lines.map((line) => {
    const [username, password, ...more] = line.trim().split(/\s+/);
    return username === undefined || password === undefined || more.length > 0 ? undefined : { username, password };
  });
  if (text === undefined || users.length === 0 || users.length > MAX_USERS || users.includes(undefined)) {
    const want = `want a file with 1 to ${MAX_USERS} lines NAME PASSWORD`;
    throw new LoadError(
      'bad-words',
      `--users-file ${path}: ${text === undefined ? 'cannot be read' : 'cannot be used'}; ${want}`,
    );
  }
  return users as readonly User[];
}
