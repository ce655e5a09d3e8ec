import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { randomHex, type Random } from '../base/random.ts';
import type { Directory } from '../directory/directory.ts';
import type { ClientMessage } from '../wire/webphone/client-message.ts';
import type { SignalError } from '../wire/webphone/server-message.ts';
import { CallIndex } from './call-index.ts';
import { Device, type DevicePorts } from './device.ts';
import { IncomingSignalling } from './incoming-signalling.ts';
import { CLOSE_GOING_AWAY, CLOSE_TOO_BUSY, DEFAULT_WEBPHONE_LIMITS, type WebphoneLimits } from './limits.ts';
import { placeSignalling } from './place-signalling.ts';
import type { SignalledCall, SignalledCallPorts } from './signalled-call.ts';
import type {
  DeviceEvents,
  DeviceSocket,
  DeviceTarget,
  IncomingWebphoneCall,
  PlacedWebphoneHandlers,
  PlaceWebphoneCall,
  WebphoneAdmission,
  WatchedMessage,
  WebphoneAgent,
  WebphoneSight,
} from './webphone.ts';

const DEVICE_ID_BYTES = 12;
const UNKNOWN_CALL: SignalError = { code: 31404, message: 'there is no such call' };

export interface WebphoneOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Where registrations are kept; others may share it. */
  readonly directory: Directory;
  readonly admission: WebphoneAdmission;
  readonly limits?: Partial<WebphoneLimits>;
  /** Looks on at what passes between browsers and this server; must not throw. */
  readonly watch?: (sight: WebphoneSight) => void;
}

/** The signalling of browsers that are phones here. */
export function openWebphoneAgent(options: WebphoneOptions): WebphoneAgent {
  return new Agent(options);
}

class Agent implements WebphoneAgent {
  readonly #options: WebphoneOptions;
  readonly #limits: WebphoneLimits;
  readonly #devices = new Map<string, Device>();
  readonly #calls = new CallIndex();
  readonly #callPorts: SignalledCallPorts;
  #onIncoming: ((call: IncomingWebphoneCall) => void) | undefined;
  #draining = false;

