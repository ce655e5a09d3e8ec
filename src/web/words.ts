import type { CallStatus, ShownCall } from './model.ts';

/** Statuses in the page's words. */
export const STATUS_WORDS: Readonly<Record<CallStatus, string>> = {
  queued: 'queued',
  ringing: 'ringing',
  'in-progress': 'in progress',
  completed: 'completed',
  busy: 'busy',
  failed: 'failed',
  'no-answer': 'no answer',
  canceled: 'canceled',
};

const DIRECTION_WORDS: Readonly<Record<ShownCall['direction'], string>> = {
  inbound: 'came in',
  'outbound-api': 'made by the API',
  'outbound-dial': 'made by Dial',
};

export function directionWords({ direction }: Pick<ShownCall, 'direction'>): string {
  return DIRECTION_WORDS[direction];
}

/** `0:07`, `12:30`, `1:02:03`. */
export function clockText(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const tail = String(seconds % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`;
}

/** Since the beginning of a call: `+0.04 s`, `+12.3 s`, `+2:05`. */
export function offsetText(milliseconds: number): string {
  const whole = Math.max(0, milliseconds);
  if (whole < 10_000) return `+${(whole / 1000).toFixed(2)} s`;
  return whole < 60_000 ? `+${(whole / 1000).toFixed(1)} s` : `+${clockText(whole)}`;
}

/** How long something took: `4 ms`, `1.25 s`. */
export function tookText(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(2)} s`;
}

const UNITS = [
  { name: 'day', ms: 86_400_000 },
  { name: 'hour', ms: 3_600_000 },
  { name: 'minute', ms: 60_000 },
] as const;

/** `just now`, `3 minutes ago`. */
export function agoText(at: number, now: number): string {
  const passed = Math.max(0, now - at);
  const unit = UNITS.find(({ ms }) => passed >= ms);
  if (unit === undefined) return 'just now';
  const count = Math.floor(passed / unit.ms);
  return `${count} ${unit.name}${count === 1 ? '' : 's'} ago`;
}

/** An address without what everybody knows: `alice` of `sip:alice@home.tandem`, `browser-ab12` of `client:browser-ab12`. */
export function shortAddress(address: string, homeDomain: string): string {
  const text = address.replace(/^client:/i, '');
  const [, user, domain] = /^sips?:([^@;]+)@([^;:]+)/i.exec(text) ?? [];
  return user !== undefined && domain === homeDomain ? user : text === '' ? 'nobody' : text;
}

/** A leg that Dial made: `→ alice`, and how it ended where nobody spoke: the caller's own status says nothing of that. */
export function legText({ to, status }: Pick<ShownCall, 'to' | 'status'>, homeDomain: string): string {
  const hasFailed = status === 'busy' || status === 'failed' || status === 'no-answer';
  return `→ ${shortAddress(to, homeDomain)}${hasFailed ? `: ${STATUS_WORDS[status]}` : ''}`;
}
