import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { errorText } from '../base/errors.ts';
import type { HttpMethod } from '../comms/model.ts';
import { DOCUMENT_ORIGIN } from './document-folder.ts';
import { DEFAULT_PATIENCE_MS } from './expectations.ts';
import { PhoneError } from './phone-error.ts';
import type { Answering } from './phone-options.ts';
import { openPhone } from './phone.ts';
import { runScript } from './run-script.ts';
import { durationOf, expectSteps, parseScript, pressSteps, saySteps, type Step } from './script.ts';
import { lineOf } from './transcript-text.ts';

export { PhoneError };

/** What an application answers that checks signatures. */
const FORBIDDEN = 403;
const UNSIGNED =
  '  The application answered 403: it may know another auth token than zeros, which sign without --token or TWILIO_AUTH_TOKEN.';

/** The command line's words, as they were given. */
export interface TryOptions {
  /** `--press`, `--expect` and `--say` in their order. */
  readonly steps: readonly { readonly flag: 'press' | 'expect' | 'say'; readonly argument: string }[];
  /** Path of a file with steps; they come before those of the command line. */
  readonly script?: string;
  readonly answer?: string;
  readonly called?: boolean;
  readonly hangupAfter?: string;
  readonly patience?: string;
  readonly wav?: string;
  readonly recordings?: string;
  readonly from?: string;
  readonly to?: string;
  readonly method?: string;
  readonly fallback?: string;
  readonly statusCallback?: string;
  readonly token?: string;
  readonly account?: string;
  readonly speech?: string;
  readonly seed?: string;
  readonly json?: boolean;
  readonly environmentPath: string;
  readonly print: (line: string) => void;
}

/**
 * `tandem try`: calls the TwiML of a file or URL by a scripted phone and prints what happens. Resolves to whether all
 * expectations held. Rejects with PhoneError for words that have no meaning.
 */
export async function tryDocument(document: string, options: TryOptions): Promise<boolean> {
  const { print, json = false } = options;
  const steps = await stepsOf(options);
  const application = await applicationOf(document);
  const patienceMs = duration('--patience', options.patience) ?? DEFAULT_PATIENCE_MS;
  const hangUpAfterMs = duration('--hangup-after', options.hangupAfter);
  const method = methodOf(options.method);
  let isRefused = false;
  const phone = await openPhone({
    ...phoneOptions(options),
    patienceMs,
    ...(application.folder === undefined ? {} : { documents: application.folder }),
    onEvent: (event) => {
      isRefused ||= event.kind === 'request' && event.status === FORBIDDEN;
      print(json ? JSON.stringify(event) : lineOf(event, { showCall: event.call > 1 }));
    },
  });
  const result = await runScript(phone, application.url, {
    steps,
    listenMs: patienceMs,
    ...(options.called === undefined ? {} : { called: options.called }),
    ...(hangUpAfterMs === undefined ? {} : { hangUpAfterMs }),
    ...given({
      from: options.from,
      to: options.to,
      wav: options.wav,
      fallbackUrl: options.fallback,
      statusCallback: options.statusCallback,
      method,
    }),
  }).finally(() => phone.close());
  // After the last event: other phones of the call may hang up only now.
  if (json) print(JSON.stringify({ kind: 'result', ...result }));
  else if (!result.held) print(`failed at ${result.line}\n  ${result.why}`);
  if (!json && !result.held && isRefused && options.token === undefined) print(UNSIGNED);
  return result.held;
}

function phoneOptions(options: TryOptions): Parameters<typeof openPhone>[0] {
  const { answer, speech, seed, wav, environmentPath } = options;
  // Who keeps the sound wants to hear words in it.
  const chosen = speech ?? (wav === undefined ? 'murmur' : 'engine');
  return {
    environmentPath,
    speech: oneOf('--speech', chosen, ['murmur', 'engine'] as const),
    ...(answer === undefined ? {} : { answer: oneOf<Answering>('--answer', answer, ['yes', 'no', 'busy']) }),
    ...(seed === undefined ? {} : { seed: seedOf(seed) }),
    ...given({ authToken: options.token, accountSid: options.account, recordings: options.recordings }),
  };
}

async function stepsOf({ script, steps }: TryOptions): Promise<readonly Step[]> {
  const written = script === undefined ? [] : parseScript(await readText(script), basename(script));
  const readers = { press: pressSteps, expect: expectSteps, say: saySteps };
  return [...written, ...steps.flatMap(({ flag, argument }) => readers[flag](argument))];
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new PhoneError('bad-option', `the script cannot be read: ${errorText(error)}`, { cause: error });
  }
}

async function applicationOf(document: string): Promise<{ readonly url: string; readonly folder?: string }> {
  if (/^https?:\/\//i.test(document)) return { url: document };
  const path = resolve(document);
  const isFile = await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!isFile) {
    throw new PhoneError(
      'bad-option',
      `${document} is neither a file nor a URL: give the TwiML's file or its http address`,
    );
  }
  return { url: `${DOCUMENT_ORIGIN}/${encodeURIComponent(basename(path))}`, folder: dirname(path) };
}

function duration(flag: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : durationOf(text, `${flag} ${text}`);
}

function methodOf(text: string | undefined): HttpMethod | undefined {
  return text === undefined ? undefined : oneOf<HttpMethod>('--method', text.toUpperCase(), ['GET', 'POST']);
}

function seedOf(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new PhoneError('bad-option', `--seed ${text}: want a whole number`);
  return Number(text);
}

function oneOf<T extends string>(flag: string, text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw new PhoneError('bad-option', `${flag} ${text}: want ${choices.join(' or ')}`);
  return found;
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without what is undefined. */
function given<T extends object>(values: T): Given<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>;
}
