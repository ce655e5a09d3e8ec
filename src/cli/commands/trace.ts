import { readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { errorText } from '../../base/errors.ts';
import { CHANNELS, type CallTrace, type TraceMessage } from '../../trace/call-trace.ts';
import { ladderText } from '../../trace/ladder-text.ts';
import { sequenceSvg } from '../../trace/sequence-svg.ts';
import { tellStory } from '../../trace/story.ts';
import { CliError } from '../cli-error.ts';
import { ServerClient, type ServerOptions } from '../server-client.ts';
import { withServerOptions } from '../server-options.ts';

const MAX_OTHERS_CHARS = 1_048_576;

type Options = ServerOptions & { readonly svg?: string; readonly with?: string; readonly json?: boolean };

export function addTraceCommand(program: Command): void {
  withServerOptions(
    program
      .command('trace <call>')
      .description('what passed between the parties of a call: browsers, phones, your application and this server')
      .option('--svg <file>', 'draw it as a sequence diagram into this file')
      .option('--with <file>', 'messages that others saw, a JSON object a line: at, from, to, text, detail'),
  ).action(trace);
}

async function trace(call: string, options: Options): Promise<void> {
  const others = options.with === undefined ? [] : await messagesOf(options.with);
  const client = await ServerClient.find(options);
  const told = (await client.control('GET', `/calls/${encodeURIComponent(call)}/trace`)) as CallTrace;
  if (told.messages.length === 0) {
    throw new CliError(
      `nothing is kept of ${call}: traces are of the latest calls since the server started (traceCalls sets how many; 0 keeps none)`,
    );
  }
  if (options.svg !== undefined) {
    await write(options.svg, sequenceSvg(tellStory(told, others)));
    process.stderr.write(`${options.svg} written\n`);
  }
  if (options.json === true) process.stdout.write(`${JSON.stringify(withOthers(told, others))}\n`);
  else if (options.svg === undefined) process.stdout.write(`${ladderText(tellStory(told, others))}\n`);
}

function withOthers(told: CallTrace, others: readonly TraceMessage[]): CallTrace {
  return { ...told, messages: [...told.messages, ...others].sort((a, b) => a.at - b.at) };
}

async function write(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (error) {
    throw new CliError(`the picture cannot be written: ${errorText(error)}`);
  }
}

async function messagesOf(path: string): Promise<readonly TraceMessage[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new CliError(`the messages of others cannot be read: ${errorText(error)}`);
  }
  if (text.length > MAX_OTHERS_CHARS) throw new CliError(`${path}: want at most ${MAX_OTHERS_CHARS} characters`);
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, index) => messageOf(line, `${path}:${index + 1}`));
}

function messageOf(line: string, where: string): TraceMessage {
  let fields: Partial<Record<keyof TraceMessage, unknown>>;
  try {
    fields = Object(JSON.parse(line)) as typeof fields;
  } catch {
    throw new CliError(`${where}: want a JSON object on a line`);
  }
  const { at, from, to, text, detail = '', reply = false, channel = 'page' } = fields;
  const named = CHANNELS.find((each) => each === channel);
  if (typeof at !== 'number' || !Number.isFinite(at))
    throw new CliError(`${where}: want "at", milliseconds since 1970`);
  if (named === undefined) throw new CliError(`${where}: "channel" is one of ${CHANNELS.join(', ')}`);
  const texts = { from, to, text, detail };
  const wrong = Object.entries(texts).find(([, value]) => typeof value !== 'string');
  if (wrong !== undefined) throw new CliError(`${where}: want a text as "${wrong[0]}"`);
  return { ...(texts as Record<keyof typeof texts, string>), at, channel: named, reply: reply === true };
}
