import { errorText } from '../base/errors.ts';
import type { SoundPath } from '../wire/webphone/client-message.ts';
import { ClientError } from './client-error.ts';

export function lostSocket(): ClientError {
  return new ClientError(
    53001,
    'the connection to the server was lost; look at the network, and whether the server runs',
  );
}

export function noSound(kind: SoundPath['kind'] | undefined): ClientError {
  return new ClientError(
    53405,
    kind === 'frames'
      ? 'no sound came over the connection to the server'
      : "no sound passes: want the server's UDP ports reachable from here; a firewall, or a NAT whose outer address the " +
          'server does not know (advertisedAddress), stands between. A Device whose ' +
          '`sound` is `auto`, in a secure context, takes to the socket instead',
  );
}

export function asClientError(error: unknown): ClientError {
  return error instanceof ClientError ? error : new ClientError(31000, errorText(error), { cause: error });
}
