import type { AddressInfo } from 'node:net';
import type { Logger } from '../base/logger.ts';
import type { VirtualClock } from '../base/virtual-clock.ts';
import type { CallCommands } from '../comms/call-commands.ts';
import type { FolderBlobs } from './folder-blobs.ts';
import type { RowsInMemory } from './rows-in-memory.ts';

const ADDRESS = '127.0.0.1';

export interface RestDoorOptions extends Pick<RowsInMemory, 'records' | 'write'> {
  readonly blobs: FolderBlobs;
  readonly clock: VirtualClock;
  readonly log: Logger;
  readonly calls: CallCommands;
}

/** The REST API of the running program, before rows in memory. */
export interface RestDoor {
  readonly url: string;
  close(): Promise<void>;
}

export async function openRestDoor({ records, write, blobs, clock, log, calls }: RestDoorOptions): Promise<RestDoor> {
  const { buildApi } = await import('../api/build-api.ts');
  let url = '';
  const app = buildApi({
    ...{ records, calls, clock, logger: log },
    publicUrl: () => url,
    sounds: { path: (id) => blobs.path(id), release: (_id, holder) => write(holder) },
  });
  await app.listen({ host: ADDRESS, port: 0 });
  url = `http://${ADDRESS}:${(app.server.address() as AddressInfo).port}`;
  return { url, close: () => app.close() };
}
