import type { EventStream } from './live-connection.ts';

const NAMES = ['snapshot', 'calls', 'entries', 'beat'];

/** The browser's EventSource as the page uses it. */
export function openEventStream(path: string): EventStream {
  const source = new EventSource(path);
  return {
    get isClosed() {
      return source.readyState === EventSource.CLOSED;
    },
    onEvent(handler) {
      for (const name of NAMES) {
        source.addEventListener(name, (event: MessageEvent<string>) => handler(name, event.data));
      }
    },
    onError(handler) {
      source.onerror = () => handler();
    },
    close: () => source.close(),
  };
}