  constructor(options: WebphoneOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_WEBPHONE_LIMITS, ...options.limits };
    this.#callPorts = {
      clock: options.clock,
      random: options.random,
      reconnectMs: this.#limits.reconnectMs,
      forget: (call) => this.#calls.remove(call),
    };
  }

  connect(socket: DeviceSocket): DeviceEvents {
    const { clock, random, log, admission } = this.#options;
    const ports: DevicePorts = {
      ...{ clock, log, admission, limits: this.#limits },
      announce: (device, registered) => this.#announce(device, registered),
      callMessage: (device, message) => this.#callMessage(device, message),
      closed: (device) => this.#closed(device),
      ...(this.#options.watch === undefined
        ? {}
        : { watch: (device: Device, message: WatchedMessage) => this.#watch(device, message) }),
    };
    const device = new Device(randomHex(random, DEVICE_ID_BYTES), socket, ports);
    if (this.#draining || this.#devices.size >= this.#limits.maxDevices)
      device.shut(CLOSE_TOO_BUSY, 'no room for more browsers');
    else this.#devices.set(device.id, device);
    return device;
  }

  async registered(accountSid: string, identity: string): Promise<readonly DeviceTarget[]> {
    const entries = await this.#options.directory.get(keyOf(accountSid, identity));
    return entries.flatMap(({ id, value }) =>
      this.#devices.has(id) ? [{ deviceId: id, accountSid, identity, frames: value === FRAMES }] : [],
    );
  }

  placeCall(options: PlaceWebphoneCall, handlers: PlacedWebphoneHandlers): { cancel(): void } {
    const device = this.#devices.get(options.target.deviceId);
    return placeSignalling(options, handlers, {
      device,
      // The vendor's SDK says nothing to a second call: its busy bookkeeping is ours.
      busy: device !== undefined && this.#calls.carriedBy(device).some((call) => call.occupies),
      clock: this.#options.clock,
      ports: this.#callPorts,
      add: (call) => this.#calls.add(call.callSid, call),
    });
  }

  onIncomingCall(handler: (call: IncomingWebphoneCall) => void): void {
    this.#onIncoming = handler;
  }

  counts(): ReturnType<WebphoneAgent['counts']> {
    const devices = [...this.#devices.values()];
    return {
      sockets: devices.length,
      registered: devices.filter((device) => device.isRegistered).length,
      calls: this.#calls.size,
    };
  }

  drain(): void {
    this.#draining = true;
  }

  close(): void {
    this.#draining = true;
    for (const device of this.#devices.values()) device.shut(CLOSE_GOING_AWAY, 'the server stops');
    for (const call of this.#calls.all()) call.close();
  }

  async #announce(device: Device, registered: boolean): Promise<void> {
    const { grant } = device;
    const key = grant === undefined ? this.#keys.get(device) : keyOf(grant.accountSid, grant.identity);
    if (key === undefined) return;
    if (!registered) {
      this.#keys.delete(device);
      await this.#options.directory.remove(key, device.id);
      return;
    }
    const others = (await this.#options.directory.get(key)).filter(({ id }) => id !== device.id);
    if (others.length >= this.#limits.maxDevicesPerIdentity) {
      throw new Error(`${others.length} devices are registered for this client, the most that it may have`);
    }
    await this.#options.directory.put(key, device.id, device.speaksFrames ? FRAMES : '', this.#limits.registrationMs);
    this.#keys.set(device, key);
  }

  /** Under which key a device is announced, once its token is gone too. */
  readonly #keys = new WeakMap<Device, string>();

  #closed(device: Device): void {
    this.#devices.delete(device.id);
    for (const call of this.#calls.carriedBy(device)) call.lost(device);
  }

  /** A message about a call is shown where that call is this browser's: what names another's is nobody's to see. */
  #watch(device: Device, watched: WatchedMessage): void {
    const { watch } = this.#options;
    const { message } = watched;
    if (watch === undefined || message.type === 'heartbeat') return;
    const name = 'callsid' in message ? message.callsid : undefined;
    const call = name === undefined ? undefined : this.#find(device, name);
    if (name !== undefined && call === undefined) return;
    const { id: deviceId, owner } = device;
    watch({ kind: 'message', deviceId, identity: owner?.identity, callSid: call?.callSid, ...watched });
  }

  #find(device: Device, name: string): SignalledCall | undefined {
    const { owner } = device;
    return this.#calls.find(name, owner, device) ?? this.#calls.find(unnamed(device, name), owner, device);
  }

  #callMessage(device: Device, message: ClientMessage): void {
    if (!('callsid' in message)) return;
    const known = this.#find(device, message.callsid);
    if (known !== undefined) known.take(message, device);
    else if (message.type === 'invite' && message.reconnect === undefined) this.#invited(device, message);
    else if (message.type === 'invite') device.send({ type: 'hangup', callsid: message.callsid, error: UNKNOWN_CALL });
    // Of a call that is over nobody needs to hear more.
    else if (message.type === 'message') {
      device.send({ type: 'error', error: UNKNOWN_CALL, callsid: message.callsid, eventSid: message.eventSid });
    }
  }

  #invited(device: Device, message: Extract<ClientMessage, { type: 'invite' }>): void {
    const { grant } = device;
    const refusal = this.#whyNoCall(device);
    if (refusal !== undefined || grant === undefined) {
      device.send({ type: 'hangup', callsid: message.callsid, error: refusal });
      return;
    }
    const incoming = new IncomingSignalling(message, {
      device,
      grant,
      ports: this.#callPorts,
      named: (call) => {
        const { callSid } = call;
        this.#calls.add(callSid, call);
        this.#options.watch?.({ kind: 'named', deviceId: device.id, pageName: message.callsid, callSid });
      },
    });
    this.#calls.add(unnamed(device, message.callsid), incoming.call);
    this.#watch(device, { direction: 'in', message });
    this.#onIncoming?.(incoming);
  }

  #whyNoCall(device: Device): SignalError | undefined {
    if (this.#draining || this.#onIncoming === undefined) return { code: 31480, message: 'the server is stopping' };
    if (device.grant === undefined) return { code: 31205, message: 'the token has expired' };
    if (device.grant.outgoingApplicationSid === undefined)
      return { code: 31201, message: 'the token does not allow calls' };
    if (this.#calls.carriedBy(device).length < this.#limits.maxCallsPerDevice) return undefined;
    return {
      code: 31206,
      message: `this connection has ${this.#limits.maxCallsPerDevice} calls, the most that it may have`,
    };
  }
}

const FRAMES = 'frames';

function keyOf(accountSid: string, identity: string): string {
  return `client:${accountSid}/${identity}`;
}

/** A call that has no sid yet is known by the name that its socket gave it. */
function unnamed(device: Device, name: string): string {
  return `${device.id}/${name}`;
}
