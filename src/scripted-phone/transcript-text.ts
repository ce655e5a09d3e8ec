import type { PhoneEvent } from './transcript.ts';

const TIME_WIDTH = 8;
/** Every request carries them: they are left out of what people read. */
const USUAL: ReadonlySet<string> = new Set([
  'CallSid',
  'AccountSid',
  'From',
  'To',
  'Caller',
  'Called',
  'Direction',
  'ApiVersion',
  'Timestamp',
  'CallbackSource',
]);
const MAX_VALUE_CHARS = 60;

/** An event as a line for people; `showCall` puts the call's number before it. */
export function lineOf(event: PhoneEvent, options: { readonly showCall?: boolean } = {}): string {
  const time = `${event.at.toFixed(2)}s`.padStart(TIME_WIDTH);
  const call = options.showCall === true ? ` [${event.call}]` : '';
  return `${time}${call}  ${textOf(event)}`;
}

function textOf(event: PhoneEvent): string {
  switch (event.kind) {
    case 'calls':
      return `phone ${event.from} calls ${event.to}`;
    case 'called':
      return `phone ${event.to} is called by ${event.from}`;
    case 'ringing':
      return 'ringing';
    case 'answered':
      return 'answered';
    case 'refused':
      return `refused: ${event.status} ${event.reason}`;
    case 'heard':
      return heardText(event);
    case 'key':
      return `heard the key ${event.digit}`;
    case 'pressed':
      return `pressed ${event.digits}`;
    case 'said':
      return `said "${event.text}"`;
    case 'request':
      return requestText(event);
    case 'fault':
      return `${event.level} ${event.code}: ${event.message}`;
    case 'recorded':
      return `recorded ${event.seconds} s (${event.sid})`;
    case 'ended':
      return `${event.by === 'phone' ? 'phone' : 'service'} hung up after ${event.seconds.toFixed(2)} s`;
    case 'expected':
      return event.held ? `✔ ${event.what}` : `✖ expected ${event.what}: ${event.instead ?? ''}`;
  }
}

function heardText(event: Extract<PhoneEvent, { kind: 'heard' }>): string {
  const what = event.how === 'beep' ? 'a beep' : event.how === 'tone' ? `a tone of ${event.text}` : `"${event.text}"`;
  const verb = { say: 'heard', play: 'heard the sound', person: 'heard somebody say', beep: 'heard', tone: 'heard' }[
    event.how
  ];
  switch (event.outcome) {
    case 'whole':
      return `${verb} ${what}`;
    case 'cut':
      return `${verb} ${what}, cut after ${(event.heardMs / 1000).toFixed(2)} s`;
    case 'missing':
      return `did not hear ${what}, which was played`;
  }
}

function requestText({ method, url, parameters, status, answer }: Extract<PhoneEvent, { kind: 'request' }>): string {
  const own = Object.entries(parameters)
    .filter(([name]) => !USUAL.has(name))
    .map(
      ([name, value]) => `${name}=${value.length > MAX_VALUE_CHARS ? `${value.slice(0, MAX_VALUE_CHARS)}…` : value}`,
    );
  const outcome = status === 0 ? `no answer (${answer})` : String(status);
  return [`${method} ${url.replace(/^http:\/\/document\.invalid/, '')}`, ...own, '->', outcome].join(' ');
}
