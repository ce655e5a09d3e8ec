import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { VirtualClock } from '../base/virtual-clock.ts';
import type { PhoneProblem } from './microphone.ts';
import { AWAITED_MS, Phone, RING_MS, type CallEvent, type Device, type DeviceCall } from './phone.ts';

class FakeCall implements DeviceCall {
  readonly from: string;
  readonly done: string[] = [];
  readonly #handlers = new Map<CallEvent, (error?: unknown) => void>();

  constructor(from = '+12025550100', sid = 'CA1') {
    this.from = from;
    this.#sid = sid;
  }

  readonly sid = (): string => this.#sid;
  readonly #sid: string;
  accept(): void {
    this.done.push('accept');
    this.tell('accept');
  }
  reject(): void {
    this.done.push('reject');
  }
  disconnect(): void {
    this.done.push('disconnect');
    this.tell('disconnect');
  }
  mute(on: boolean): void {
    this.done.push(`mute ${on}`);
  }
  sendDigits(digits: string): void {
    this.done.push(digits);
  }
  on(event: CallEvent, handler: (error?: unknown) => void): void {
    this.#handlers.set(event, handler);
  }
  tell(event: CallEvent, error?: unknown): void {
    this.#handlers.get(event)?.(error);
  }
}

function scene({ problem }: { problem?: PhoneProblem } = {}) {
  const clock = new VirtualClock(1_800_000_000_000);
  const asked: string[] = [];
  let incoming: (call: DeviceCall) => void = () => undefined;
  const dialled = new FakeCall();
  const device: Device = {
    register: async () => void asked.push('register'),
    connect: async (to) => {
      asked.push(`connect ${to}`);
      return dialled;
    },
    destroy: () => void asked.push('destroy'),
    updateToken: (token) => void asked.push(`token ${token}`),
    onIncoming: (handler) => void (incoming = handler),
    onRegistered: () => undefined,
    onError: () => undefined,
  };
  let tokens = 0;
  const phone = new Phone({
    clock,
    identity: 'browser-abc123',
    token: async () => ({ token: `t${(tokens += 1)}`, ttlSeconds: 3600 }),
    callMe: async () => {
      asked.push('call me');
      return { sid: 'CA1' };
    },
    microphone: async () => problem,
    device: async () => device,
    ring: () => {
      asked.push('ring');
      return () => void asked.push('quiet');
    },
  });
  return {
    clock,
    phone,
    asked,
    dialled,
    ring: (call: DeviceCall) => incoming(call),
    call: () => phone.state.get().call,
  };
}

