import type { MediaLeg } from '../media/media-node.ts';

/** Why a party's call ended. */
export interface PartyEnd {
  readonly by: 'remote' | 'local' | 'failure';
  readonly sipStatus: number | null;
  readonly reason: string | null;
}

/**
 * One party of a call with its sound, whatever carries it (SIP now, a browser later). An incoming party is unanswered
 * until `answer`; an outgoing one exists only once it was answered.
 */
export interface Party {
  readonly media: MediaLeg;
  readonly answered: boolean;
  readonly ended: PartyEnd | undefined;
  /** Incoming: answers (once; later calls do nothing). Rejects with CommsError `ended` when the caller is gone. */
  answer(): Promise<void>;
  /** Incoming and unanswered: 180 toward the caller. */
  ringing(): void;
  /** Incoming and unanswered: refuses. */
  reject(reason: 'rejected' | 'busy' | 'not-found' | 'unavailable'): void;
  hangup(): Promise<void>;
  /** Fires once; at once when it has ended already. */
  onEnded(handler: (end: PartyEnd) => void): void;
}
