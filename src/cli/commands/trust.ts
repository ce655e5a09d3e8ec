import { writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { Option, type Command } from 'commander';
import { errorText } from '../../base/errors.ts';
import { CliError } from '../cli-error.ts';
import { ServerClient, type ServerOptions } from '../server-client.ts';
import { withServerOptions } from '../server-options.ts';
import { withHosts } from '../trust/hosts-block.ts';
import { carryOut, installation, PARTS, type Outcome, type Part, type Wanted } from '../trust/installation.ts';
import { openMachine } from '../trust/machine.ts';
import { commandsFor } from '../trust/other-systems.ts';

interface Trust {
  readonly authority?: string;
  readonly fingerprint?: string;
  readonly names: readonly string[];
  readonly endsAt: number;
  readonly https?: string;
  readonly vendorHosts: readonly string[];
}

interface TrustOptions extends ServerOptions {
  readonly ca?: string;
  readonly json?: boolean;
  readonly install?: boolean;
  readonly uninstall?: boolean;
  readonly only?: Part;
  readonly also?: readonly string[];
  readonly address?: string;
  readonly dryRun?: boolean;
  readonly root?: string;
}

const CA_FILE = 'tandem-ca.pem';
const HTTPS_PORT = '443';
const HOST_NAME = /^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+$/;

export function addTrustCommand(program: Command): void {
  withServerOptions(
    program
      .command('trust')
      .description("what others need to trust this server's HTTPS: its certificate authority, names and environment")
      .option('--ca <file>', "write the authority's certificate (PEM) there")
      .option('--install', 'make this machine trust the server, and lead the hosts of the vendor to it')
      .option('--uninstall', 'take that back; needs no server')
      .addOption(new Option('--only <part>', 'with either: the authority alone, or the hosts alone').choices(PARTS))
      .option('--also <host...>', 'further hosts of the vendor, e.g. of another region')
      .option('--address <ip>', 'where those hosts shall be (default: where the server says that its HTTPS is)')
      .option('--dry-run', 'say what would be done, and do nothing')
      .option('--root <dir>', 'change the system whose files lie there, e.g. an image'),
  ).action(async (options: TrustOptions) => {
    if (options.install === true && options.uninstall === true) {
      throw new CliError('--install and --uninstall: want one of them');
    }
    if (options.uninstall === true) await change(undefined, options);
    else await trust(options);
  });
}

async function trust(options: TrustOptions): Promise<void> {
  const client = await ServerClient.find(options);
  const shown = (await client.control('GET', '/trust')) as Trust;
  if (options.ca !== undefined) await write(options.ca, shown);
  if (options.install === true) {
    await change(wantedOf(shown, options), options);
    const notice = portNotice(shown);
    if (notice !== undefined) process.stderr.write(`${notice}\n`);
    return;
  }
  process.stdout.write(`${options.json === true ? JSON.stringify(shown) : describe(shown, client.url, options)}\n`);
}

/** Installs what is wanted, or takes it back; on systems that it does not change itself it says what to type. */
async function change(wanted: Wanted | undefined, options: TrustOptions): Promise<void> {
  const typed = commandsFor(process.platform, {
    install: wanted !== undefined,
    hostsBlock: wanted === undefined ? '' : withHosts('', wanted.address, wanted.hosts),
    caFile: options.ca ?? CA_FILE,
  });
  if (typed !== undefined) {
    process.stdout.write(`${typed}\n`);
    return;
  }
  const machine = await openMachine(process.env, options.root);
  const parts = options.only === undefined ? PARTS : [options.only];
  const outcomes = await carryOut(await installation(machine, wanted, parts), { dryRun: options.dryRun === true });
  process.stdout.write(options.json === true ? `${JSON.stringify(outcomes)}\n` : listed(outcomes));
}

function listed(outcomes: readonly Outcome[]): string {
  const width = Math.max(...outcomes.map(({ outcome }) => outcome.length));
  return outcomes.map(({ outcome, text }) => `${outcome.padEnd(width)}  ${text}\n`).join('');
}

function wantedOf({ authority, https, vendorHosts }: Trust, options: TrustOptions): Wanted {
  const address = options.address ?? (https === undefined ? undefined : hostOf(https));
  if (address === undefined) throw new CliError('HTTPS is off at this server; start it with --https HOST:443');
  if (isIP(address) === 0) throw new CliError(`--address ${address}: want an IP address, which hosts files take alone`);
  for (const host of options.also ?? []) {
    if (!HOST_NAME.test(host)) throw new CliError(`--also ${host}: want a host name, e.g. api.tokyo.jp1.twilio.com`);
  }
  const hosts = [...new Set([...vendorHosts, ...(options.also ?? [])])];
  return { address, hosts, ...(authority === undefined ? {} : { authority }) };
}

/** SDKs come to 443 and nowhere else. */
function portNotice({ https }: Trust): string | undefined {
  if (https === undefined || new URL(https).port === '' || new URL(https).port === HTTPS_PORT) return undefined;
  return `note: SDKs come to port 443, and HTTPS is at ${https}; start the server with --https ${hostOf(https)}:443`;
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '');
}

async function write(path: string, { authority }: Trust): Promise<void> {
  if (authority === undefined) {
    throw new CliError('the server uses a certificate of its operator; trust whoever signed it');
  }
  try {
    await writeFile(path, authority);
  } catch (error) {
    throw new CliError(`--ca ${path} cannot be written: ${errorText(error)}; name a file in a folder that is there`);
  }
}

function describe(shown: Trust, url: string, options: TrustOptions): string {
  const { authority, fingerprint, names, endsAt, https, vendorHosts } = shown;
  const path = options.ca ?? CA_FILE;
  const lines = [
    `HTTPS        ${https ?? 'off'}`,
    `names        ${names.join(', ')}`,
    `valid until  ${new Date(endsAt).toISOString().slice(0, 10)}`,
  ];
  if (authority === undefined) return [...lines, "The certificate is the operator's own."].join('\n');
  const address = options.address ?? (https === undefined ? '127.0.0.1' : hostOf(https));
  const notice = portNotice(shown);
  return [
    ...lines,
    `authority    SHA-256 ${fingerprint ?? ''}`,
    '',
    authority.trim(),
    '',
    '# Node programs, with the SDK and no line changed: HTTPS on port 443, these lines in their hosts file, and',
    `#   NODE_EXTRA_CA_CERTS=${path}`,
    ...(notice === undefined ? [] : [`# ${notice}`]),
    withHosts('', address, [...vendorHosts, ...(options.also ?? [])]).trimEnd(),
    '# or, without hosts entries, through this server as a proxy:',
    `#   HTTP_PROXY=${url} NODE_EXTRA_CA_CERTS=${path}`,
    '# This machine does both with: tandem trust --install (--dry-run says what that changes).',
    `# Other people find all this, and the authority, at ${url}/trust`,
  ].join('\n');
}
