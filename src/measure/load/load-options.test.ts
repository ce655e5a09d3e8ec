import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLoadOptions, isLoopback, type CallOptions, type CreateOptions } from './load-options.ts';

const TARGET = { url: 'http://127.0.0.1:3600', accountSid: 'AC', authToken: 't' };
const CALLS: CallOptions = {
  kind: 'calls',
  target: TARGET,
  ratePerSecond: 10,
  durationSeconds: 10,
  spacing: 'even',
  sources: 1,
  allowFailedPercent: 0.1,
  remoteIsMine: false,
  transport: 'udp',
  holdSeconds: 1,
  sound: false,
};

test('takes a server on this machine, and another one only when it is said to be yours', () => {
  checkLoadOptions(CALLS);
  const remote = { ...CALLS, target: { ...TARGET, url: 'http://192.0.2.7:3600' } };
  assert.throws(() => checkLoadOptions(remote), { code: 'bad-words', message: /192\.0\.2\.7.*--remote-is-mine/ });
  checkLoadOptions({ ...remote, remoteIsMine: true });
});

test('names the bound that a run exceeds', () => {
  const cases: readonly (readonly [Partial<CallOptions>, RegExp])[] = [
    [{ ratePerSecond: 1_001 }, /^--rate: got 1001; want 0.01 to 1000$/],
    [{ durationSeconds: 0 }, /^--for: got 0/],
    [{ sources: 201 }, /^--sources/],
    [{ holdSeconds: 601 }, /^--hold/],
    [{ sound: true, ratePerSecond: 100, holdSeconds: 10 }, /^--rate × --hold with --sound: got 1000/],
    [{ to: 'bob' }, /^--to: got "bob"/],
  ];
  for (const [change, message] of cases) {
    assert.throws(() => checkLoadOptions({ ...CALLS, ...change }), { code: 'bad-words', message });
  }
});

test('bounds how many calls one run may create', () => {
  const { ratePerSecond: _, ...common } = CALLS;
  const creates: CreateOptions = {
    ...common,
    kind: 'creates',
    ratePerSecond: 20_000,
    durationSeconds: 3_600,
    callers: 1,
    fromCount: 1,
    dial: false,
  };
  assert.throws(() => checkLoadOptions(creates), { message: /--rate × --for: got 72000000/ });
});

test('knows what is this machine, and is not misled by a name that begins so', () => {
  for (const host of ['127.0.0.1', '127.9.9.9', 'localhost', '[::1]']) assert.equal(isLoopback(host), true, host);
  for (const host of ['127.example.com', '10.0.0.1', '0.0.0.0', '[::2]']) assert.equal(isLoopback(host), false, host);
});
