import type { Command } from 'commander';
import { ServerClient, type ServerOptions } from '../server-client.ts';
import { withServerOptions } from '../server-options.ts';
import { table } from '../table.ts';
import { wholeNumber } from '../whole-number.ts';

interface TrunkAnswer {
  readonly name: string;
  readonly uri: string;
  readonly prefixes: readonly string[];
  readonly maxCalls: number;
  readonly register: boolean;
  readonly state: string;
}

type Options = ServerOptions & {
  readonly json?: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly register?: boolean;
  readonly prefix?: readonly string[];
  readonly maxCalls?: number;
};

/** `tandem trunk add`, `list`, `remove`. */
export function addTrunkCommands(program: Command): void {
  const trunk = program.command('trunk').description('lines to other exchanges');
  withServerOptions(
    trunk
      .command('add <name> <sip-uri>')
      .description('a line to another exchange, e.g. sip:gateway.example:5060')
      .option('--username <name>', 'digest user name there')
      .option('--password <password>', 'digest password there')
      .option('--register', 'keep a registration there, so that calls come in')
      .option('--prefix <prefix...>', 'numbers that may go out, e.g. +1 +44; none: nothing goes out')
      .option('--max-calls <n>', 'calls at once (default: 10)', wholeNumber),
  ).action(addTrunk);
  withServerOptions(trunk.command('list').description('lines and their state')).action(listTrunks);
  withServerOptions(trunk.command('remove <name>').description('take a line away')).action(removeTrunk);
}

async function addTrunk(name: string, uri: string, options: Options): Promise<void> {
  const client = await ServerClient.find(options);
  const { username, password, register, prefix, maxCalls } = options;
  const body = { name, uri, username, password, register, prefixes: prefix, maxCalls };
  const made = (await client.control('POST', '/trunks', body)) as TrunkAnswer;
  const out =
    made.prefixes.length === 0
      ? 'no numbers yet (give --prefix)'
      : `numbers that begin with ${made.prefixes.join(', ')}`;
  process.stdout.write(
    `${options.json === true ? JSON.stringify(made) : `Trunk ${made.name} to ${made.uri} takes ${out}.`}\n`,
  );
}

async function listTrunks(options: Options): Promise<void> {
  const client = await ServerClient.find(options);
  const { trunks } = (await client.control('GET', '/trunks')) as { trunks: readonly TrunkAnswer[] };
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ trunks })}\n`);
    return;
  }
  const rows = trunks.map((each) => [each.name, each.uri, each.prefixes.join(' '), String(each.maxCalls), each.state]);
  process.stdout.write(`${table(['NAME', 'ADDRESS', 'PREFIXES', 'CALLS', 'STATE'], rows)}\n`);
}

async function removeTrunk(name: string, options: Options): Promise<void> {
  const client = await ServerClient.find(options);
  await client.control('DELETE', `/trunks/${encodeURIComponent(name)}`);
  process.stdout.write(options.json === true ? '{"removed":true}\n' : `Trunk ${name} is gone.\n`);
}
