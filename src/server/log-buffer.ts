import { pino } from 'pino';
import type { Logger } from '../base/logger.ts';
import type { Config } from './config.ts';

const KEPT_LINES = 10_000;

/** The program's log: lines of the wanted level to stderr, and the last ones kept for `tandem logs`. */
export class LogBuffer {
  readonly logger: Logger;
  readonly #lines: string[] = [];
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

  #keep(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES * 2) this.#lines.splice(0, KEPT_LINES);
    for (const follower of this.#followers) follower(line);
  }
}

function levelOf(line: string): string {
  return /^\{"level":"(\w+)"/.exec(line)?.[1] ?? 'info';
}
