import type { Command } from 'commander';
import { numberFromZero, positiveNumber } from '../whole-number.ts';

interface UpOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly [key: string]: unknown;
}

/** `tandem up`: runs every role in this process (and its media children) until it is stopped. */
export function addUpCommand(program: Command): void {
  program
    .command('up')
    .description('run the server: calls over SIP, the REST API, TwiML')
    .option('--data <dir>', 'data folder (default: ~/.tandem)')
    .option('--config <file>', 'configuration file (default: tandem.json in the data folder)')
    .option('--http <host:port>', 'HTTP door (default: 127.0.0.1:3600); port 0: any free one')
    .option('--https <host:port>', 'the same over TLS (default: 127.0.0.1:3643); off: none')
    .option('--sip <host:port>', 'SIP over UDP and TCP (default: 127.0.0.1:5060)')
    .option('--rtp <low-high>', 'RTP ports (default: 20000-29999)')
    .option('--lan', 'listen on every address, for phones on the local network')
    .option('--advertise <address>', 'address written into SDP and Contact (behind a NAT)')
    .option('--calls-per-second <n>', 'rate of the outgoing lane of an account (default: 1)', positiveNumber)
    .option('--drain <seconds>', 'how long the first Ctrl-C waits for calls (default: 10)', numberFromZero)
    .option('--ephemeral', 'keep nothing: a data folder that goes when the program ends')
    .option('--log-level <level>', 'debug, info, warn, error or silent (default: warn)')
    .option('--json', 'print events as JSON; the first line is the ready event')
    .action(async (options: UpOptions) => {
      const { up } = await import('../../server/up.ts');
      const { config, json, ...flags } = options;
      process.exitCode = await up({ flags, file: config, json: json === true });
      // Sockets of clients that keep their connection open must not hold the program.
      process.exit();
    });
}
