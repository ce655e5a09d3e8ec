import type { Command } from 'commander';
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

/** `tandem number add`, `list`. */
export function addNumberCommands(program: Command): void {
  const number = program.command('number').description('numbers of this place, and the applications that answer them');
  withServerOptions(
    number
      .command('add <+E164>')
      .description('own a number')
      .option('--voice-url <url>', 'application that answers its calls')
      .option('--message-url <url>', 'application that answers its messages'),
  ).action(addNumber);
  withServerOptions(number.command('list').description('numbers and their applications')).action(listNumbers);
}

async function addNumber(phoneNumber: string, options: Options): Promise<void> {
  const client = await ServerClient.find(options);
  const made = (await client.rest('/IncomingPhoneNumbers.json', {
    PhoneNumber: phoneNumber,
    VoiceUrl: options.voiceUrl,
    SmsUrl: options.messageUrl,
  })) as NumberAnswer;
  const text = `${made.phone_number} is yours (${made.sid}). Calls go to ${made.voice_url ?? 'no application yet'}.`;
  process.stdout.write(`${options.json === true ? JSON.stringify(made) : text}\n`);
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
