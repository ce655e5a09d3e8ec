import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { HttpRequest, HttpResponse, OutgoingHttp } from '../../http/outgoing.ts';
import { TraceBook } from '../../trace/trace-book.ts';
import { watchedWebhooks, watchRest } from './watch-requests.ts';

const SID = `CA${'1'.repeat(32)}`;
const ACCOUNT = `AC${'2'.repeat(32)}`;

function open(): TraceBook {
  return new TraceBook({ clock: new VirtualClock(0) });
}

function linesOf(book: TraceBook): readonly string[] {
  return (book.of(SID)?.messages ?? []).map(({ from, to, text, detail }) => `${from} -> ${to}: ${text}; ${detail}`);
}

class Outside implements OutgoingHttp {
  answer: HttpResponse | Error = new Error('refused');

  async request({ url }: HttpRequest): Promise<HttpResponse> {
    if (this.answer instanceof Error) throw this.answer;
    return { ...this.answer, url };
  }

  async close(): Promise<void> {}
}

function twiml(text: string): HttpResponse {
  const headers = { 'content-type': 'text/xml' };
  return { status: 200, headers, body: new TextEncoder().encode(text), url: '' };
}

suite('requests to the application', () => {
  test('are noted with what the call is, and their answers with its verbs', async () => {
    const [book, outside] = [open(), new Outside()];
    outside.answer = twiml('<Response><Say voice="alice">Hi</Say><Dial><Client>jenny</Client></Dial></Response>');
    const body = new URLSearchParams({ From: 'client:mike', CallSid: SID, AccountSid: ACCOUNT, pin_token: 'T' });
    const request = {
      method: 'POST',
      url: 'http://me:PASSWORD@127.0.0.1:3800/voice?key=K',
      body: body.toString(),
    } as const;
    await watchedWebhooks(outside, book).request(request);
    assert.deepEqual(linesOf(book), [
      'tandem -> application:http://127.0.0.1:3800: POST /voice?key=[hidden]; From=client:mike pin_token=[hidden]',
      'application:http://127.0.0.1:3800 -> tandem: 200 TwiML; <Say> Hi <Dial> <Client> jenny',
    ]);
  });

  test('that tell a status begin with it: a drawing shows the beginning alone', async () => {
    const [book, outside] = [open(), new Outside()];
    outside.answer = twiml('<Response/>');
    const body = new URLSearchParams({
      CallSid: SID,
      From: '+1',
      CallStatus: 'ringing',
      CallbackSource: 'call-progress-events',
    });
    await watchedWebhooks(outside, book).request({
      method: 'POST',
      url: 'http://127.0.0.1:3800/s',
      body: body.toString(),
    });
    assert.match(linesOf(book)[0] ?? '', /POST \/s; CallStatus=ringing From=\+1$/);
  });

  test('that fail are noted with the reason, and fail', async () => {
    const book = open();
    const request = { method: 'GET', url: `http://127.0.0.1:3800/voice?CallSid=${SID}&CallStatus=ringing` } as const;
    await assert.rejects(watchedWebhooks(new Outside(), book).request(request), /refused/);
    assert.deepEqual(linesOf(book), [
      'tandem -> application:http://127.0.0.1:3800: GET /voice; CallStatus=ringing',
      'application:http://127.0.0.1:3800 -> tandem: no answer; refused',
    ]);
  });

  test('that are about no call are not noted', async () => {
    const [book, outside] = [open(), new Outside()];
    outside.answer = twiml('<Response/>');
    await watchedWebhooks(outside, book).request({ method: 'GET', url: 'http://127.0.0.1/tone.wav' });
    assert.deepEqual(linesOf(book), []);
  });
});

suite('requests to the REST API', () => {
  const served = { path: `/2010-04-01/Accounts/${ACCOUNT}/Calls.json`, userAgent: 'twilio-node/6.2.0 (linux)' };

  test('that make a call are noted with their parameters and their answer', () => {
    const book = open();
    const parameters = { To: '+12025550123', Twiml: '<Response/>', SipAuthPassword: 'P' };
    const body = { sid: SID, status: 'queued' };
    watchRest(book)({ ...served, method: 'POST', parameters, status: 201, body });
    assert.deepEqual(linesOf(book), [
      'rest:twilio-node/6.2.0 -> tandem: POST /Calls.json; To=+12025550123 Twiml=<Response/> SipAuthPassword=[hidden]',
      'tandem -> rest:twilio-node/6.2.0: 201; status queued',
    ]);
  });

  test('that only look are not noted', () => {
    const book = open();
    watchRest(book)({ ...served, method: 'GET', parameters: {}, status: 200, body: { sid: SID } });
    assert.deepEqual(linesOf(book), []);
  });
});