suite("the page's phone", () => {
  test('registers when it is first used, and takes the call that was asked for after a moment', async () => {
    const { clock, phone, asked, ring, call } = scene();
    await phone.callMe();
    assert.deepEqual(asked, ['register', 'call me']);
    ring(new FakeCall());
    assert.equal(call()?.status, 'ringing');
    await clock.advance(RING_MS);
    assert.equal(call()?.status, 'open');
    assert.deepEqual(asked, ['register', 'call me', 'ring', 'quiet']);
  });

  test('lets a call that nobody asked for ring until somebody answers', async () => {
    const { clock, phone, ring, call } = scene();
    await phone.callMe();
    ring(new FakeCall());
    phone.hangUp();
    ring(new FakeCall('client:jenny'));
    await clock.advance(RING_MS * 5);
    assert.equal(call()?.status, 'ringing');
    phone.answer();
    assert.equal(call()?.status, 'open');
  });

  test('a second call is refused while there is one', async () => {
    const { phone, ring } = scene();
    await phone.callMe();
    ring(new FakeCall());
    const second = new FakeCall();
    ring(second);
    assert.deepEqual(second.done, ['reject']);
  });

  test('answers by itself only the call that was asked for, and not for ever', async () => {
    const { clock, phone, ring, call } = scene();
    await phone.callMe();
    ring(new FakeCall('client:jenny', 'CA9'));
    await clock.advance(RING_MS * 2);
    assert.equal(call()?.status, 'ringing');
    phone.decline();
    ring(new FakeCall());
    await clock.advance(RING_MS);
    assert.equal(call()?.status, 'open');
    phone.hangUp();
    await phone.callMe();
    await clock.advance(AWAITED_MS);
    assert.equal(phone.state.get().busy, undefined);
    assert.match(phone.state.get().note ?? '', /has not come/);
    ring(new FakeCall());
    await clock.advance(RING_MS);
    assert.equal(call()?.status, 'ringing');
  });

  test('declined while it is being taken, it is hung up', async () => {
    const { phone, ring, call } = scene();
    await phone.callMe();
    const coming = new FakeCall();
    ring(coming);
    phone.decline();
    assert.deepEqual(coming.done, ['disconnect']);
    assert.equal(call(), undefined);
  });

  test('who calls while a call is being made is refused', async () => {
    const { phone, ring, dialled, call } = scene();
    await phone.standBy();
    const dialling = phone.dial('alice');
    const coming = new FakeCall();
    ring(coming);
    await dialling;
    assert.deepEqual(coming.done, ['reject']);
    dialled.tell('accept');
    assert.equal(call()?.with, 'alice');
  });

  test('a refused microphone leaves the call ringing, with words, until it ends', async () => {
    const { phone, ring, call } = scene();
    await phone.standBy();
    const coming = new FakeCall();
    ring(coming);
    coming.tell('error', new Error('the microphone was refused'));
    assert.equal(call()?.status, 'ringing');
    assert.equal(phone.state.get().note, 'the microphone was refused');
    coming.tell('cancel');
    assert.equal(call(), undefined);
  });

  test('closed, it hangs up, is registered no more, and fetches no token', async () => {
    const { clock, phone, asked, ring, call } = scene();
    await phone.callMe();
    ring(new FakeCall());
    phone.close();
    await clock.advance(3_600_000);
    assert.equal(call(), undefined);
    assert.deepEqual(asked, ['register', 'call me', 'ring', 'quiet', 'destroy']);
  });

  test('says that whom it dialled was not reached, and nothing of a call that it ended itself or that was taken', async () => {
    for (const [ends, note] of [
      [(call) => call.tell('disconnect'), 'bob was not reached. The newest row under Calls says why.'],
      [(_call, phone) => phone.hangUp(), undefined],
      [
        (call) => {
          call.tell('accept');
          call.tell('disconnect');
        },
        undefined,
      ],
    ] satisfies [(call: FakeCall, phone: Phone) => void, string | undefined][]) {
      const { phone, dialled } = scene();
      await phone.dial('bob');
      ends(dialled, phone);
      assert.deepEqual([phone.state.get().call, phone.state.get().note], [undefined, note]);
    }
  });

  test('keys go into a call that talks, and nowhere else', async () => {
    const { phone, dialled, call } = scene();
    assert.equal(phone.press('1'), false);
    await phone.dial('alice');
    assert.equal(phone.press('1'), false);
    dialled.tell('accept');
    assert.ok(phone.press('1') && phone.press('#'));
    assert.equal(call()?.digits, '1#');
    assert.deepEqual(dialled.done, ['1', '#']);
  });

  test('without a microphone nobody is asked to call', async () => {
    const { phone, asked } = scene({ problem: { title: 'No', advice: 'Do' } });
    await phone.callMe();
    assert.deepEqual(asked, []);
    assert.deepEqual(phone.state.get().problem, { title: 'No', advice: 'Do' });
    assert.equal(phone.state.get().busy, undefined);
  });

  test('fetches a new token before the old one ends', async () => {
    const { clock, phone, asked } = scene();
    await phone.callMe();
    await clock.advance(3_000_000);
    assert.ok(asked.includes('token t2'));
  });
});
