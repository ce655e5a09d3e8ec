import { newSid, type Sid } from '../../base/sid.ts';
import type { CallMessage } from '../../wire/webphone/client-message.ts';
import { CommsError } from '../comms-error.ts';
import type { Call, HttpMethod } from '../model.ts';
import type { CallEnvironment } from './environment.ts';
import type { LiveCall } from './live-call.ts';
import { WebphoneParty } from './webphone-party.ts';

const MAX_SUBSCRIPTIONS = 5;
const USER_MESSAGE = 'user-defined-message';

export interface MessageSubscription {
  readonly sid: Sid<'ZY'>;
  readonly callback: string;
  readonly method: HttpMethod;
}

/** Subscriptions live as long as their call. */
const SUBSCRIPTIONS = new WeakMap<LiveCall, readonly MessageSubscription[]>();

type Ports = Pick<CallEnvironment, 'random' | 'deliver'>;

/** What the page of a browser says during the call is posted to `callback` from now on. */
export function subscribeMessages(
  live: LiveCall,
  wanted: { readonly callback: string; readonly method: HttpMethod },
  { random }: Ports,
): MessageSubscription {
  const subscriptions = SUBSCRIPTIONS.get(live) ?? [];
  if (subscriptions.length >= MAX_SUBSCRIPTIONS) {
    throw refused(live.call, `has ${MAX_SUBSCRIPTIONS} subscriptions, the most that a call may have`);
  }
  const subscription = { sid: newSid('ZY', random), ...wanted };
  SUBSCRIPTIONS.set(live, [...subscriptions, subscription]);
  return subscription;
}

/** False when there is no such subscription. */
export function unsubscribeMessages(live: LiveCall, sid: string): boolean {
  const subscriptions = SUBSCRIPTIONS.get(live) ?? [];
  const left = subscriptions.filter((each) => each.sid !== sid);
  SUBSCRIPTIONS.set(live, left);
  return left.length < subscriptions.length;
}

/** Sends a text to the page; gives the sid of the message. */
export function sendMessage(live: LiveCall, content: string, { random }: Ports): Sid<'KX'> {
  const { party } = live;
  const webphone = party instanceof WebphoneParty ? party.webphone : undefined;
  if (webphone === undefined) throw refused(live.call, 'is not with a browser that has answered');
  const eventSid = newSid('KX', random);
  const message = { content, contentType: 'application/json', messageType: USER_MESSAGE, eventSid };
  if (!webphone.sendMessage(message)) throw refused(live.call, 'has lost its browser for the moment; send again');
  return eventSid;
}

/** Hands on what the page says; false when nobody asked for it. */
export function receiveMessage(live: LiveCall, message: CallMessage, { deliver }: Ports): boolean {
  const subscriptions = SUBSCRIPTIONS.get(live) ?? [];
  const { call } = live;
  for (const { callback, method, sid } of subscriptions) {
    deliver(call, {
      ...{ url: callback, method },
      parameters: {
        ...{ AccountSid: call.accountSid, CallSid: call.sid, SubscriptionSid: sid },
        ...{ Sid: message.eventSid, MessageType: message.messageType },
        ...{ ContentType: message.contentType, Content: message.content },
      },
    });
  }
  return subscriptions.length > 0;
}

function refused(call: Call, why: string): CommsError {
  return new CommsError('refused', `call ${call.sid} ${why}`, { faultCode: 21_220, httpStatus: 400 });
}
