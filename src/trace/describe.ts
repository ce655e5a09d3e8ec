import { oneLine } from './call-trace.ts';

const MAX_VALUE_CHARS = 80;
/** Names whose values nobody is shown. */
const SECRET_NAME = /token|secret|passw|pwd|signature|api_?key|^key$|auth|credential|session|cookie/i;
const HIDDEN = '[hidden]';

/** Parameters on one line: those of `first`, in that order, then the others; secrets are hidden. */
export function describeParameters(
  parameters: Readonly<Record<string, string>>,
  options: { readonly first?: readonly string[]; readonly without?: readonly string[] } = {},
): string {
  const { first = [], without = [] } = options;
  const names = Object.keys(parameters).filter((name) => !without.includes(name));
  const ordered = [...first.filter((name) => names.includes(name)), ...names.filter((name) => !first.includes(name))];
  return ordered.map((name) => `${name}=${shownValue(name, parameters[name] ?? '')}`).join(' ');
}

function shownValue(name: string, value: string): string {
  return SECRET_NAME.test(name) ? HIDDEN : oneLine(value, MAX_VALUE_CHARS);
}

/** The codecs, direction and candidates of a description: what its keys and passwords are stays out. */
export function describeSdp(sdp: string): string {
  const audio = /^m=audio (\d+) (\S+)/m.exec(sdp);
  if (audio === null) return 'SDP';
  const codecs = [...sdp.matchAll(/^a=rtpmap:\d+ ([\w-]+)/gm)].map((match) => match[1] ?? '');
  const named = [...new Set(codecs)].filter((codec) => !/^(?:CN|red|telephone-event)$/i.test(codec));
  const candidates = [...sdp.matchAll(/^a=candidate:/gm)].length;
  const setup = /^a=setup:(\w+)/m.exec(sdp)?.[1];
  const direction = /^a=(sendonly|recvonly|inactive)\b/m.exec(sdp)?.[1];
  const isSecure = /SAVPF?/.test(audio[2] ?? '');
  return [
    `SDP ${named.length === 0 ? 'audio' : named.join(', ')}`,
    ...(direction === undefined ? [] : [direction]),
    ...(isSecure ? [`DTLS ${setup ?? ''}`.trim(), `${candidates} candidate${candidates === 1 ? '' : 's'}`] : []),
  ].join('; ');
}

/** RFC 3261 7.3.3 and 20: the forms in which a header may come. */
const LONG_NAMES: Readonly<Record<string, string>> = {
  i: 'call-id',
  c: 'content-type',
  f: 'from',
  t: 'to',
  m: 'contact',
  r: 'refer-to',
};

/**
 * Headers of a SIP message that a reader wants; of what begins something also from whom to whom. Credentials, nonces and the
 * place's own proofs are not among them.
 */
const SHOWN_HEADERS = ['Reason', 'Refer-To', 'Replaces', 'Retry-After'];
const BEGINNING = ['From', 'To'];
const BEGINS: ReadonlySet<string> = new Set(['INVITE', 'REFER']);

export interface SipText {
  readonly callId: string;
  /** Of its CSeq. */
  readonly method: string;
  readonly isReply: boolean;
  readonly text: string;
  readonly detail: string;
}

/** Reads what a trace shows of a SIP message as it stood on the wire; undefined: it is none. */
export function describeSip(message: string): SipText | undefined {
  const end = message.indexOf('\r\n\r\n');
  const head = end < 0 ? message : message.slice(0, end);
  const body = end < 0 ? '' : message.slice(end + 4);
  const [first = '', ...lines] = head.split('\r\n');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    const long = LONG_NAMES[name] ?? name;
    if (colon > 0 && !headers.has(long)) headers.set(long, line.slice(colon + 1).trim());
  }
  const callId = headers.get('call-id');
  const method = /^\s*\d+\s+(\S+)/.exec(headers.get('cseq') ?? '')?.[1];
  if (callId === undefined || method === undefined) return undefined;
  const status = /^SIP\/2\.0 (\d{3} ?.*)$/i.exec(first)?.[1];
  const request = /^(\S+) (\S+) SIP\//i.exec(first);
  const isRequest = request !== null;
  const begins = isRequest && BEGINS.has(method);
  const shown = [...(begins ? BEGINNING : []), ...SHOWN_HEADERS].flatMap((name) => {
    const found = headers.get(name.toLowerCase());
    return found === undefined ? [] : [`${name}: ${oneLine(found.replace(/;tag=[^;>]*/i, ''), MAX_VALUE_CHARS)}`];
  });
  const type = headers.get('content-type') ?? '';
  const content = /sdp/i.test(type) ? [describeSdp(body)] : /dtmf/i.test(type) ? [oneLine(body, MAX_VALUE_CHARS)] : [];
  return {
    callId,
    method,
    isReply: status !== undefined,
    // An answer to an INVITE needs no more words: most are.
    text: status === undefined ? method : method === 'INVITE' ? status : `${status} (${method})`,
    detail: [...(begins ? [withoutPassword(request[2] ?? '')] : []), ...content, ...shown].join('; '),
  };
}

/** RFC 3261 19.1.1: a SIP URI may carry a password. */
function withoutPassword(uri: string): string {
  return uri.replace(/^(sips?:[^:@]+):[^@]*@/i, '$1@');
}
