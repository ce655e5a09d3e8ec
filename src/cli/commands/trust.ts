import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { ServerClient, type ServerOptions } from '../server-client.ts';
import { withServerOptions } from '../server-options.ts';

interface Trust {
  readonly authority?: string;
  readonly fingerprint?: string;
  readonly names: readonly string[];
  readonly endsAt: number;
  readonly https?: string;
}

/** Hosts of the vendor that SDKs ask, and that this server answers for. */
const VENDOR_HOSTS = ['api.twilio.com', 'voice-js.roaming.twilio.com', 'eventgw.twilio.com', 'sdk.twilio.com'];

export function addTrustCommand(program: Command): void {
  withServerOptions(
    program
      .command('trust')
      .description("what others need to trust this server's HTTPS: its certificate authority, names and environment")
      .option('--ca <file>', "write the authority's certificate (PEM) there"),
  ).action(async (options: ServerOptions & { readonly ca?: string; readonly json?: boolean }) => {
    const client = await ServerClient.find(options);
    const trust = (await client.control('GET', '/trust')) as Trust;
    if (options.json === true) {
      process.stdout.write(`${JSON.stringify(trust)}\n`);
      return;
    }
    if (options.ca !== undefined) await write(options.ca, trust);
    process.stdout.write(`${describe(trust, client.url, options.ca)}\n`);
  });
}

async function write(path: string, { authority }: Trust): Promise<void> {
  if (authority === undefined) {
    throw new CliError('the server uses a certificate of its operator; trust whoever signed it');
  }
  await writeFile(path, authority);
}

function describe(
  { authority, fingerprint, names, endsAt, https }: Trust,
  url: string,
  path = 'tandem-ca.pem',
): string {
  const host = https === undefined ? '127.0.0.1' : new URL(https).hostname;
  const shown = [
    `HTTPS        ${https ?? 'off'}`,
    `names        ${names.join(', ')}`,
    `valid until  ${new Date(endsAt).toISOString().slice(0, 10)}`,
  ];
  if (authority === undefined) return [...shown, "The certificate is the operator's own."].join('\n');
  return [
    ...shown,
    `authority    SHA-256 ${fingerprint ?? ''}`,
    '',
    authority.trim(),
    '',
    '# Node programs, with the SDK and no line changed: HTTPS on port 443, these lines in their hosts file, and',
    `#   TWILIO_CA_BUNDLE=${path}`,
    ...VENDOR_HOSTS.map((name) => `${host} ${name}`),
    '# or, without either, through this server as a proxy:',
    `#   HTTP_PROXY=${url} NODE_EXTRA_CA_CERTS=${path}`,
  ].join('\n');
}
