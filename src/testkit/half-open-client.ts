import { once } from 'node:events';
import { connect } from 'node:net';
import { atEnd, type Scope } from './scope.ts';

/** Asks, and keeps its half of the connection open whatever is answered; resolves with the first of the answer. */
export async function answerToHalfOpen(scope: Scope, port: number, request: string): Promise<string> {
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  atEnd(scope, async () => void client.destroy());
  client.on('error', () => undefined);
  client.write(request);
  const [answer] = (await once(client, 'data')) as [Buffer];
  return answer.toString();
}
