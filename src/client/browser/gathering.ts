import { after, type Clock } from '../../base/clock.ts';

/** Resolves when the browser knows all its ICE candidates, or after `withinMs`. */
export function gathered(connection: RTCPeerConnection, clock: Clock, withinMs: number): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (connection.iceGatheringState === 'complete') done();
    };
    const done = (): void => {
      cancel();
      connection.removeEventListener('icegatheringstatechange', look);
      resolve();
    };
    const cancel = after(clock, withinMs, done);
    connection.addEventListener('icegatheringstatechange', look);
    look();
  });
}
