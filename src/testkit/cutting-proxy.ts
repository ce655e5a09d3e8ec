import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { deferred } from '../base/deferred.ts';

/** A simple query as it stands on the wire: its text and the zero behind it. */
const COMMIT = Buffer.from('COMMIT\0');

/** Stands before a PostgreSQL server and breaks a connection at the moment of a commit. */
export interface CuttingProxy extends AsyncDisposable {
  readonly connectionString: string;
  readonly cuts: number;
  /** Resolves with the first cut. */
  readonly cut: Promise<void>;
  /** `answer`: the server commits and nobody hears of it. `request`: it never sees the COMMIT. */
  cutNextCommit(what: 'answer' | 'request', options?: { readonly thenRefuse?: boolean }): void;
}

/** Before a database of `startPostgresql`, whose connection string names its socket's folder. */
export async function openCuttingProxy(connectionString: string): Promise<CuttingProxy> {
  const database = new URL(connectionString.replace('@/', '@localhost/'));
  const path = join(database.searchParams.get('host') ?? '', '.s.PGSQL.5432');
  const sockets = new Set<Socket>();
  const cut = deferred<void>();
  let wanted: 'answer' | 'request' | undefined;
  let thenRefuse = false;
  let cuts = 0;

  const server = createServer((client) => {
    if (cuts > 0 && thenRefuse) {
      client.destroy();
      return;
    }
    const upstream = connect(path);
    let answersAreLost = false;
    const close = (): void => {
      client.destroy();
      upstream.destroy();
    };
    const count = (): void => {
      cuts += 1;
      close();
      if (thenRefuse) for (const socket of sockets) socket.destroy();
      cut.resolve();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', close).on('close', () => {
        sockets.delete(socket);
        close();
      });
    }
    client.on('data', (bytes: Buffer) => {
      const what = bytes.includes(COMMIT) ? wanted : undefined;
      if (what !== undefined) wanted = undefined;
      if (what === 'request') {
        count();
        return;
      }
      answersAreLost ||= what === 'answer';
      upstream.write(bytes);
    });
    upstream.on('data', (bytes: Buffer) => {
      if (answersAreLost) count();
      else client.write(bytes);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    connectionString: `postgresql://postgres@127.0.0.1:${port}${database.pathname}`,
    get cuts() {
      return cuts;
    },
    cut: cut.promise,
    cutNextCommit(what, options) {
      wanted = what;
      thenRefuse = options?.thenRefuse ?? false;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
