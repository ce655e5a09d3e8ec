import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn, type ChildProcess } from 'node:child_process';
import { EventLog } from '../src/testkit/event-log.ts';
import type { Scope } from '../src/testkit/scope.ts';
import { temporaryFolder } from '../src/testkit/temporary-folder.ts';
import type { Capture, HeardPacket, SentPacket } from './audio-figures.ts';

const SOURCE = join(import.meta.dirname, 'rtp-load.c');
const RECORD_BYTES = 40;
const SENT = 1;
/** The generator listens this long after the window, for what was under way. */
const AFTER_WINDOW_MS = 500;
const WRITTEN_WITHIN_MS = 10_000;

/** Plays and hears the sound of many legs, in a process of its own: `rtp-load.c`. */
export class RtpLoad {
  /** The UDP port of each leg at 127.0.0.1. */
  readonly ports: readonly number[];
  readonly #child: ChildProcess;
  readonly #lines: EventLog<string>;
  readonly #folder: string;

  private constructor(
    child: ChildProcess,
    lines: EventLog<string>,
    start: Pick<RtpLoad, 'ports'> & { folder: string },
  ) {
    this.#child = child;
    this.#lines = lines;
    this.ports = start.ports;
    this.#folder = start.folder;
  }

  static async start(scope: Scope, legs: number): Promise<RtpLoad> {
    const child = spawn(compiled(), [String(legs)], { stdio: ['pipe', 'pipe', 'inherit'] });
    scope.after(async () => void child.kill('SIGKILL'));
    const lines = new EventLog<string>();
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) lines.push(line);
    });
    const line = await lines.waitFor((text) => text.startsWith('ports '), { what: 'the ports of the generator' });
    const ports = line.split(' ').slice(1).map(Number);
    return new RtpLoad(child, lines, { ports, folder: temporaryFolder(scope, 'rtp-load') });
  }

  /** From now on the leg plays to a port of this machine; said again, it plays there instead. */
  send(leg: number, to: { readonly address: string; readonly port: number }): void {
    this.#child.stdin?.write(`send ${leg} ${to.address} ${to.port}\n`);
  }

  /** Every packet of the next `windowMs`. */
  async measure(windowMs: number): Promise<Capture> {
    const file = join(this.#folder, 'packets');
    const from = this.#lines.mark();
    this.#child.stdin?.write(`measure ${windowMs} ${file}\n`);
    const withinMs = windowMs + AFTER_WINDOW_MS + WRITTEN_WITHIN_MS;
    await this.#lines.waitFor((text) => text === 'measured', { what: 'the measurement', withinMs, from });
    const capture = readCapture(readFileSync(file), windowMs);
    rmSync(file);
    return capture;
  }
}

/** The program, compiled once for each version of its source. */
function compiled(): string {
  const version = createHash('sha256').update(readFileSync(SOURCE)).digest('hex').slice(0, 16);
  const program = join(tmpdir(), `tandem-rtp-load-${version}`);
  if (existsSync(program)) return program;
  const unfinished = `${program}.${process.pid}`;
  try {
    execFileSync('gcc', ['-O2', '-Wall', '-o', unfinished, SOURCE, '-lm'], { stdio: ['ignore', 'inherit', 'inherit'] });
  } catch (error) {
    throw new Error('the generator cannot be compiled (Debian: apt-get install gcc libc6-dev)', { cause: error });
  }
  renameSync(unfinished, program);
  return program;
}

function readCapture(bytes: Buffer, windowMs: number): Capture {
  const sent: SentPacket[] = [];
  const heard: HeardPacket[] = [];
  for (let at = 0; at < bytes.length; at += RECORD_BYTES) {
    const field = (number: number): number => bytes.readUInt32LE(at + 4 * number);
    const packet = { leg: field(1), source: field(3), index: field(4), atMs: bytes.readDoubleLE(at + 24) };
    if (field(0) === SENT) sent.push({ ...packet, dueMs: bytes.readDoubleLE(at + 32) });
    else heard.push({ ...packet, timestamp: field(2), payloadType: field(5) });
  }
  return { windowMs, sent, heard };
}
