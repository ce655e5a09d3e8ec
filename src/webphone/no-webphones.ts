import type { WebphoneAgent } from './webphone.ts';

/** A place without a door for browsers: nobody is registered, nobody calls. */
export const NO_WEBPHONES: WebphoneAgent = {
  connect: (socket) => {
    socket.close(CLOSE_UNSUPPORTED, 'browsers are not served here');
    return { text() {}, frame() {}, closed() {} };
  },
  registered: async () => [],
  placeCall: (_options, handlers) => {
    queueMicrotask(() =>
      handlers.failed({ cause: 'unreachable', status: 480, reason: 'browsers are not served here' }),
    );
    return { cancel() {} };
  },
  onIncomingCall() {},
  counts: () => ({ sockets: 0, registered: 0, calls: 0 }),
  drain() {},
  close() {},
};

const CLOSE_UNSUPPORTED = 1003;
