import { after, type Clock } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import type { Device } from './device.ts';
import { SignalledCall, type SignalledCallPorts } from './signalled-call.ts';
import type { PlacedWebphoneHandlers, PlaceWebphoneCall, WebphoneFailure } from './webphone.ts';

interface Context {
  /** Undefined: its socket has closed meanwhile. */
  readonly device: Device | undefined;
  /** It is in a call already. */
  readonly busy: boolean;
  readonly clock: Clock;
  readonly ports: SignalledCallPorts;
  add(call: SignalledCall): void;
}

const GONE: WebphoneFailure = { cause: 'unreachable', status: 480, reason: 'the browser is gone' };
const BUSY: WebphoneFailure = { cause: 'rejected', status: 486, reason: 'Busy Here' };
const DECLINED: WebphoneFailure = { cause: 'rejected', status: 603, reason: 'Decline' };
const NO_ANSWER: WebphoneFailure = { cause: 'no-answer', status: 408, reason: 'Request Timeout' };
const CANCELLED: WebphoneFailure = { cause: 'cancelled', status: 487, reason: 'Request Terminated' };

/** Rings a browser until it answers, refuses, is called off or time is up. One of the handlers' ends is told, once. */
export function placeSignalling(
  options: PlaceWebphoneCall,
  handlers: PlacedWebphoneHandlers,
  context: Context,
): { cancel(): void } {
  const { device } = context;
  let settled = false;
  const settle = (work: () => void): void => {
    if (settled) return;
    settled = true;
    cancelRing();
    work();
  };
  const fail = (failure: WebphoneFailure): void => settle(() => handlers.failed(failure));
  const cancelRing = after(context.clock, options.ringTimeoutMs, () => callOff(NO_ANSWER));
  if (device === undefined || context.busy) {
    queueMicrotask(() => fail(device === undefined ? GONE : BUSY));
    return { cancel: () => fail(CANCELLED) };
  }
  const { accountSid, identity } = options.target;
  const call = new SignalledCall(
    {
      ...{ callSid: options.callSid, owner: { accountSid, identity }, carrier: device, madeByBrowser: false },
      waiting: {
        answered: (message) => {
          settle(() => {
            call.up(message.sound, message.direct);
            handlers.answered(call, message.sound);
          });
        },
        left: (how) => {
          call.close();
          fail(how === 'lost' ? GONE : DECLINED);
        },
      },
    },
    context.ports,
  );
  const callOff = (failure: WebphoneFailure): void => {
    if (settled) return;
    call.send({ type: 'cancel', callsid: call.callSid });
    call.close();
    fail(failure);
  };
  context.add(call);
  const { localAddress, remoteAddress } = device.addresses;
  options.offer({ localAddress, remoteAddress, frames: call.frames }).then(
    (sound) => {
      if (settled) return;
      const { callSid: callsid, parameters } = options;
      if (call.send({ type: 'invite', callsid, sound, parameters, reconnect: call.newReconnectToken() }))
        handlers.ringing();
    },
    (error: unknown) => {
      call.close();
      fail({ cause: 'unreachable', status: 503, reason: errorText(error) });
    },
  );
  return { cancel: () => callOff(CANCELLED) };
}
