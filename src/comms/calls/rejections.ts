import type { Party } from '../party.ts';

export const STATUS_UNAVAILABLE = 480;

/** What a caller is told, by SIP as by the signalling of browsers (RFC 3261 21). */
export const REJECTIONS: Readonly<Record<Parameters<Party['reject']>[0], readonly [number, string]>> = {
  rejected: [603, 'Decline'],
  busy: [486, 'Busy Here'],
  'not-found': [404, 'Not Found'],
  unavailable: [STATUS_UNAVAILABLE, 'Temporarily Unavailable'],
};
