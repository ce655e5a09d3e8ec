// An application that reminds customers of their appointment, on the stock Twilio SDK. Nothing in it knows of a test.
import { createServer } from 'node:http';
import { fileURLToPath, URLSearchParams } from 'node:url';
import twilio from 'twilio';

const MAX_FORM_BYTES = 65_536;

const pages = {
  '/voice': (_parameters, response) => {
    const gather = response.gather({ numDigits: 1, timeout: 6, action: '/key' });
    gather.say('You have an appointment tomorrow at nine. To confirm, press 1.');
    response.say('We did not hear you. Goodbye.');
  },
  '/key': ({ Digits }, response) =>
    response.say(Digits === '1' ? 'Thank you. See you tomorrow.' : 'We will call you again.'),
  '/status': () => undefined,
};

/** Listens on a free port unless one is named; `webhooks` holds what came with a good signature. */
export async function startApp({ accountSid, authToken, apiUrl, port = 0 }) {
  const client = twilio(accountSid, authToken);
  if (apiUrl !== undefined) client.api.baseUrl = apiUrl; // The one line that points the SDK at Tandem.
  const webhooks = [];
  const server = createServer(async (request, response) => {
    const parameters = Object.fromEntries(new URLSearchParams(await readForm(request)));
    const signature = request.headers['x-twilio-signature'] ?? '';
    if (!twilio.validateRequest(authToken, signature, url + request.url, parameters)) {
      return response.writeHead(403).end('the signature is missing or wrong\n');
    }
    webhooks.push({ path: request.url, parameters });
    const document = new twilio.twiml.VoiceResponse();
    const page = pages[request.url];
    page?.(parameters, document);
    response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'text/xml' }).end(document.toString());
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  const remind = (to, from) => client.calls.create({ to, from, url: `${url}/voice`, statusCallback: `${url}/status` });
  return { url, webhooks, remind, close: () => server.close().closeAllConnections() };
}

async function readForm(request) {
  let body = '';
  for await (const chunk of request) if ((body += chunk).length > MAX_FORM_BYTES) return '';
  return body;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { TWILIO_ACCOUNT_SID: accountSid, TWILIO_AUTH_TOKEN: authToken, TWILIO_BASE_URL: apiUrl, PORT } = process.env;
  const { url } = await startApp({ accountSid, authToken, apiUrl, port: Number(PORT ?? 0) });
  console.log(`The application listens on ${url}/voice`);
}
