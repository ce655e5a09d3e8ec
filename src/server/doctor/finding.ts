export interface Finding {
  readonly subject: string;
  readonly level: 'ok' | 'warning' | 'error';
  /** What was found and, unless it is well, what to do. */
  readonly text: string;
}

export function ok(subject: string, text: string): Finding {
  return { subject, level: 'ok', text };
}

export function warning(subject: string, text: string): Finding {
  return { subject, level: 'warning', text };
}

export function failure(subject: string, text: string): Finding {
  return { subject, level: 'error', text };
}
