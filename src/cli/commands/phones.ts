import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { COMMAND } from '../../base/command-name.ts';
import { sleep, systemClock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import { CliError } from '../cli-error.ts';
import { ServerClient, type ServerOptions } from '../server-client.ts';
import { withServerOptions } from '../server-options.ts';
import { table } from '../table.ts';

interface PhoneAnswer {
  readonly name: string;
  readonly number: string | null;
  readonly password?: string;
  readonly registrar: string;
  readonly script: string | null;
  readonly contacts: readonly { readonly contact: string; readonly userAgent?: string }[];
}

interface Result {
  readonly call: number;
  readonly startedAt: number;
  readonly direction: 'in' | 'out';
  readonly from: string;
  readonly to: string;
  readonly state: 'running' | 'held' | 'failed';
  readonly line?: string;
  readonly why?: string;
  readonly transcript: readonly string[];
}

interface Options extends ServerOptions {
  readonly json?: boolean;
  readonly password?: string;
  readonly number?: string;
  readonly script?: string;
}

const POLL_MS = 200;

/** `tandem phone add`, `list`, `results`, `run`, `remove`. */
export function addPhoneCommands(program: Command): void {
  const phone = program.command('phone').description('phones that register here');
  withServerOptions(
    phone
      .command('add <name>')
      .description('let a phone register under a name')
      .option('--password <password>', 'default: one is made and printed')
      .option('--number <+E164>', 'number that rings it besides its name')
      .option('--script <file>', 'the server itself answers for this phone, by these steps (docs/scripted-phone.md)'),
  ).action(addPhone);
  withServerOptions(phone.command('list').description('phones and where they are registered')).action(listPhones);
  withServerOptions(
    phone.command('results <name>').description('what became of the last calls of a scripted phone'),
  ).action(showResults);
  withServerOptions(
    phone.command('run <name>').description('make the call of a script that begins with "call"; exit code 1: failed'),
  ).action(runPhone);
  withServerOptions(phone.command('remove <name>').description('take a phone away')).action(removePhone);
}

async function addPhone(name: string, options: Options): Promise<void> {
  const client = await ServerClient.find(options);
  const { password, number } = options;
  const script = await scriptOf(options.script);
  const made = (await client.control('POST', '/phones', { name, password, number, script })) as PhoneAnswer;
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(made)}\n`);
    return;
  }
  if (made.script !== null) {
    const where = made.contacts.length === 0 ? 'not registered yet' : 'registered';
    const number = made.number === null ? '' : ` at ${made.number}`;
    process.stdout.write(`Phone ${made.name}${number} does what ${made.script} says (${where}).\n`);
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
    process.stdout.write(`No phones yet. Add one with: ${COMMAND} phone add NAME\n`);
    return;
  }
  const rows = phones.map(({ name, number, script, contacts }) => [
    name,
    number ?? '',
    contacts.length === 0 ? 'not registered' : contacts.map((each) => each.contact).join(' '),
    script ?? contacts[0]?.userAgent ?? '',
  ]);
  process.stdout.write(`${table(['NAME', 'NUMBER', 'REGISTERED AT', 'DEVICE OR SCRIPT'], rows)}\n`);
}

async function removePhone(name: string, options: Options): Promise<void> {
  const client = await ServerClient.find(options);
  await client.control('DELETE', `/phones/${encodeURIComponent(name)}`);
  process.stdout.write(options.json === true ? '{"removed":true}\n' : `Phone ${name} is gone.\n`);
}

async function scriptOf(path: string | undefined): Promise<{ name: string; text: string } | undefined> {
  if (path === undefined) return undefined;
  try {
    return { name: basename(path), text: await readFile(path, 'utf8') };
  } catch (error) {
    throw new CliError(`the script cannot be read: ${errorText(error)}`);
  }
}

async function resultsOf(client: ServerClient, name: string): Promise<readonly Result[]> {
  const path = `/phones/${encodeURIComponent(name)}/results`;
  return ((await client.control('GET', path)) as { results: readonly Result[] }).results;
}

async function showResults(name: string, options: Options): Promise<void> {
  const results = await resultsOf(await ServerClient.find(options), name);
  if (options.json === true) process.stdout.write(`${JSON.stringify({ results })}\n`);
  else if (results.length === 0) process.stdout.write(`No calls of ${name} yet.\n`);
  else process.stdout.write(`${results.map(shown).join('\n\n')}\n`);
}

function shown(result: Result): string {
  const { call, startedAt, from, to, state, line, why, transcript } = result;
  return [
    `call ${call}  ${new Date(startedAt).toISOString()}  ${from} -> ${to}  ${state}`,
    ...transcript,
    ...(why === undefined ? [] : [`failed${line === undefined ? '' : ` at ${line}`}`, `  ${why}`]),
  ].join('\n');
}

async function runPhone(name: string, options: Options): Promise<void> {
  const client = await ServerClient.find(options);
  const { call } = (await client.control('POST', `/phones/${encodeURIComponent(name)}/run`)) as { call: number };
  for (;;) {
    const result = (await resultsOf(client, name)).find((each) => each.call === call);
    if (result === undefined) throw new CliError(`call ${call} of ${name} is no longer known`);
    if (result.state !== 'running') {
      process.stdout.write(`${options.json === true ? JSON.stringify(result) : shown(result)}\n`);
      if (result.state === 'failed') throw new CliError('an expectation did not hold');
      return;
    }
    await sleep(systemClock, POLL_MS);
  }
}
