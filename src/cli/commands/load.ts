import { InvalidArgumentError, Option, type Command } from 'commander';
import type { LoadOptions, LoadTarget } from '../../measure/load/load-options.ts';
import { quoted } from '../../base/parsed.ts';
import { CliError } from '../cli-error.ts';
import { locateServer, type ServerOptions } from '../server-client.ts';
import { withServerOptions } from '../server-options.ts';
import { numberFromZero, positiveNumber, wholeNumber } from '../whole-number.ts';

const EXIT_USAGE = 2;

interface Given extends ServerOptions {
  readonly json?: boolean;
  readonly rate?: number;
  readonly for: number;
  readonly poisson?: boolean;
  readonly sources?: number;
  readonly allowFailed: number;
  readonly remoteIsMine?: boolean;
  readonly transport: 'udp' | 'tcp';
  readonly users: number;
  readonly usersFile?: string;
  readonly hold: number;
  readonly sound?: boolean;
  readonly to?: string;
  readonly callers: number;
  readonly fromCount: number;
  readonly dial: 'no' | 'yes';
}

/** `tandem load calls`, `registrations`, `creates`: how much a running server takes. */
export function addLoadCommands(program: Command): void {
  const load = program.command('load').description('load a running server of your own, and say how it did');
  addCalls(load);
  addRegistrations(load);
  addCreates(load);
}

function addCalls(load: Command): void {
  common(load.command('calls').description('incoming calls to a number: INVITE, 200, ACK, talk, BYE'))
    .requiredOption('--rate <n>', 'calls per second', positiveNumber)
    .option('--hold <time>', 'how long a call is up', seconds, 1)
    .option('--sound', 'send and judge sound, both ways')
    .option('--to <number>', 'a number of yours; default: a temporary one, with an application of the tool')
    .addOption(transport())
    .option('--sources <n>', 'callers’ addresses, each a temporary trunk', wholeNumber, 1)
    .action((given: Given) =>
      run(given, (target) => ({
        ...shared(given, target),
        kind: 'calls',
        ratePerSecond: given.rate ?? 0,
        transport: given.transport,
        holdSeconds: given.hold,
        sound: given.sound === true,
        ...(given.to !== undefined && { to: given.to }),
      })),
    );
}

function addRegistrations(load: Command): void {
  common(load.command('registrations').description('phones that register: REGISTER, 401, REGISTER, 200'))
    .requiredOption('--rate <n>', 'registrations per second', positiveNumber)
    .option('--users <n>', 'temporary phones, removed at the end', wholeNumber, 100)
    .option('--users-file <file>', 'phones of yours instead: NAME PASSWORD a line')
    .addOption(transport())
    .option('--sources <n>', 'sockets, on loopback each with an address of its own', wholeNumber, 1)
    .action((given: Given) =>
      run(given, (target) => ({
        ...shared(given, target),
        kind: 'registrations',
        ratePerSecond: given.rate ?? 0,
        transport: given.transport,
        users: given.users,
        ...(given.usersFile !== undefined && { usersFile: given.usersFile }),
      })),
    );
}

function addCreates(load: Command): void {
  common(load.command('creates').description('POST Calls.json; every acknowledged call must be listed afterwards'))
    .option('--rate <n>', 'calls per second; default: each caller asks again once it was answered', positiveNumber)
    .option('--callers <n>', 'who ask at the same time, without --rate', wholeNumber, 64)
    .option('--from-count <n>', 'temporary From numbers', wholeNumber, 1)
    .addOption(
      new Option('--dial <how>', 'yes: wait until all were dialled (to a phone that is busy); no: cancel what waits')
        .choices(['no', 'yes'])
        .default('no'),
    )
    .action((given: Given) =>
      run(given, (target) => ({
        ...shared(given, target),
        kind: 'creates',
        ratePerSecond: given.rate,
        callers: given.callers,
        fromCount: given.fromCount,
        dial: given.dial === 'yes',
      })),
    );
}

function common(command: Command): Command {
  return withServerOptions(command)
    .option('--for <time>', 'how long new work begins (30s, 5m)', seconds, 10)
    .option('--poisson', 'begin at random times of that rate, instead of evenly')
    .option('--allow-failed <percent>', 'failed share up to which the exit code is 0', percent, 0.1)
    .option('--remote-is-mine', 'load a server on another machine: it is yours, and you may');
}

function transport(): Option {
  return new Option('--transport <name>', 'SIP over udp or tcp').choices(['udp', 'tcp']).default('udp');
}

function shared(
  given: Given,
  target: LoadTarget,
): Pick<LoadOptions, 'target' | 'durationSeconds' | 'spacing' | 'sources' | 'allowFailedPercent' | 'remoteIsMine'> {
  return {
    target,
    durationSeconds: given.for,
    spacing: given.poisson === true ? 'poisson' : 'even',
    sources: given.sources ?? 1,
    allowFailedPercent: given.allowFailed,
    remoteIsMine: given.remoteIsMine === true,
  };
}

async function run(given: Given, optionsFor: (target: LoadTarget) => LoadOptions): Promise<void> {
  const { LoadError, runLoad } = await import('../../measure/load/run-load.ts');
  const options = optionsFor(await locateServer(given));
  const stop = new AbortController();
  // The first Ctrl-C ends the run with its summary; a second one ends the tool as it always does.
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  const code = await runLoad(options, {
    signal: stop.signal,
    isTerminal: process.stdout.isTTY,
    json: given.json === true,
    print: (line) => void process.stdout.write(`${line}\n`),
  }).catch((error: unknown) => {
    const isUsage = error instanceof LoadError && error.code === 'bad-words';
    throw isUsage ? new CliError(error.message, EXIT_USAGE) : error;
  });
  if (code !== 0) process.exitCode = code;
}

function seconds(text: string): number {
  const match = /^(\d{1,6}(?:\.\d{1,3})?)(ms|s|m)?$/.exec(text);
  if (match === null) throw new InvalidArgumentError(`got ${quoted(text)}; want a time, e.g. 30s, 500ms or 5m`);
  const unit = match[2] === 'ms' ? 0.001 : match[2] === 'm' ? 60 : 1;
  return Number(match[1]) * unit;
}

function percent(text: string): number {
  return numberFromZero(text.replace(/%$/, ''));
}
