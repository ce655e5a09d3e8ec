import type { FastifyInstance } from 'fastify';
import { fault, isFaultCode } from '../comms/faults.ts';
import { ApiError, DOOR_FAULTS } from './api-error.ts';

/** What `more_info` points at: one line about a code. */
export function addErrorPages(app: FastifyInstance): void {
  app.get('/docs/errors/:code', async (request, reply) => {
    const { code } = request.params as { readonly code: string };
    const title = titleOf(Number(code));
    if (title === undefined) throw new ApiError({ status: 404, code: 20404, message: `No error ${code.slice(0, 10)}` });
    return reply.type('text/plain; charset=utf-8').send(`${code}: ${title}\n`);
  });
}

function titleOf(code: number): string | undefined {
  if (isFaultCode(code)) return fault(code).message;
  return Object.hasOwn(DOOR_FAULTS, code) ? DOOR_FAULTS[code as keyof typeof DOOR_FAULTS] : undefined;
}
