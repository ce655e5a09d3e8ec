import { quoted } from '../base/parsed.ts';
import { PhoneError } from './phone-error.ts';
import type { Answering } from './phone-options.ts';

/** What the person at the phone does, or expects. */
export type StepAction =
  | { readonly kind: 'hear' | 'begin' | 'say'; readonly text: string }
  | { readonly kind: 'press'; readonly keys: string }
  | { readonly kind: 'wait' | 'silence'; readonly ms: number }
  | { readonly kind: 'request'; readonly url: string; readonly parameters: Readonly<Record<string, string>> }
  /** The flow dials a phone of this name, number or client. */
  | { readonly kind: 'dials'; readonly to: string }
  | { readonly kind: 'fault'; readonly code: number }
  | { readonly kind: 'hangup' | 'ended' }
  /** How the call begins; only as the first step. */
  | { readonly kind: 'answer'; readonly answer: Answering }
  | { readonly kind: 'call'; readonly to: string };

export interface Step {
  /** Where it is written, as the one who wrote it finds it again: `menu.phone:3: press 1`. */
  readonly line: string;
  readonly action: StepAction;
}

const KEYS = /^[0-9*#A-DwW]+$/;
const MAX_LINES = 10_000;

/**
 * Reads a script, one step a line: `hear TEXT`, `begin TEXT`, `silence 4s`, `wait 2s`, `press KEYS`, `say TEXT`,
 * `request PATH [Name=value …]`, `dials NAME`, `fault CODE`, `hangup`, `ended`, and as the first one
 * `answer yes|no|busy` or `call NUMBER`; empty lines and those that begin with `#` are left out.
 * Throws PhoneError `bad-script` naming the line.
 */
export function parseScript(text: string, name: string): readonly Step[] {
  const lines = text.split(/\r?\n/);
  if (lines.length > MAX_LINES) throw new PhoneError('bad-script', `${name}: want at most ${MAX_LINES} lines`);
  const steps = lines.flatMap((written, index) => {
    const step = written.trim();
    if (step === '' || step.startsWith('#')) return [];
    const line = `${name}:${index + 1}: ${step}`;
    return [{ line, action: parseStep(step, line) }];
  });
  const late = steps.slice(1).find(({ action }) => action.kind === 'answer' || action.kind === 'call');
  if (late !== undefined) throw wrong(late.line, 'answer and call only as the first step');
  return steps;
}

/** How the call of these steps begins. */
export function openingOf(steps: readonly Step[]): Extract<StepAction, { kind: 'answer' | 'call' }> {
  const first = steps[0]?.action;
  return first?.kind === 'answer' || first?.kind === 'call' ? first : { kind: 'answer', answer: 'yes' };
}

function parseStep(step: string, line: string): StepAction {
  const [, word = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(step) ?? [];
  switch (word) {
    case 'hear':
    case 'begin':
    case 'say':
      return { kind: word, text: wanted(unquoted(rest), line, 'a text') };
    case 'press':
      return { kind: 'press', keys: keysOf(rest, line) };
    case 'wait':
    case 'silence':
      return { kind: word, ms: durationOf(rest, line) };
    case 'request':
      return { kind: 'request', ...requestOf(wanted(rest, line, 'a path')) };
    case 'dials':
      return {
        kind: 'dials',
        to: wanted(rest, line, 'whom: a number, the name of a client, or the user of a SIP address'),
      };
    case 'fault':
      if (!/^\d{5}$/.test(rest)) throw wrong(line, 'the code of a fault, as 11200');
      return { kind: 'fault', code: Number(rest) };
    case 'hangup':
    case 'ended':
      return { kind: word };
    case 'answer':
      if (rest !== 'yes' && rest !== 'no' && rest !== 'busy') throw wrong(line, 'answer yes, answer no or answer busy');
      return { kind: 'answer', answer: rest };
    case 'call':
      if (!/^\+[1-9]\d{6,14}$/.test(rest)) throw wrong(line, 'a number to call, as +12025550100');
      return { kind: 'call', to: rest };
    default:
      throw wrong(
        line,
        'one of hear, begin, silence, wait, press, say, request, dials, fault, hangup, ended, answer, call',
      );
  }
}

/** `1@"Welcome"`: press 1 once "Welcome" was heard; `1@3s`: after three seconds; `1`: at once. */
export function pressSteps(argument: string): readonly Step[] {
  return keyedSteps('--press', argument, (keys, line) => ({ kind: 'press', keys: keysOf(keys, line) }));
}

/** As pressSteps, for `--say "my name"@"after the beep"`. */
export function saySteps(argument: string): readonly Step[] {
  return keyedSteps('--say', argument, (text, line) => ({ kind: 'say', text: wanted(unquoted(text), line, 'a text') }));
}

export function expectSteps(argument: string): readonly Step[] {
  const line = `--expect ${JSON.stringify(argument)}`;
  return [{ line, action: { kind: 'hear', text: wanted(argument.trim(), line, 'a text') } }];
}

function keyedSteps(
  flag: string,
  argument: string,
  actionOf: (what: string, line: string) => StepAction,
): readonly Step[] {
  const line = `${flag} ${argument}`;
  const at = argument.indexOf('@');
  if (at < 0) return [{ line, action: actionOf(argument, line) }];
  const action = actionOf(argument.slice(0, at), line);
  const when = unquoted(argument.slice(at + 1));
  const first: StepAction = isDuration(when)
    ? { kind: 'wait', ms: durationOf(when, line) }
    : { kind: 'hear', text: wanted(when, line, 'a text or a time after the @') };
  return [
    { line, action: first },
    { line, action },
  ];
}

function isDuration(text: string): boolean {
  return /^\d+(\.\d+)?(ms|s|m)$/.test(text);
}

/** `500ms`, `4s`, `1.5s`, `2m`, in milliseconds. */
export function durationOf(text: string, line: string): number {
  const [, number, unit] = /^(\d{1,6}(?:\.\d{1,3})?)(ms|s|m)$/.exec(text.trim()) ?? [];
  if (number === undefined) throw wrong(line, 'a time, as 500ms, 4s or 2m');
  return Number(number) * { ms: 1, s: 1000, m: 60_000 }[unit as 'ms' | 's' | 'm'];
}

function keysOf(text: string, line: string): string {
  const keys = text.trim();
  if (!KEYS.test(keys)) throw wrong(line, 'keys: 0 to 9, *, #, A to D, w for half a second');
  return keys;
}

function requestOf(text: string): { readonly url: string; readonly parameters: Readonly<Record<string, string>> } {
  const [url = '', ...pairs] = text.split(/\s+/);
  return { url, parameters: Object.fromEntries(new URLSearchParams(pairs.join('&'))) };
}

function unquoted(text: string): string {
  const trimmed = text.trim();
  return /^"(.*)"$/s.exec(trimmed)?.[1] ?? trimmed;
}

function wanted(text: string, line: string, what: string): string {
  if (text === '') throw wrong(line, what);
  return text;
}

function wrong(line: string, wants: string): PhoneError {
  return new PhoneError('bad-script', `${quoted(line)}: want ${wants}`);
}
