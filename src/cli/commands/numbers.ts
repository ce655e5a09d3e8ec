import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { ServerClient, type ServerOptions } from '../server-client.ts';
import { withServerOptions } from '../server-options.ts';
import { table } from '../table.ts';

type Options = ServerOptions & { readonly json?: boolean; readonly voiceUrl?: string; readonly messageUrl?: string };

interface NumberAnswer {
  readonly sid: string;
  readonly phone_number: string;
  readonly voice_url: string | null;
  readonly sms_url: string | null;
}

/** `tandem number add`, `set`, `list`, `remove`. */
export function addNumberCommands(program: Command): void {
  const number = program.command('number').description('numbers of this place, and the applications that answer them');
  withServerOptions(
    number
      .command('add <+E164>')
      .description('own a number')
      .option('--voice-url <url>', 'application that answers its calls')
      .option('--message-url <url>', 'application that answers its messages'),
  ).action(addNumber);
  withServerOptions(
    number
      .command('set <+E164>')
      .description('lead an owned number to another application; an empty URL: to none')
      .option('--voice-url <url>', 'application that answers its calls')
      .option('--message-url <url>', 'application that answers its messages'),
  ).action(setNumber);
  withServerOptions(number.command('remove <+E164>').description('give a number up')).action(removeNumber);
  withServerOptions(number.command('list').description('numbers and their applications')).action(listNumbers);
}

async function addNumber(phoneNumber: string, options: Options): Promise<void> {
  const client = await ServerClient.find(options);
  const made = (await client.rest('/IncomingPhoneNumbers.json', {
    PhoneNumber: phoneNumber,
    VoiceUrl: options.voiceUrl,
    SmsUrl: options.messageUrl,
  })) as NumberAnswer;
  const text = `${made.phone_number} is yours (${made.sid}). ${whereCallsGo(made)}`;
  process.stdout.write(`${options.json === true ? JSON.stringify(made) : text}\n`);
}

async function setNumber(phoneNumber: string, options: Options): Promise<void> {
  if (options.voiceUrl === undefined && options.messageUrl === undefined) {
    throw new CliError('give what is to change: --voice-url URL or --message-url URL');
  }
  const client = await ServerClient.find(options);
  const changed = (await client.rest(await pathOf(phoneNumber, client), {
    VoiceUrl: options.voiceUrl,
    SmsUrl: options.messageUrl,
  })) as NumberAnswer;
  const text = `${changed.phone_number} is changed. ${whereCallsGo(changed)}`;
  process.stdout.write(`${options.json === true ? JSON.stringify(changed) : text}\n`);
}

async function removeNumber(phoneNumber: string, options: Options): Promise<void> {
  const client = await ServerClient.find(options);
  await client.remove(await pathOf(phoneNumber, client));
  process.stdout.write(options.json === true ? '{"removed":true}\n' : `${phoneNumber} is gone.\n`);
}

async function pathOf(phoneNumber: string, client: ServerClient): Promise<string> {
  const query = new URLSearchParams({ PhoneNumber: phoneNumber, PageSize: '1000' }).toString();
  const found = (await client.rest(`/IncomingPhoneNumbers.json?${query}`)) as {
    incoming_phone_numbers: readonly NumberAnswer[];
  };
  // The query finds numbers that contain what was asked for.
  const number = found.incoming_phone_numbers.find((each) => each.phone_number === phoneNumber);
  if (number === undefined) {
    throw new CliError(`${phoneNumber} is not a number of this place, as +12025550100 (tandem number list shows them)`);
  }
  return `/IncomingPhoneNumbers/${number.sid}.json`;
}

function whereCallsGo({ voice_url: voiceUrl }: NumberAnswer): string {
  return `Calls go to ${voiceUrl === null || voiceUrl === '' ? 'no application yet' : voiceUrl}.`;
}

async function listNumbers(options: Options): Promise<void> {
  const client = await ServerClient.find(options);
  const page = (await client.rest('/IncomingPhoneNumbers.json?PageSize=1000')) as {
    incoming_phone_numbers: readonly NumberAnswer[];
  };
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(page.incoming_phone_numbers)}\n`);
    return;
  }
  const rows = page.incoming_phone_numbers.map((each) => [each.phone_number, each.voice_url ?? '', each.sms_url ?? '']);
  process.stdout.write(`${table(['NUMBER', 'VOICE URL', 'MESSAGE URL'], rows)}\n`);
}
