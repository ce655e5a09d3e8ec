import { after, type Cancel, type Clock } from '../base/clock.ts';
import type { PhoneProblem } from './microphone.ts';
import { Store } from './store.ts';

/** The person asked for this call: it rings for a moment, then it is taken without another press. */
export const RING_MS = 2000;
/** A new token is fetched when this part of the old one's life is over. */
const RENEW_AT = 0.8;
const RETRY_TOKEN_MS = 10_000;
const MAX_DIGITS_SHOWN = 40;
/** A call that was asked for and has not come by then, is answered by hand like any other. */
export const AWAITED_MS = 30_000;

/** A call, as the browser's phone gives it. */
export interface DeviceCall {
  readonly sid: () => string;
  readonly from: string;
  accept(): void;
  reject(): void;
  disconnect(): void;
  mute(on: boolean): void;
  sendDigits(digits: string): void;
  on(event: CallEvent, handler: (error?: unknown) => void): void;
}
export type CallEvent =
  'ringing' | 'accept' | 'disconnect' | 'cancel' | 'reject' | 'error' | 'reconnecting' | 'reconnected';

/** The browser's phone. */
export interface Device {
  register(): Promise<void>;
  connect(to: string): Promise<DeviceCall>;
  updateToken(token: string): void;
  destroy(): void;
  onIncoming(handler: (call: DeviceCall) => void): void;
  onRegistered(handler: (registered: boolean) => void): void;
  onError(handler: (error: unknown) => void): void;
}

export interface PhonePorts {
  readonly clock: Clock;
  readonly identity: string;
  token(): Promise<{ readonly token: string; readonly ttlSeconds: number }>;
  callMe(): Promise<{ readonly sid: string }>;
  microphone(): Promise<PhoneProblem | undefined>;
  device(token: string): Promise<Device>;
  /** Sounds of the page itself, until the result is called. */
  ring(): () => void;
}

export interface PhoneCallState {
  readonly direction: 'in' | 'out';
  readonly with: string;
  readonly sid: string;
  readonly status: 'ringing' | 'open' | 'reconnecting';
  /** By the page's clock. */
  readonly openSince: number | undefined;
  readonly isMuted: boolean;
  readonly digits: string;
  /** Answered by itself in a moment. */
  readonly isAwaited: boolean;
}

export interface PhoneState {
  readonly line: 'off' | 'registering' | 'ready' | 'lost';
  /** Somebody pressed a button and its effect is not there yet. */
  readonly busy: 'call-me' | 'dial' | undefined;
  readonly call: PhoneCallState | undefined;
  readonly problem: PhoneProblem | undefined;
  /** What became of the last call, when it needs words. */
  readonly note: string | undefined;
}

const ASKING = 'asking';
const IDLE: PhoneState = { line: 'off', busy: undefined, call: undefined, problem: undefined, note: undefined };

/** The page as a phone: registers when it is first used, or asked to stand by; rings, talks. One call at a time. */
export class Phone {
  readonly state = new Store<PhoneState>(IDLE);
  readonly #ports: PhonePorts;
  #device: Promise<Device> | undefined;
  #call: DeviceCall | undefined;
  /** The call that was asked for: `asking` until the server has named it. */
  #awaited: string | undefined;
  #cancelAwaiting: Cancel = () => undefined;
  #cancelRenewal: Cancel = () => undefined;
  #closed = false;
  #stopRinging: () => void = () => undefined;
  #cancelAnswer: Cancel = () => undefined;

  constructor(ports: PhonePorts) {
    this.#ports = ports;
  }

  get identity(): string {
    return this.#ports.identity;
  }

