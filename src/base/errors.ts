/**
 * An operation failed. `code` is a stable, lower-case-hyphen string that callers may branch on; `message` says what
 * was got, what was wanted and what to do. Packages extend it with a class of their own and a closed union of codes.
 */
export class TandemError<Code extends string = string> extends Error {
  readonly code: Code;
  constructor(code: Code, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The text of anything thrown. */
export function errorText(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
