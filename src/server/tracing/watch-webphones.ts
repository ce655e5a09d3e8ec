import { TANDEM } from '../../trace/call-trace.ts';
import { describeParameters, describeSdp } from '../../trace/describe.ts';
import type { TraceBook } from '../../trace/trace-book.ts';
import type { WatchedMessage, WebphoneSight } from '../../webphone/webphone.ts';
import type { SoundPath } from '../../wire/webphone/client-message.ts';

type Message = WatchedMessage['message'];

/** What a browser is answered with; the rest of what it gets begins something. */
const REPLIES: ReadonlySet<Message['type']> = new Set(['connected', 'ready', 'offline', 'ringing', 'answer', 'ack']);

/** Notes the messages of browsers. How one registered is kept with its socket, for the calls that are made over it. */
export function watchWebphones(book: TraceBook): (sight: WebphoneSight) => void {
  return (sight) => {
    const { deviceId } = sight;
    if (sight.kind === 'named') {
      book.link(pageCall(deviceId, sight.pageName), sight.callSid);
      book.include(socketOf(deviceId), sight.callSid);
      return;
    }
    const { identity, callSid, message, direction } = sight;
    const browser = `browser:${identity ?? ''}/${deviceId}`;
    const lanes = direction === 'in' ? { from: browser, to: TANDEM } : { from: TANDEM, to: browser };
    const reply = REPLIES.has(message.type);
    const noted = { channel: 'signalling', ...lanes, text: message.type, detail: detailOf(sight), reply } as const;
    if (callSid === undefined) book.addTo(socketOf(deviceId), noted);
    else if (callSid.startsWith('CA')) {
      if (message.type === 'invite') book.include(socketOf(deviceId), callSid);
      book.add(callSid, noted);
    } else book.addTo(pageCall(deviceId, callSid), noted);
  };
}

function socketOf(deviceId: string): string {
  return `socket:${deviceId}`;
}

/** A call that only its page has named. */
function pageCall(deviceId: string, name: string): string {
  return `page:${deviceId}/${name}`;
}

/** What a reader wants to know of a message; tokens and secrets are not in it. */
function detailOf({ message }: WatchedMessage): string {
  switch (message.type) {
    case 'listen':
      return 'token [hidden]';
    case 'connected':
      return `identity ${message.identity}; token good for ${message.ttlSeconds} s`;
    case 'register':
      if (!message.audio) return 'takes the registration back';
      return message.frames ? 'sound over this socket' : 'audio';
    case 'invite': {
      const { sound, parameters } = message;
      const named = typeof parameters === 'string' ? Object.fromEntries(new URLSearchParams(parameters)) : parameters;
      const options = { first: ['From', 'To'], without: ['CallSid', 'AccountSid', 'StirStatus'] };
      return [describeParameters(named, options), soundWords(sound)].filter((each) => each !== '').join('; ');
    }
    case 'answer':
    case 'ringing':
    case 'reinvite':
      return 'sound' in message && message.sound !== undefined ? soundWords(message.sound) : '';
    case 'dtmf':
      return message.digits;
    case 'hangup':
      return 'error' in message && message.error !== undefined ? `${message.error.code} ${message.error.message}` : '';
    case 'error':
      return `${message.error.code} ${message.error.message}`;
    case 'message':
      return `${message.messageType}, ${message.content.length} characters`;
    case 'direct':
      return message.step.kind;
    default:
      return '';
  }
}

function soundWords(sound: SoundPath): string {
  return sound.kind === 'frames' ? 'sound over this socket' : describeSdp(sound.sdp);
}
