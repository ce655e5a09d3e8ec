import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { atEnd, type Scope } from './scope.ts';

const HEADER_BYTES = 12;
const MAX_LABEL_BYTES = 63;
/** A response to a query that names nothing (RFC 1035 4.1.1: QR and RCODE 3). */
const RESPONSE = 0x80;
const NAME_ERROR = 3;

/** A name server that knows no name and remembers each that was asked for. */
export interface NameLog {
  readonly port: number;
  /** Lower-case names in the order of their first query. */
  names(): readonly string[];
}

export async function openNameLog(
  scope: Scope,
  at: { readonly address: string; readonly port: number },
): Promise<NameLog> {
  const asked = new Set<string>();
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const name = nameIn(query);
    if (name === undefined) return;
    asked.add(name);
    const answer = Buffer.from(query);
    answer[2] = (query[2] ?? 0) | RESPONSE;
    answer[3] = ((query[3] ?? 0) & 0xf0) | NAME_ERROR;
    socket.send(answer, from.port, from.address);
  });
  socket.bind(at.port, at.address);
  await once(socket, 'listening');
  atEnd(scope, () => new Promise<void>((resolve) => socket.close(() => resolve())));
  return { port: socket.address().port, names: () => [...asked] };
}

/** The name of the first question (RFC 1035 4.1.2). */
function nameIn(query: Buffer): string | undefined {
  const labels: string[] = [];
  for (let at = HEADER_BYTES; ;) {
    const length = query[at];
    if (length === undefined || length > MAX_LABEL_BYTES) return undefined;
    if (length === 0) return labels.join('.').toLowerCase();
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
}
