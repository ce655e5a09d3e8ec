import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { COMMAND } from '../../base/command-name.ts';
import { errorText } from '../../base/errors.ts';
import { CliError } from '../cli-error.ts';
import { ServerClient, type ServerOptions } from '../server-client.ts';
import { withServerOptions } from '../server-options.ts';
import { table } from '../table.ts';
import { countUpTo } from '../whole-number.ts';

interface CallAnswer {
  readonly sid: string;
  readonly from: string;
  readonly to: string;
  readonly status: string;
  readonly direction: string;
  readonly duration: string | null;
  readonly date_created: string;
}

/** A page of the REST API. */
const MAX_CALLS_SHOWN = 1000;

type Options = ServerOptions & {
  readonly json?: boolean;
  readonly twiml?: string;
  readonly limit?: number;
};

/** `tandem call` and `tandem calls`. */
export function addCallCommands(program: Command): void {
  program
    .command('call <from> <to>')
    .description('place a call and run TwiML on it')
    .option('--url <url>', 'address of the TwiML')
    .option('--twiml <file>', 'file with the TwiML')
    .option('--data <dir>', 'data folder of the server (default: ~/.tandem)')
    .option('--server <url>', 'address of the server, with --token')
    .option('--token <sid:token>', 'account sid and auth token, with --server')
    .option('--json', 'answer as JSON')
    .action(placeCall);
  withServerOptions(
    program
      .command('calls')
      .description('the newest calls')
      .option('--limit <n>', 'how many (default: 20)', countUpTo(MAX_CALLS_SHOWN)),
  ).action(listCalls);
}

async function placeCall(from: string, to: string, options: Options): Promise<void> {
  if ((options.url === undefined) === (options.twiml === undefined)) {
    throw new CliError('give the TwiML, either by --url URL or by --twiml FILE');
  }
  const { url: documentUrl, ...rest } = options;
  const client = await ServerClient.find(rest);
  const call = (await client.rest('/Calls.json', {
    From: from,
    To: to,
    Url: documentUrl,
    Twiml: options.twiml === undefined ? undefined : await readTwiml(options.twiml),
  })) as CallAnswer;
  const text = `${call.sid} ${call.status}: ${call.from} calls ${call.to}\n${COMMAND} trace ${call.sid} shows what becomes of it`;
  process.stdout.write(`${options.json === true ? JSON.stringify(call) : text}\n`);
}

async function readTwiml(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new CliError(`the TwiML file cannot be read: ${errorText(error)}`);
  }
}

async function listCalls(options: Options): Promise<void> {
  const client = await ServerClient.find(options);
  const page = (await client.rest(`/Calls.json?PageSize=${options.limit ?? 20}`)) as { calls: readonly CallAnswer[] };
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(page.calls)}\n`);
    return;
  }
  const rows = page.calls.map((each) => [
    each.date_created,
    each.sid,
    each.from,
    each.to,
    each.direction,
    each.status,
    each.duration === null ? '' : `${each.duration} s`,
  ]);
  process.stdout.write(`${table(['CREATED', 'SID', 'FROM', 'TO', 'DIRECTION', 'STATUS', 'LENGTH'], rows)}\n`);
}
