import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { signRequest } from '../../comms/signature.ts';
import { ApiError } from '../api-error.ts';
import { Parameters } from '../parameters.ts';
import { numbersOf, type ConsolePorts } from './console-ports.ts';
import { dial, dialled, pressed, welcome } from './own-twiml.ts';

/** The server as an application: its requests come over HTTP, signed, as those to any other do, and are shown as such. */
export function addOwnTwiml(scope: FastifyInstance, ports: ConsolePorts): void {
  const answer = (path: string, document: (form: Parameters) => string | Promise<string>): void => {
    scope.post(`/twiml/${path}`, async (request, reply) => {
      const form = formOf(request);
      await checkSignature(request, form, ports);
      return reply.type('text/xml; charset=utf-8').send(await document(form));
    });
  };
  answer('welcome', () => welcome());
  answer('pressed', (form) => pressed(form.text('Digits') ?? ''));
  answer('dial', async (form) => {
    const to = form.text('To') ?? '';
    const [number] = await numbersOf(ports);
    const isPhone = (await ports.records.phones.byName(to.trim())) !== undefined;
    return dial(to, { homeDomain: ports.homeDomain, callerId: number?.phoneNumber, isPhone });
  });
  answer('dialled', (form) => dialled(form.text('DialCallStatus') ?? ''));
}

function formOf({ body }: FastifyRequest): Parameters {
  return body instanceof Parameters ? body : new Parameters(new Map());
}

async function checkSignature(request: FastifyRequest, form: Parameters, ports: ConsolePorts): Promise<void> {
  const account = await ports.records.accounts.find(ports.accountSid);
  const parameters = Object.fromEntries(form.names().map((name) => [name, form.text(name) ?? '']));
  const right = signRequest(account?.authToken ?? '', `${ports.ownUrl()}${request.originalUrl}`, parameters);
  const given = request.headers['x-twilio-signature'];
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  if (account !== undefined && typeof given === 'string' && timingSafeEqual(hash(given), hash(right))) return;
  throw new ApiError({ status: 403, code: 20403, message: 'Only this server itself may ask, with its signature' });
}
