import { parseAddress } from '../../comms/address.ts';

// What the server itself answers as an application: the call of the first page, and what its dial pad dials.

/** What the call of the first page says first. */
export const WELCOME =
  'Welcome to Tandem. Your own server made this call, and your browser is the phone. Press any key.';
const GOODBYE = 'Goodbye.';
const ANOTHER = 'Press another key, or hang up.';
const GATHER_SECONDS = 15;
const MAX_SPOKEN_KEYS = 20;

export const OWN_TWIML_PATH = '/console/twiml';

export function welcome(): string {
  return response(`${gather(WELCOME)}${say(GOODBYE)}`);
}

/** Says back what was pressed. */
export function pressed(digits: string): string {
  const keys = [...digits.slice(0, MAX_SPOKEN_KEYS)].map(spokenKey).join(' ');
  return response(`${gather(`You pressed ${keys === '' ? 'nothing' : keys}. ${ANOTHER}`)}${say(GOODBYE)}`);
}

export interface DialFacts {
  /** The domain at which phones of the place are dialled. */
  readonly homeDomain: string;
  /** Shown to whoever is called by number. */
  readonly callerId: string | undefined;
  /** Is there a phone of this name? */
  readonly isPhone: boolean;
}

/** Dials what was typed: a number, a SIP address, `client:NAME`, or the name of a phone or a client. */
export function dial(to: string, { homeDomain, callerId, isPhone }: DialFacts): string {
  const text = to.trim();
  const address = parseAddress(text);
  const noun = isPhone
    ? element('Sip', `sip:${text}@${homeDomain}`)
    : nounOf(address ?? parseAddress(`client:${text}`));
  if (noun === undefined) return response(say(`${text === '' ? 'Nothing' : 'What you typed'} cannot be dialled.`));
  const shown =
    address?.kind === 'number' && !isPhone && callerId !== undefined ? ` callerId="${escaped(callerId)}"` : '';
  return response(`<Dial action="${OWN_TWIML_PATH}/dialled" timeout="30"${shown}>${noun}</Dial>`);
}

/** After the dialled call: only what did not come about needs words. */
export function dialled(status: string): string {
  const told: Readonly<Record<string, string>> = {
    busy: 'The line is busy.',
    'no-answer': 'Nobody answered.',
    failed: 'The call could not be put through. The page shows why.',
  };
  return response(`${Object.hasOwn(told, status) ? say(told[status] ?? '') : ''}<Hangup/>`);
}

function nounOf(address: ReturnType<typeof parseAddress>): string | undefined {
  switch (address?.kind) {
    case 'number':
      return element('Number', address.number);
    case 'sip':
      return element('Sip', address.uri);
    case 'client':
      return element('Client', address.identity);
    case undefined:
      return undefined;
  }
}

function spokenKey(key: string): string {
  if (key === '*') return 'star';
  return key === '#' ? 'pound' : key;
}

function gather(text: string): string {
  const attributes = `numDigits="1" timeout="${GATHER_SECONDS}" finishOnKey="" action="${OWN_TWIML_PATH}/pressed"`;
  return `<Gather ${attributes}>${say(text)}</Gather>`;
}

function say(text: string): string {
  return element('Say', text);
}

function element(name: string, text: string): string {
  return `<${name}>${escaped(text)}</${name}>`;
}

function response(content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Response>${content}</Response>`;
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}
