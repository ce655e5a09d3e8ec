import { createSocket, type SocketOptions } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { DatagramSocket, Endpoint, Network } from '../base/network.ts';

/** What media asks of the network. */
export type DatagramNetwork = Pick<Network, 'bindDatagram'>;

/** Bursts must wait in the kernel while JavaScript collects garbage; the default buffer loses them. */
const RECEIVE_BUFFER_BYTES = 1 << 20;

// Every address here is a literal: answering at once saves an event loop turn for each packet.
const literalLookup: NonNullable<SocketOptions['lookup']> = (host, _options, callback) =>
  callback(null, host, isIPv6(host) ? 6 : 4);

/** UDP sockets as RTP wants them. Rejects with the system's error (`EADDRINUSE`, `EADDRNOTAVAIL`). */
export const rtpDatagrams: DatagramNetwork = {
  bindDatagram(at) {
    return new Promise((resolve, reject) => {
      const type = isIPv6(at.address) ? 'udp6' : 'udp4';
      const socket = createSocket({ type, recvBufferSize: RECEIVE_BUFFER_BYTES, lookup: literalLookup });
      socket.once('error', reject);
      socket.bind({ address: at.address, port: at.port, exclusive: true }, () => {
        socket.removeListener('error', reject);
        const { address, port } = socket.address();
        resolve(wrap(socket, { address, port }));
      });
    });
  },
};

function wrap(socket: ReturnType<typeof createSocket>, local: Endpoint): DatagramSocket {
  let onError: (error: Error) => void = () => undefined;
  let closing: Promise<void> | undefined;
  socket.on('error', (error) => onError(error));
  return {
    local,
    send(bytes, to) {
      if (closing !== undefined) return;
      // Without a callback, which costs an eighth of the send: a packet that the system refuses is lost as on the way.
      socket.send(bytes, to.port, to.address);
    },
    onMessage(handler) {
      socket.on('message', (bytes, from) => handler(bytes, { address: from.address, port: from.port }));
    },
    onError(handler) {
      onError = handler;
    },
    close() {
      closing ??= new Promise((resolve) => socket.close(() => resolve()));
      return closing;
    },
  };
}
