import { Option, type Command } from 'commander';

/** Options of every command that talks to a running server. */
export function withServerOptions(command: Command): Command {
  return command
    .addOption(new Option('--data <dir>', 'data folder of the server (default: ~/.tandem)'))
    .addOption(new Option('--server <url>', 'address of the server, e.g. http://127.0.0.1:3600'))
    .addOption(new Option('--token <sid:token>', 'account sid and auth token, with --server'))
    .addOption(new Option('--url <url>', 'the same as --server').hideHelp())
    .addOption(new Option('--json', 'answer as JSON'));
}
