import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import twilio from 'twilio';
import { WebApplication } from '../testkit/web-application.ts';
import { openPhone, type Phone } from './phone.ts';

const ACCOUNT = `AC${'1'.repeat(32)}`;
const TOKEN = 'a'.repeat(32);
const OTHER = '+15550123';

async function open(context: TestContext): Promise<{ readonly phone: Phone; readonly client: twilio.Twilio }> {
  const phone = await openPhone({ accountSid: ACCOUNT, authToken: TOKEN, rest: true });
  context.after(() => phone.close());
  const client = twilio(ACCOUNT, TOKEN);
  client.api.baseUrl = phone.url;
  return { phone, client };
}

suite('the REST API behind a scripted phone', () => {
  test('redirects a call in the middle of it', async (context) => {
    const { phone, client } = await open(context);
    const call = await phone.call('<Response><Say>Please wait.</Say><Pause length="60"/></Response>');
    await call.hears('Please wait');
    const [{ sid } = { sid: '' }] = await client.calls.list({ status: 'in-progress' });
    await client.calls(sid).update({ twiml: '<Response><Say>Thank you for waiting.</Say></Response>' });
    await call.hears('Thank you for waiting', { withinMs: 5000 });
    await call.expectHangup();
    assert.equal((await client.calls(sid).fetch()).status, 'completed');
  });

  test('makes a call while a request to the application is open', async (context) => {
    const { phone, client } = await open(context);
    const app = await WebApplication.start(context);
    app.authToken = TOKEN;
    const voice = app.on('/voice', async ({ params }) => {
      const twiml = '<Response><Say>Somebody has called.</Say></Response>';
      await client.calls.create({ to: OTHER, from: params['To'] ?? '', twiml });
      return '<Say>Your colleague is told.</Say>';
    });
    const call = await phone.call(voice);
    const other = await phone.dialled();
    await other.hears('Somebody has called');
    await call.hears('Your colleague is told');
    assert.deepEqual(app.unsigned, []);
  });

  test('keeps calls in their lane, and takes them out of it', async (context) => {
    const { phone, client } = await open(context);
    await phone.create('<Response/>');
    const { sid } = await phone.create('<Response/>');
    assert.equal((await client.calls(sid).fetch()).status, 'queued');
    assert.equal((await client.calls(sid).update({ status: 'canceled' })).status, 'canceled');
    await phone.settled();
    assert.equal(phone.transcript.filter(({ kind }) => kind === 'called').length, 1);
  });

  test('gives the sound of a recording in the middle of the call', async (context) => {
    const { phone } = await open(context);
    const app = await WebApplication.start(context);
    app.authToken = TOKEN;
    const voice = app.on('/voice', '<Record maxLength="2" playBeep="false" action="/done"/>');
    app.on('/done', async ({ params }) => {
      const response = await fetch(`${params['RecordingUrl']}.wav`);
      const { byteLength } = await response.arrayBuffer();
      return `<Say>Status ${response.status}, ${byteLength > 8000 ? 'sound' : 'nothing'}.</Say>`;
    });
    const call = await phone.call(voice);
    await call.say('my message');
    await call.hears('Status 200, sound');
  });

  test('asks for the account and its token', async (context) => {
    const { phone } = await open(context);
    const stranger = twilio(ACCOUNT, 'b'.repeat(32));
    stranger.api.baseUrl = phone.url;
    await assert.rejects(stranger.calls.list(), { status: 401, code: 20003 });
  });
});
