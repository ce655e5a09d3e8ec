import type { Command } from 'commander';
import { ServerClient, type ServerOptions } from '../server-client.ts';
import { withServerOptions } from '../server-options.ts';
import { table } from '../table.ts';

type Options = ServerOptions & { readonly json?: boolean };

interface Held {
  readonly door: string;
  readonly source: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly times: number;
  readonly dropped: number;
}

/** `tandem strangers list`, `free`. */
export function addStrangerCommands(program: Command): void {
  const strangers = program.command('strangers').description('addresses that are not answered for a while');
  withServerOptions(strangers.command('list').description('who is held back, at which door and until when')).action(
    listHeld,
  );
  withServerOptions(
    strangers.command('free <address>').description('answer an address again, and keep nothing against it'),
  ).action(free);
}

async function listHeld(options: Options): Promise<void> {
  const client = await ServerClient.find(options);
  const { heldBack } = (await client.control('GET', '/held-back')) as { readonly heldBack: readonly Held[] };
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(heldBack)}\n`);
    return;
  }
  const rows = heldBack.map(({ door, source, until, times, dropped }) => [
    source.split(' ').at(-1) ?? source,
    door,
    new Date(until).toISOString(),
    String(times),
    String(dropped),
  ]);
  process.stdout.write(
    rows.length === 0 ? 'Nobody is held back.\n' : `${table(['ADDRESS', 'DOOR', 'UNTIL', 'TIMES', 'DROPPED'], rows)}\n`,
  );
}

async function free(address: string, options: Options): Promise<void> {
  const client = await ServerClient.find(options);
  const { freed } = (await client.control('DELETE', `/held-back/${encodeURIComponent(address)}`)) as {
    readonly freed: readonly Held[];
  };
  const doors = freed.map(({ door }) => door).join(', ');
  process.stdout.write(
    options.json === true ? `${JSON.stringify(freed)}\n` : `${address} is answered again (${doors}).\n`,
  );
}
