import { InvalidArgumentError, type Command } from 'commander';
import type { TryOptions } from '../../scripted-phone/try-document.ts';
import { CliError } from '../cli-error.ts';

const EXIT_USAGE = 2;

type Flag = 'press' | 'expect' | 'say';

type Options = Omit<TryOptions, 'steps' | 'environmentPath' | 'print'>;

/** `tandem try`: a test call in virtual time, without a server. */
export function addTryCommand(program: Command): void {
  // What the phone does has an order over all three flags.
  const steps: { readonly flag: Flag; readonly argument: string }[] = [];
  const collect =
    (flag: Flag) =>
    (argument: string): void => {
      if (argument.trim() === '') throw new InvalidArgumentError('Want something to do.');
      steps.push({ flag, argument });
    };
  program
    .command('try <document>')
    .description('call TwiML (a file or URL) by a scripted phone, in virtual time, and check what is heard')
    .option('--expect <text>', 'the phone hears this; in the order of the flags', collect('expect'))
    .option(
      '--press <keys@text>',
      'press keys once this was heard (1@"Welcome"), or after a time (1@3s)',
      collect('press'),
    )
    .option('--say <text@text>', 'say something once this was heard, or after a time', collect('say'))
    .option(
      '--script <file>',
      'steps, one a line: hear, press, say, wait, silence, request, dials, fault, hangup, ended',
    )
    .option('--answer <how>', 'what phones do that are dialled: yes, no or busy (default: yes)')
    .option('--called', 'the application calls the phone, instead of the phone the application')
    .option('--hangup-after <time>', 'the phone hangs up so long after the answer (5s)')
    .option('--patience <time>', 'how long the phone waits for what it expects (default: 60s of virtual time)')
    .option('--wav <file>', 'keep the sound of the call: left what the phone heard, right what it sent')
    .option('--recordings <dir>', 'keep the recordings that the flow makes')
    .option('--from <number>', 'number of the caller')
    .option('--to <number>', 'number that is called')
    .option('--method <method>', 'GET or POST for the first document (default: POST)')
    .option('--fallback <url>', 'where a document is fetched when the first cannot be had')
    .option('--status-callback <url>', 'is told of the end of the call')
    .option('--token <token>', 'auth token that signs the requests (default: TWILIO_AUTH_TOKEN)')
    .option('--account <sid>', 'account sid (default: TWILIO_ACCOUNT_SID)')
    .option('--speech <how>', 'murmur (the same everywhere) or engine (default: murmur, with --wav engine)')
    .option('--seed <n>', 'decides call sids and all that is random (default: 1)')
    .option('--json', 'one JSON object a line')
    .action(async (document: string, options: Options) => {
      const { PhoneError, tryDocument } = await import('../../scripted-phone/try-document.ts');
      const { env } = process;
      const [token, account] = [
        options.token ?? env['TWILIO_AUTH_TOKEN'],
        options.account ?? env['TWILIO_ACCOUNT_SID'],
      ];
      const held = await tryDocument(document, {
        ...options,
        ...(token === undefined ? {} : { token }),
        ...(account === undefined ? {} : { account }),
        steps: steps.splice(0),
        environmentPath: env['PATH'] ?? '',
        print: (line) => void process.stdout.write(`${line}\n`),
      }).catch((error: unknown) => {
        const isUsage = error instanceof PhoneError && error.code.startsWith('bad-');
        throw isUsage ? new CliError(error.message, EXIT_USAGE) : error;
      });
      if (!held) throw new CliError('an expectation did not hold');
    });
}
