import type { Command } from 'commander';
import { ServerClient, type ServerOptions } from '../server-client.ts';
import { withServerOptions } from '../server-options.ts';
import { table } from '../table.ts';

interface PhoneAnswer {
  readonly name: string;
  readonly number: string | null;
  readonly password?: string;
  readonly registrar: string;
  readonly contacts: readonly { readonly contact: string; readonly userAgent?: string }[];
}

type Options = ServerOptions & { readonly json?: boolean; readonly password?: string; readonly number?: string };

/** `tandem phone add`, `list`, `remove`. */
export function addPhoneCommands(program: Command): void {
  const phone = program.command('phone').description('phones that register here');
  withServerOptions(
    phone
      .command('add <name>')
      .description('let a phone register under a name')
      .option('--password <password>', 'default: one is made and printed')
      .option('--number <+E164>', 'number that rings it besides its name'),
  ).action(addPhone);
  withServerOptions(phone.command('list').description('phones and where they are registered')).action(listPhones);
  withServerOptions(phone.command('remove <name>').description('take a phone away')).action(removePhone);
}

async function addPhone(name: string, options: Options): Promise<void> {
  const client = await ServerClient.find(options);
  const { password, number } = options;
  const made = (await client.control('POST', '/phones', { name, password, number })) as PhoneAnswer;
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(made)}\n`);
    return;
  }
  process.stdout.write(
    [
      `Phone ${made.name} may register:`,
      `  server    ${made.registrar}`,
      `  user      ${made.name}`,
      `  password  ${made.password ?? '(as given)'}`,
      ...(made.number === null ? [] : [`  number    ${made.number}`]),
      '',
    ].join('\n'),
  );
}

async function listPhones(options: Options): Promise<void> {
  const client = await ServerClient.find(options);
  const { phones } = (await client.control('GET', '/phones')) as { phones: readonly PhoneAnswer[] };
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ phones })}\n`);
    return;
  }
  if (phones.length === 0) {
    process.stdout.write('No phones yet. Add one with: tandem phone add NAME\n');
    return;
  }
  const rows = phones.map(({ name, number, contacts }) => [
    name,
    number ?? '',
    contacts.length === 0 ? 'not registered' : contacts.map((each) => each.contact).join(' '),
    contacts[0]?.userAgent ?? '',
  ]);
  process.stdout.write(`${table(['NAME', 'NUMBER', 'REGISTERED AT', 'DEVICE'], rows)}\n`);
}

async function removePhone(name: string, options: Options): Promise<void> {
  const client = await ServerClient.find(options);
  await client.control('DELETE', `/phones/${encodeURIComponent(name)}`);
  process.stdout.write(options.json === true ? '{"removed":true}\n' : `Phone ${name} is gone.\n`);
}
