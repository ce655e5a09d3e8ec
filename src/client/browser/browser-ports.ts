import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import type { ClientPorts, ClientSocket, SocketHandlers } from '../ports.ts';
import { browserSounds, type SoundOptions } from './browser-sounds.ts';

/** The engine's ports as a browser has them. */
export function browserPorts(options: SoundOptions): ClientPorts {
  return {
    clock: systemClock,
    random: systemRandom,
    userAgent: navigator.userAgent,
    openSocket,
    onWake(handler) {
      const online = (): void => handler('network');
      const awake = (): void => handler('awake');
      const shown = (): void => {
        if (document.visibilityState === 'visible') awake();
      };
      // A sleeping machine stops timers; these come first when it wakes, or when a network is there.
      globalThis.addEventListener('online', online);
      globalThis.addEventListener('pageshow', awake);
      document.addEventListener('visibilitychange', shown);
      return () => {
        globalThis.removeEventListener('online', online);
        globalThis.removeEventListener('pageshow', awake);
        document.removeEventListener('visibilitychange', shown);
      };
    },
    sounds: browserSounds(options),
  };
}

function openSocket(url: string, handlers: SocketHandlers): ClientSocket {
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => handlers.opened();
  socket.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (typeof data === 'string') handlers.text(data);
    else if (data instanceof ArrayBuffer) handlers.frame(new Uint8Array(data));
  };
  socket.onclose = ({ code, reason }) => handlers.closed(code, reason);
  const isOpen = (): boolean => socket.readyState === WebSocket.OPEN;
  return {
    send: (text) => {
      if (isOpen()) socket.send(text);
    },
    sendFrame: (bytes) => {
      // Late sound is worth nothing: what a slow network does not take is dropped.
      if (isOpen() && socket.bufferedAmount < MAX_BUFFERED_BYTES) socket.send(bytes as Uint8Array<ArrayBuffer>);
    },
    close: () => socket.close(),
  };
}

/** Half a second of sound. */
const MAX_BUFFERED_BYTES = 4_300;
