import { Command, CommanderError } from 'commander';
import { errorText, TandemError } from '../base/errors.ts';
import { CliError } from './cli-error.ts';
import { addCallCommands } from './commands/calls.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addLoadCommands } from './commands/load.ts';
import { addLogsCommand } from './commands/logs.ts';
import { addNumberCommands } from './commands/numbers.ts';
import { addStrangerCommands } from './commands/strangers.ts';
import { addPhoneCommands } from './commands/phones.ts';
import { addStopCommand } from './commands/stop.ts';
import { addTraceCommand } from './commands/trace.ts';
import { addTryCommand } from './commands/try.ts';
import { addTrustCommand } from './commands/trust.ts';
import { addTrunkCommands } from './commands/trunks.ts';
import { addUpCommand } from './commands/up.ts';
import { VERSION } from './version.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** Builds the whole command line; actions load what they need when they run. */
export function buildProgram(): Command {
  const program = new Command('tandem')
    .description('One self-hosted program that runs telephone applications written for Twilio.')
    .version(VERSION, '-V, --version')
    .showHelpAfterError('(tandem --help lists the commands; every command has --help)')
    .exitOverride();
  addUpCommand(program);
  addStopCommand(program);
  addPhoneCommands(program);
  addNumberCommands(program);
  addStrangerCommands(program);
  addTrunkCommands(program);
  addCallCommands(program);
  addTraceCommand(program);
  addTryCommand(program);
  addTrustCommand(program);
  addLoadCommands(program);
  addLogsCommand(program);
  addDoctorCommand(program);
  return program;
}

async function run(): Promise<number> {
  try {
    await buildProgram().parseAsync(process.argv);
    return 0;
  } catch (error) {
    // Commander has printed its own complaint already; help and version are no failures.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    process.stderr.write(`tandem: ${errorText(error)}\n`);
    if (!(error instanceof TandemError) && process.env['DEBUG'] !== undefined) console.error(error);
    return error instanceof CliError ? error.exitCode : EXIT_FAILED;
  }
}

// Imported, it only gives the command line: documentation is checked against it.
if (import.meta.main) {
  const code = await run();
  // A command that has done its work may still have found a failure (doctor): its own code stays.
  if (code !== 0) process.exitCode = code;
}
