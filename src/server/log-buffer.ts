import { pino } from 'pino';
import type { Logger } from '../base/logger.ts';
import type { Config } from './config.ts';

const KEPT_LINES = 10_000;
/** Lines may quote what strangers sent: many long ones push the oldest out sooner. */
const KEPT_CHARS = 16_777_216;

/** The program's log: lines of the wanted level to stderr, and the last ones kept for `tandem logs`. */
export class LogBuffer {
  readonly logger: Logger;
  readonly #lines: string[] = [];
  #chars = 0;
  readonly #followers = new Set<(line: string) => void>();

  constructor(level: Config['logLevel']) {
    const levels = { level: 'info', formatters: { level: (label: string) => ({ level: label }) }, base: null };
    const threshold = level === 'silent' ? Infinity : (pino.levels.values[level] ?? 0);
    this.logger = pino(
      { ...levels, level: level === 'debug' ? 'debug' : 'info' },
      {
        write: (line: string) => {
          this.#keep(line.trimEnd());
          if ((pino.levels.values[levelOf(line)] ?? 0) >= threshold) process.stderr.write(line);
        },
      },
    );
  }

  /** JSON lines, oldest first. */
  last(count: number): readonly string[] {
    return count === 0 ? [] : this.#lines.slice(-count);
  }

  follow(line: (text: string) => void): { stop(): void } {
    this.#followers.add(line);
    return { stop: () => void this.#followers.delete(line) };
  }

  #drop(count: number): void {
    for (const line of this.#lines.splice(0, count)) this.#chars -= line.length;
  }

  #keep(line: string): void {
    this.#lines.push(line);
    this.#chars += line.length;
    if (this.#lines.length > KEPT_LINES * 2) this.#drop(KEPT_LINES);
    else if (this.#chars > KEPT_CHARS) this.#drop(Math.ceil(this.#lines.length / 2));
    for (const follower of this.#followers) follower(line);
  }
}

function levelOf(line: string): string {
  return /^\{"level":"(\w+)"/.exec(line)?.[1] ?? 'info';
}
