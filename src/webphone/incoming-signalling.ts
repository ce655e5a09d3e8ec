import type { VoiceGrant } from '../grant/voice-token.ts';
import type { ClientMessage, SoundPath } from '../wire/webphone/client-message.ts';
import type { SignalError } from '../wire/webphone/server-message.ts';
import type { Device } from './device.ts';
import { SignalledCall, type SignalledCallPorts } from './signalled-call.ts';
import type { IncomingWebphoneCall, SoundPlace, WebphoneCall } from './webphone.ts';

const MAX_PARAMETERS = 64;

interface Context {
  readonly device: Device;
  readonly grant: VoiceGrant;
  readonly ports: SignalledCallPorts;
  named(call: SignalledCall): void;
}

/** A call that a browser makes, until it is answered or refused. */
export class IncomingSignalling implements IncomingWebphoneCall {
  readonly grant: VoiceGrant;
  readonly parameters: Readonly<Record<string, string>>;
  readonly sound: SoundPath;
  readonly direct: boolean;
  readonly call: SignalledCall;
  readonly #context: Context;
  #cancelled = false;
  readonly #onCancelled: (() => void)[] = [];

  constructor(invite: Extract<ClientMessage, { type: 'invite' }>, context: Context) {
    this.#context = context;
    this.grant = context.grant;
    this.sound = invite.sound;
    this.direct = invite.direct;
    this.parameters = { ...readParameters(invite.parameters), ...context.grant.outgoingParameters };
    const { accountSid, identity } = context.grant;
    this.call = new SignalledCall(
      {
        callSid: invite.callsid,
        owner: { accountSid, identity },
        carrier: context.device,
        waiting: { left: () => this.#left() },
        madeByBrowser: true,
      },
      context.ports,
    );
  }

  get place(): SoundPlace {
    const { localAddress, remoteAddress } = this.#context.device.addresses;
    return { localAddress, remoteAddress, frames: this.call.frames };
  }

  name(callSid: string): void {
    this.call.rename(callSid);
    this.#context.named(this.call);
  }

  ringing(): void {
    this.#ring(undefined);
  }

  earlyMedia(sound: SoundPath): void {
    this.#ring(sound);
  }

  answer(sound: SoundPath): WebphoneCall {
    const { call } = this;
    call.up(this.sound, this.direct);
    call.send({ type: 'answer', callsid: call.callSid, sound, reconnect: call.newReconnectToken() });
    return call;
  }

  reject(error: SignalError): void {
    this.call.hangup(error);
  }

  onCancelled(handler: () => void): void {
    if (this.#cancelled) handler();
    else this.#onCancelled.push(handler);
  }

  #ring(sound: SoundPath | undefined): void {
    if (!this.call.isOver && !this.call.isUp) this.call.send({ type: 'ringing', callsid: this.call.callSid, sound });
  }

  #left(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.call.close();
    for (const handler of this.#onCancelled.splice(0)) handler();
  }
}

function readParameters(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...new URLSearchParams(text)].slice(0, MAX_PARAMETERS));
}
