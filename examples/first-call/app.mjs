// A telephone application on the stock Twilio SDK: rings a phone, asks for keys, records a word, plays it back.
//
//   node examples/first-call/app.mjs [PHONE]        PHONE: the name given to `tandem phone add`, by default alice
//   node examples/first-call/app.mjs --serve        only answers, for `tandem try http://127.0.0.1:3700/voice --token AUTH_TOKEN`
//
// Without TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN it takes the credentials of the server that runs on this machine.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { URLSearchParams } from 'node:url';
import twilio from 'twilio';

const PORT = Number(process.env.PORT ?? 3700);
const MAX_FORM_BYTES = 65_536;
const [phone = 'alice'] = process.argv.slice(2);

const server = await findServer();
const client = twilio(server.accountSid, server.authToken);
client.api.baseUrl = server.url; // The one line that points the SDK at Tandem.

/** What the application answers, by path. Each gets the parameters of the request and a VoiceResponse to fill. */
const pages = {
  '/voice': ({ From, To }, response) => {
    console.log(`call from ${From} to ${To}: asking for a key`);
    const gather = response.gather({ numDigits: 1, timeout: 8, action: '/key' });
    gather.say('Hello from Tandem. Press any key.');
    response.say('You pressed nothing. Goodbye.');
  },
  '/key': ({ Digits }, response) => {
    console.log(`key pressed: ${Digits}`);
    response.say(`You pressed ${Digits}. After the tone, say something, then be silent.`);
    response.record({ maxLength: 10, timeout: 2, action: '/recorded' });
    response.say('I heard nothing. Goodbye.');
  },
  '/recorded': ({ RecordingUrl, RecordingDuration }, response) => {
    console.log(`recorded ${RecordingDuration} s: ${RecordingUrl}.wav`);
    response.say('You said:');
    response.play(RecordingUrl);
    response.say('Goodbye.');
  },
  '/status': ({ CallStatus, CallDuration }) => {
    console.log(`call ${CallStatus}${CallDuration === undefined ? '' : ` after ${CallDuration} s`}`);
    if (CallStatus === 'no-answer' || CallStatus === 'failed') console.log('why: npx tandem logs');
  },
};

const application = createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(`request failed: ${error.message}`);
    response.writeHead(500).end();
  });
});
application.once('error', (error) => {
  console.error(`The application cannot listen on port ${PORT}: ${error.message}. Choose another port with PORT=3701`);
  process.exit(1);
});
await new Promise((resolve) => application.listen(PORT, '127.0.0.1', resolve));
const here = `http://127.0.0.1:${application.address().port}`;
console.log(`The application listens on ${here}/voice`);
if (phone !== '--serve') await ring();
console.log('Ctrl-C ends the application.');

async function answer(request, response) {
  const { pathname } = new URL(request.url, here);
  const page = pages[pathname];
  const parameters = Object.fromEntries(new URLSearchParams(await readForm(request)));
  const signature = request.headers['x-twilio-signature'] ?? '';
  // Only the server knows the auth token: whoever signs with it is the server.
  if (!twilio.validateRequest(server.authToken, signature, `${here}${request.url}`, parameters)) {
    response.writeHead(403).end('the signature is missing or wrong\n');
    return;
  }
  const document = new twilio.twiml.VoiceResponse();
  page?.(parameters, document);
  response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'text/xml' }).end(document.toString());
}

async function ring() {
  try {
    const [number] = await client.incomingPhoneNumbers.list({ limit: 1 });
    const call = await client.calls.create({
      to: `sip:${phone}@home.tandem`,
      from: number.phoneNumber,
      url: `${here}/voice`,
      statusCallback: `${here}/status`,
      statusCallbackEvent: ['ringing', 'answered', 'completed'],
    });
    console.log(`calling ${phone} (${call.sid})`);
  } catch (error) {
    console.error(`the call was refused: ${error.message}`);
  }
}

async function readForm(request) {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk;
    if (body.length > MAX_FORM_BYTES) throw new Error(`the form is longer than ${MAX_FORM_BYTES} bytes`);
  }
  return body;
}

/** From the environment, as any Twilio application; else from the file in which a running server says where it is. */
async function findServer() {
  const { TWILIO_ACCOUNT_SID: accountSid, TWILIO_AUTH_TOKEN: authToken, TWILIO_BASE_URL: url } = process.env;
  if (accountSid !== undefined && authToken !== undefined) {
    return { accountSid, authToken, url: url ?? 'http://127.0.0.1:3600' };
  }
  const file = join(process.env.TANDEM_DATA ?? join(homedir(), '.tandem'), 'run.json');
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    console.error(`No server runs here (${file} is not there). Start one with: npm start`);
    process.exit(1);
  }
}
