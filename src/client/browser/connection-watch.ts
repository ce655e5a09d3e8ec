import { after, type Cancel, type Clock } from '../../base/clock.ts';

/** ICE mends a short gap by itself. */
const GAP_MS = 3_000;

/** Tells when packets pass over a connection, and when they do not any more; to be called when it is no longer wanted. */
export function watchConnection(
  connection: RTCPeerConnection,
  clock: Clock,
  told: { up(): void; down(): void },
): Cancel {
  let gap: Cancel | undefined;
  const look = (): void => {
    gap?.();
    gap = undefined;
    if (connection.connectionState === 'connected') told.up();
    else if (connection.connectionState === 'failed') told.down();
    else if (connection.connectionState === 'disconnected') gap = after(clock, GAP_MS, told.down);
  };
  connection.addEventListener('connectionstatechange', look);
  return () => {
    gap?.();
    connection.removeEventListener('connectionstatechange', look);
  };
}
