import { Badge } from '@mantine/core';
import type { ReactNode } from 'react';
import { isLive } from '../live-calls.ts';
import type { CallStatus, ShownCall } from '../model.ts';
import { clockText, STATUS_WORDS } from '../words.ts';

const STATUS_COLORS: Readonly<Record<CallStatus, string>> = {
  queued: 'gray',
  ringing: 'yellow',
  'in-progress': 'tandem',
  completed: 'gray',
  busy: 'red',
  failed: 'red',
  'no-answer': 'red',
  canceled: 'gray',
};

export function StatusBadge({ status }: { readonly status: CallStatus }): ReactNode {
  return (
    <Badge
      variant={status === 'in-progress' ? 'filled' : 'light'}
      color={STATUS_COLORS[status]}
      tt="none"
      autoContrast
      // The theme's own yellow is too pale on yellow.
      className={status === 'ringing' ? 'warning' : ''}
      style={{ flex: 'none' }}
    >
      {STATUS_WORDS[status]}
    </Badge>
  );
}

/** How long it has been, or was, answered; empty for a call that nobody answered. */
export function lengthText(call: ShownCall, now: number): string {
  if (call.startTime === null) return '';
  return clockText((isLive(call) ? now : (call.endTime ?? now)) - call.startTime);
}
