import { COMMAND } from '../base/command-name.ts';
import { HOME_DOMAIN } from '../comms/place.ts';
import { defaultDataFolder } from './load-config.ts';
import type { Program } from './program.ts';

/**
 * What a person sees when the server is ready: where it listens, and how to make the first call. With a data folder of its own the commands name
 * that: without it they would reach another server.
 */
export function banner(program: Program, data: string): string {
  const where = data === defaultDataFolder() ? '' : ` --data ${/^[\w./-]+$/.test(data) ? data : `'${data}'`}`;
  const { http, https, sip, accountSid, authToken, speech, firstNumber, phones, notices } = program;
  return [
    '',
    `  Tandem is ready.`,
    '',
    `  page         ${pageUrl(http)}`,
    `  REST API     ${http}/2010-04-01`,
    ...(https === undefined ? [] : [`  HTTPS        ${https}, trusted as ${http}/trust says`]),
    `  SIP          ${sip.udp} (UDP and TCP)`,
    `  speech       ${speech}`,
    `  account      ${accountSid}`,
    `  auth token   ${authToken}`,
    ...notices.map((notice) => `  note         ${notice}`),
    '',
    phones > 0
      ? `  ${phones} phone${phones === 1 ? ' is' : 's are'} known: ${COMMAND} phone list${where}`
      : `  First call: open the page and press Call me, or let a phone register with  ${COMMAND} phone add alice${where}`,
    '  Ring it from your Twilio code:',
    '',
    `    const client = require('twilio')('${accountSid}', '${authToken}');`,
    `    client.api.baseUrl = '${http}';`,
    `    client.calls.create({ to: 'sip:alice@${HOME_DOMAIN}', from: '${firstNumber}',`,
    `      twiml: '<Response><Say>Hello from Tandem.</Say></Response>' });`,
    '',
    '  Ctrl-C stops.',
    '',
  ].join('\n');
}

/** By the name that browsers take for secure, where the door is on this machine. */
function pageUrl(http: string): string {
  return `${http.replace('//127.0.0.1:', '//localhost:')}/`;
}
