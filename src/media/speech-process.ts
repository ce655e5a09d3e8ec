import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { SpeechError } from './speech-error.ts';

export interface SpeechProcess {
  readonly command: string;
  readonly arguments: readonly string[];
  /** Goes to standard input: as an argument, a text that begins with `-` would be read as an option. */
  readonly input: string;
  readonly environmentPath: string;
  readonly timeoutMs?: number;
  /** For programs that print what they were asked for and then report failure. */
  readonly anyExitCode?: boolean;
}

/** Ten minutes of speech take a second; whoever needs longer hangs. */
const TIMEOUT_MS = 20_000;
const MAX_OUTPUT_CHARS = 65_536;
const SHOWN_CHARS = 300;

/** Full path of a program, looked for as the system does; undefined when there is none. Relative entries are skipped. */
export async function findProgram(name: string, environmentPath: string): Promise<string | undefined> {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  for (const folder of environmentPath.split(delimiter)) {
    if (!isAbsolute(folder)) continue;
    const path = join(folder, name + suffix);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}

/** Runs a program to its end and returns what it printed. Rejects with SpeechError `failed`. */
export function runSpeechProcess(job: SpeechProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const timeoutMs = job.timeoutMs ?? TIMEOUT_MS;
    const child = spawn(job.command, job.arguments, {
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      windowsHide: true,
      // Nothing else of the server's environment, where secrets may be, is the speaker's business.
      env: { PATH: job.environmentPath, LC_ALL: 'C.UTF-8' },
    });
    const output = new BoundedText(MAX_OUTPUT_CHARS);
    const complaints = new BoundedText(SHOWN_CHARS);
    child.stdout.setEncoding('utf8').on('data', (text: string) => output.add(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => complaints.add(text));
    // A program that ends without reading closes the pipe; its exit code says the rest.
    child.stdin.on('error', () => undefined);
    child.stdin.end(job.input);
    child.on('error', (error) => {
      reject(new SpeechError('failed', `cannot run ${job.command}: ${error.message}`, { cause: error }));
    });
    child.on('close', (code, signal) => {
      if (code === 0 || (code !== null && job.anyExitCode === true)) resolve(output.text);
      else {
        const end = signal === null ? `exit code ${code ?? 'none'}` : `ended by ${signal} (limit ${timeoutMs} ms)`;
        reject(new SpeechError('failed', `${job.command}: ${end}: ${complaints.text.trim()}`));
      }
    });
  });
}

class BoundedText {
  readonly #maxChars: number;
  text = '';

  constructor(maxChars: number) {
    this.#maxChars = maxChars;
  }

  add(text: string): void {
    this.text += text.slice(0, this.#maxChars - this.text.length);
  }
}
