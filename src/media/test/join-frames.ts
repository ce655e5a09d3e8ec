import type { MediaLeg } from '../media-node.ts';

/** Carries the packets of two `frames` legs, as a WebSocket does between a page and the server. */
export function joinFrames(one: MediaLeg, other: MediaLeg): Promise<void> {
  one.frames?.onFrame((packet) => other.frames?.push(packet));
  other.frames?.onFrame((packet) => one.frames?.push(packet));
  return Promise.resolve();
}
