import type { Entry, RequestStep } from './model.ts';
import { STATUS_WORDS, tookText } from './words.ts';

export type Tone = 'plain' | 'good' | 'waiting' | 'bad' | 'warning' | 'request' | 'verb' | 'key';

/** An entry as it is shown. */
export interface TimeLineItem {
  readonly key: number;
  readonly tone: Tone;
  readonly title: string;
  readonly detail: string;
  readonly offsetMs: number;
  /** What was asked and answered, to be unfolded. */
  readonly request: RequestStep | undefined;
}

/** The time line of a call, from its first entry on. Keys that follow each other are one item. */
export function timeLine(entries: readonly Entry[]): readonly TimeLineItem[] {
  const began = entries[0]?.at ?? 0;
  const items: TimeLineItem[] = [];
  for (const entry of entries) {
    const item = { ...itemOf(entry), key: entry.number, offsetMs: entry.at - began };
    const before = items.at(-1);
    if (item.tone === 'key' && before?.tone === 'key') {
      items[items.length - 1] = { ...before, detail: `${before.detail}${item.detail}` };
    } else {
      items.push(item);
    }
  }
  return items;
}

function itemOf(entry: Entry): Omit<TimeLineItem, 'key' | 'offsetMs'> {
  switch (entry.kind) {
    case 'state':
      return {
        tone: toneOf(entry.status),
        title: capital(STATUS_WORDS[entry.status]),
        detail: [entry.sipStatus === null ? '' : `SIP ${entry.sipStatus}`, entry.reason ?? '']
          .filter((text) => text !== '')
          .join(' · '),
        request: undefined,
      };
    case 'verb':
      return { tone: 'verb', title: entry.verb, detail: entry.detail, request: undefined };
    case 'digit':
      return { tone: 'key', title: 'Keys pressed', detail: entry.digit, request: undefined };
    case 'request':
      return {
        tone: entry.failure === null ? 'request' : 'bad',
        title: `${entry.method} ${pathOf(entry.url)}`,
        detail: [answerOf(entry), tookText(entry.durationMs)].join(' · '),
        request: entry,
      };
    case 'fault':
      return {
        tone: entry.level === 'error' ? 'bad' : 'warning',
        title: `${entry.level === 'error' ? 'Error' : 'Warning'} ${entry.code}`,
        detail: entry.message,
        request: undefined,
      };
  }
}

function toneOf(status: Extract<Entry, { kind: 'state' }>['status']): Tone {
  if (status === 'in-progress') return 'good';
  if (status === 'failed' || status === 'busy' || status === 'no-answer') return 'bad';
  return status === 'ringing' ? 'waiting' : 'plain';
}

function answerOf({ status, failure }: RequestStep): string {
  if (status !== null) return failure === null ? `answered ${status}` : `answered ${status}, error ${failure.code}`;
  return `no answer, error ${failure?.code ?? 0}`;
}

function pathOf(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? url : `${parsed.pathname}${parsed.search}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** An XML answer, an element a line, as far as it is simple; other text as it came. */
export function indented(xml: string): string {
  if (!xml.trimStart().startsWith('<') || xml.includes('<!')) return xml;
  let depth = 0;
  const lines: string[] = [];
  for (const piece of xml.replace(/>\s+</g, '><').match(/<[^>]*>|[^<]+/g) ?? []) {
    const closes = piece.startsWith('</');
    if (closes) depth = Math.max(0, depth - 1);
    const last = lines.at(-1);
    // Text stays with its element, and so does the end of an element that has nothing but text.
    if (
      last !== undefined &&
      (!piece.startsWith('<') || (closes && !last.trimStart().startsWith('</') && opensAtEnd(last, depth)))
    ) {
      lines[lines.length - 1] = `${last}${piece}`;
    } else {
      lines.push(`${'  '.repeat(depth)}${piece}`);
    }
    if (!closes && piece.startsWith('<') && !piece.endsWith('/>') && !piece.startsWith('<?')) depth += 1;
  }
  return lines.join('\n');
}

/** The line is an opening tag at this depth, with or without its text. */
function opensAtEnd(line: string, depth: number): boolean {
  return line.length - line.trimStart().length === depth * 2;
}
