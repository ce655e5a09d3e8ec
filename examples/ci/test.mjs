import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { startApp } from './app.mjs';

const TANDEM = join(dirname(createRequire(import.meta.url).resolve('tandem/package.json')), 'scripts/tandem.mjs');
const HERE = import.meta.dirname;
const { accountSid, authToken } = JSON.parse(readFileSync(join(HERE, 'tandem.json'), 'utf8'));

/** Runs a command of Tandem to its end. */
async function tandem(...args) {
  const child = spawn(process.execPath, [TANDEM, ...args], { cwd: HERE, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  const [code] = await once(child, 'close');
  return { code, output };
}

/** A server of its own on free ports, with what tandem.json declares; gone at the end of the test. */
async function startTandem(t) {
  const args = [
    'up',
    '--json',
    '--ephemeral',
    '--config',
    'tandem.json',
    '--http',
    '127.0.0.1:0',
    '--sip',
    '127.0.0.1:0',
  ];
  const child = spawn(process.execPath, [TANDEM, ...args], { cwd: HERE, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(async () => {
    const closed = once(child, 'close');
    if (child.kill('SIGTERM')) await closed;
  });
  const [line] = await once(createInterface(child.stdout), 'line');
  return JSON.parse(line);
}

test(
  'a customer confirms: the application calls, a phone answers, hears and presses',
  { timeout: 60_000 },
  async (t) => {
    const { http } = await startTandem(t);
    const app = await startApp({ accountSid, authToken, apiUrl: http });
    t.after(() => app.close());
    await app.remind('+12025550123', '+12025550100');
    // The app refuses every request without a good signature, so whatever is here came from Tandem.
    while (app.webhooks.at(-1)?.path !== '/status') await pause(100);
    let result;
    do {
      const { output } = await tandem(
        'phone',
        'results',
        'customer',
        '--json',
        '--url',
        http,
        '--token',
        `${accountSid}:${authToken}`,
      );
      [result] = JSON.parse(output).results;
    } while (result === undefined || result.state === 'running');
    assert.equal(result.state, 'held', result.transcript.join('\n'));
    const heard = result.events.filter(({ kind }) => kind === 'heard').map(({ text }) => text);
    assert.equal(heard.at(-1), 'Thank you. See you tomorrow.');
    assert.deepEqual(
      app.webhooks.map(({ path }) => path),
      ['/voice', '/key', '/status'],
    );
    assert.equal(app.webhooks[1].parameters.Digits, '1');
    assert.equal(app.webhooks[2].parameters.CallStatus, 'completed');
    const forged = await fetch(`${app.url}/voice`, { method: 'POST', body: new URLSearchParams({ Digits: '1' }) });
    assert.equal(forged.status, 403);
  },
);

test('the same in virtual time, without a server', { timeout: 60_000 }, async (t) => {
  const app = await startApp({ accountSid, authToken });
  t.after(() => app.close());
  const { code, output } = await tandem('try', `${app.url}/voice`, '--script', 'try.phone', '--token', authToken);
  assert.equal(code, 0, output);
});
