import assert from 'node:assert/strict';
import { test } from 'node:test';
import { microphoneProblem } from './microphone.ts';

const PORTS = { isSecureContext: true, ask: async () => undefined, secureUrl: 'https://host:3643/', port: '3600' };
const failing = (name: string) => ({
  ...PORTS,
  ask: () => Promise.reject(Object.assign(new Error('no'), { name })),
});

test('a microphone that is given is no problem', async () => {
  assert.equal(await microphoneProblem(PORTS), undefined);
});

test('an address that is not secure names those that are', async () => {
  const problem = await microphoneProblem({ ...PORTS, isSecureContext: false, ask: undefined });
  assert.match(problem?.advice ?? '', /Open https:\/\/host:3643\/ instead.* http:\/\/localhost:3600 works/);
  const none = await microphoneProblem({ ...PORTS, isSecureContext: false, secureUrl: undefined });
  assert.match(none?.advice ?? '', /^On the machine that runs Tandem/);
});

test('each refusal of the browser says what to do', async () => {
  assert.match((await microphoneProblem(failing('NotAllowedError')))?.advice ?? '', /Allow it/);
  assert.match((await microphoneProblem(failing('NotFoundError')))?.advice ?? '', /Plug one in/);
  assert.match((await microphoneProblem(failing('NotReadableError')))?.advice ?? '', /Another program/);
  assert.equal((await microphoneProblem(failing('Odd')))?.advice, 'no');
});
