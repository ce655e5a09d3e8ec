import { TandemError } from '../base/errors.ts';

/** A command cannot do what was asked; the message is all that the person sees. */
export class CliError extends TandemError<'cli'> {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super('cli', message);
    this.exitCode = exitCode;
  }
}
