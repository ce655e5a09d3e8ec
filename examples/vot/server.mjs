// VoT, the application of the Twilio study: hands out tokens and a page, and says by TwiML whom a call is for (README.md).
import { appendFileSync, createReadStream, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { homedir } from 'node:os';
import { text } from 'node:stream/consumers';
import twilio from 'twilio';
const { PORT = '3800', VOT_CLIENT = 'mike', VOT_TRACE, TANDEM_DATA = `${homedir()}/.tandem` } = process.env;
const FILES = { '/': 'page.html', '/twilio.min.js': '../../node_modules/@twilio/voice-sdk/dist/twilio.min.js' };
const tandem = JSON.parse(readFileSync(`${TANDEM_DATA}/run.json`, 'utf8'));
const client = twilio(tandem.accountSid, tandem.authToken);
client.api.baseUrl = tandem.url; // The one line that points the SDK at Tandem.

const server = createServer((request, response) => {
  serve(request, response).catch((error) => response.writeHead(500).end(String(error)));
});
await new Promise((resolve) => server.listen(Number(PORT), '127.0.0.1', resolve));
const here = `http://127.0.0.1:${server.address().port}`;
const voiceUrl = `${here}/voice`;
const key = await client.newKeys.create({ friendlyName: 'VoT' });
const application = await client.applications.create({ friendlyName: 'VoT', voiceUrl });
const number = (await client.incomingPhoneNumbers.list()).at(-1); // The place's first: the newest may be another's.
await client.incomingPhoneNumbers(number.sid).update({ voiceUrl });
console.log(`VoT is at ${here}/ and rings ${VOT_CLIENT} for ${number.phoneNumber}`);

async function serve(request, response) {
  const { pathname, searchParams } = new URL(request.url, here);
  if (pathname === '/token') return giveToken(searchParams.get('identity') ?? '', response);
  if (pathname === '/voice') return answerCall(request, response);
  if (FILES[pathname] === undefined) return response.writeHead(404).end('no such page\n');
  response.setHeader('content-type', pathname === '/' ? 'text/html; charset=utf-8' : 'text/javascript');
  return createReadStream(new URL(FILES[pathname], import.meta.url)).pipe(response);
}

/** A page with this token is called as `identity`, and calls through this application. Ask for a password first. */
function giveToken(identity, response) {
  if (!/^\w{1,40}$/.test(identity)) return response.writeHead(400).end('want a name of letters and digits\n');
  const { AccessToken } = twilio.jwt;
  const token = new AccessToken(tandem.accountSid, key.sid, key.secret, { identity });
  token.addGrant(new AccessToken.VoiceGrant({ incomingAllow: true, outgoingApplicationSid: application.sid }));
  note({ from: `browser:${identity}`, to: `application:${here}`, text: 'GET /token', detail: `identity=${identity}` });
  note({ from: `application:${here}`, to: `browser:${identity}`, text: '200 capability token', reply: true });
  return response.end(JSON.stringify({ token: token.toJwt(), http: tandem.url, https: tandem.https }));
}

/** Whoever calls from a page names whom it wants; a call to our number is for the client that is linked with it. */
async function answerCall(request, response) {
  if (!(Number(request.headers['content-length']) <= 65_536)) return response.writeHead(413).end();
  const form = Object.fromEntries(new URLSearchParams(await text(request)));
  const signature = request.headers['x-twilio-signature'] ?? '';
  if (!twilio.validateRequest(tandem.authToken, signature, voiceUrl, form)) return response.writeHead(403).end();
  const document = new twilio.twiml.VoiceResponse();
  const dial = document.dial({ answerOnBridge: true });
  if (!form.From.startsWith('client:')) dial.client(VOT_CLIENT);
  else if (/^\+\d+$/.test(form.To)) dial.number(form.To);
  else dial.client(form.To);
  return response.writeHead(200, { 'content-type': 'text/xml' }).end(document.toString());
}

function note(seen) {
  if (VOT_TRACE !== undefined) appendFileSync(VOT_TRACE, `${JSON.stringify({ at: Date.now(), ...seen })}\n`);
}