  /** Has the server ring this page. */
  callMe(): Promise<void> {
    return this.#press('call-me', async () => {
      await this.#ready();
      this.#await(ASKING);
      const { sid } = await this.#ports.callMe();
      // It may have rung before the answer to the request came.
      if (this.#awaited === ASKING) this.#awaited = sid;
    });
  }

  /** Registers the page, so that others ring it; the microphone is asked for when a call is taken. */
  async standBy(): Promise<void> {
    await this.#ready();
  }

  dial(to: string): Promise<void> {
    return this.#press('dial', async () => {
      const device = await this.#ready();
      const call = await device.connect(to);
      this.#adopt(call, { direction: 'out', with: to });
    });
  }

  answer(): void {
    this.#quiet();
    this.#call?.accept();
  }

  decline(): void {
    this.#quiet();
    // Not reject(): a call that is being taken at this moment has to be hung up.
    this.#call?.disconnect();
    this.#over(undefined);
  }

  hangUp(): void {
    const call = this.#call;
    this.#over(call);
    call?.disconnect();
  }

  toggleMute(): void {
    const { call } = this.state.get();
    if (call === undefined) return;
    this.#call?.mute(!call.isMuted);
    this.#changeCall({ isMuted: !call.isMuted });
  }

  /** False when there is no call to press it in. */
  press(key: string): boolean {
    const { call } = this.state.get();
    if (call === undefined || call.status === 'ringing' || this.#call === undefined) return false;
    this.#call.sendDigits(key);
    this.#changeCall({ digits: `${call.digits}${key}`.slice(-MAX_DIGITS_SHOWN) });
    return true;
  }

  /** Hangs up and is no phone any more. */
  close(): void {
    this.#closed = true;
    this.#cancelRenewal();
    this.#cancelAwaiting();
    this.#quiet();
    void this.#device?.then(
      (device) => device.destroy(),
      () => undefined,
    );
    this.#call = undefined;
    this.state.set(IDLE);
  }

  dismiss(): void {
    this.#change({ problem: undefined, note: undefined });
  }

  async #press(busy: 'call-me' | 'dial', work: () => Promise<void>): Promise<void> {
    if (this.state.get().busy !== undefined || this.#call !== undefined) return;
    this.#change({ busy, problem: undefined, note: undefined });
    try {
      const problem = await this.#ports.microphone();
      if (problem === undefined) await work();
      else this.#change({ problem, busy: undefined });
    } catch (error) {
      this.#awaitNoMore();
      this.#change({ problem: { title: 'The call could not be made', advice: textOf(error) }, busy: undefined });
    }
    // A call that was asked for is still to ring; a dialled one is there.
    if (busy === 'dial') this.#change({ busy: undefined });
  }

  async #ready(): Promise<Device> {
    this.#device ??= this.#open().catch((error: unknown) => {
      this.#device = undefined;
      this.#change({ line: 'off' });
      throw error;
    });
    return this.#device;
  }

  async #open(): Promise<Device> {
    this.#change({ line: 'registering' });
    const { token, ttlSeconds } = await this.#ports.token();
    const device = await this.#ports.device(token);
    device.onIncoming((call) => this.#incoming(call));
    device.onRegistered((registered) => this.#change({ line: registered ? 'ready' : 'lost' }));
    device.onError((error) => {
      if (this.state.get().call !== undefined) return;
      this.#awaitNoMore();
      this.#change({ note: textOf(error), busy: undefined });
    });
    await device.register();
    if (this.#closed) throw new Error('the page was left');
    this.#change({ line: 'ready' });
    this.#renewLater(device, ttlSeconds * 1000 * RENEW_AT);
    return device;
  }

  #renewLater(device: Device, delayMs: number): void {
    this.#cancelRenewal = after(this.#ports.clock, delayMs, () => {
      this.#ports.token().then(
        ({ token, ttlSeconds }) => {
          if (this.#closed) return;
          device.updateToken(token);
          this.#renewLater(device, ttlSeconds * 1000 * RENEW_AT);
        },
        () => (this.#closed ? undefined : this.#renewLater(device, RETRY_TOKEN_MS)),
      );
    });
  }

  #incoming(call: DeviceCall): void {
    if (this.#call !== undefined || this.state.get().busy === 'dial') {
      call.reject();
      return;
    }
    const isAwaited = this.#awaited === ASKING || this.#awaited === call.sid();
    if (isAwaited) this.#awaitNoMore();
    this.#adopt(call, { direction: 'in', with: call.from, isAwaited });
    this.#stopRinging = this.#ports.ring();
    if (isAwaited) this.#cancelAnswer = after(this.#ports.clock, RING_MS, () => this.answer());
  }

  #adopt(call: DeviceCall, about: Pick<PhoneCallState, 'direction' | 'with'> & { isAwaited?: boolean }): void {
    this.#call = call;
    const made = { sid: call.sid(), status: 'ringing', openSince: undefined, isMuted: false, digits: '' } as const;
    this.#change({ call: { isAwaited: false, ...about, ...made }, busy: undefined });
    call.on('ringing', () => this.#changeCall({ sid: call.sid() }));
    call.on('accept', () => {
      this.#quiet();
      this.#changeCall({ sid: call.sid(), status: 'open', openSince: this.#ports.clock.now() });
    });
    call.on('reconnecting', () => this.#changeCall({ status: 'reconnecting' }));
    call.on('reconnected', () => this.#changeCall({ status: 'open' }));
    call.on('disconnect', () => this.#over(call, this.#unanswered()));
    call.on('cancel', () => this.#over(call, 'The caller gave up.'));
    call.on('reject', () => this.#over(call));
    // Its end is told besides; a refused microphone leaves it ringing, to be answered again.
    call.on('error', (error) => this.#change({ note: textOf(error) }));
  }

  /** What is said when the other side ends a call that this page made and nobody took. */
  #unanswered(): string | undefined {
    const { call, note } = this.state.get();
    if (call?.direction !== 'out' || call.openSince !== undefined || note !== undefined) return undefined;
    return `${call.with} was not reached. The newest row under Calls says why.`;
  }

  #over(call: DeviceCall | undefined, note?: string): void {
    if (call !== undefined && call !== this.#call) return;
    this.#quiet();
    this.#call = undefined;
    this.#change({ call: undefined, ...(note === undefined ? {} : { note }) });
  }

  #await(what: string): void {
    this.#awaited = what;
    this.#cancelAwaiting();
    this.#cancelAwaiting = after(this.#ports.clock, AWAITED_MS, () => {
      this.#awaited = undefined;
      if (this.state.get().busy === 'call-me')
        this.#change({ busy: undefined, note: 'The call has not come yet; when it does, answer it.' });
    });
  }

  #awaitNoMore(): void {
    this.#awaited = undefined;
    this.#cancelAwaiting();
  }

  #quiet(): void {
    this.#cancelAnswer();
    this.#stopRinging();
    this.#stopRinging = () => undefined;
  }

  #changeCall(changes: Partial<PhoneCallState>): void {
    const { call } = this.state.get();
    if (call !== undefined) this.#change({ call: { ...call, ...changes } });
  }

  #change(changes: Partial<PhoneState>): void {
    this.state.set({ ...this.state.get(), ...changes });
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
