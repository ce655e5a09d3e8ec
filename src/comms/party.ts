import type { MediaLeg } from '../media/media-node.ts';

/** Why a party's call ended. */
export interface PartyEnd {
  readonly by: 'remote' | 'local' | 'failure';
  readonly sipStatus: number | null;
  readonly reason: string | null;
}

/** A party asks to be replaced in its conversation (RFC 3515). Take or refuse it once. */
export interface TransferRequest {
  /** SIP address of the one who is to come. */
  readonly referTo: string;
  /** Attended: names the dialog whose far side is to come. */
  readonly replacesDialog?: string;
  /** `notify` tells how the new call goes on; a final status ends it. */
  accept(): { notify(status: number, reason: string): void };
  refuse(status: number): void;
}

/** With what an unanswered caller is refused. */
export interface Refusal {
  readonly sipStatus: number;
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
  /** Names the SIP dialog, where there is one. */
  readonly dialogId?: string | undefined;
  /** Call-ID of the SIP dialog, where there is one. */
  readonly callId?: string | undefined;
  /** Incoming: answers (once; later calls do nothing). Rejects with CommsError `ended` when the caller is gone. */
  answer(): Promise<void>;
  /** Incoming and unanswered: 180 toward the caller. */
  ringing(): void;
  /** Incoming and unanswered: the caller hears its leg from now on (183). */
  earlyMedia(): void;
  /** Incoming and unanswered: refuses. */
  reject(reason: 'rejected' | 'busy' | 'not-found' | 'unavailable'): void;
  /** Ends the call; an unanswered caller is refused, with 480 unless `refusal` says otherwise. */
  hangup(refusal?: Refusal): Promise<void>;
  /** Fires once; at once when it has ended already. */
  onEnded(handler: (end: PartyEnd) => void): void;
  /** One handler at a time; without one a transfer is refused. */
  onTransfer(handler: ((request: TransferRequest) => void) | undefined): void;
}
