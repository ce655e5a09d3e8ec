import type { Command } from 'commander';
import { ServerClient, type ServerOptions } from '../server-client.ts';
import { withServerOptions } from '../server-options.ts';

/** `tandem stop`: the server ends its calls, accounts for them and exits. */
export function addStopCommand(program: Command): void {
  withServerOptions(
    program.command('stop').description('stop the running server; its calls are ended and accounted'),
  ).action(async (options: ServerOptions & { json?: boolean }) => {
    const client = await ServerClient.find(options);
    await client.control('POST', '/stop', {});
    process.stdout.write(options.json === true ? '{"stopping":true}\n' : `The server at ${client.url} is stopping.\n`);
  });
}
