import type { CallFailure, PlaceCall, PlacedCall, SipCall, SipCallEvent } from '../user-agent.ts';
import type { Scene } from './scene.ts';
import { audioSdp } from './session-descriptions.ts';

/** What became of one placed call. */
export interface CallLog {
  readonly placed: PlacedCall;
  readonly sent: string[];
  readonly progress: { readonly status: number; readonly sdp: string | undefined }[];
  readonly calls: SipCall[];
  readonly answers: string[];
  readonly failures: CallFailure[];
  readonly events: SipCallEvent[];
}

/** Places a call and writes down what its handlers are told. */
export function placeCall(scene: Scene, uri: string, options: Partial<PlaceCall> = {}): CallLog {
  const log: Omit<CallLog, 'placed'> = { sent: [], progress: [], calls: [], answers: [], failures: [], events: [] };
  const placed = scene.agent.placeCall(
    {
      target: { uri },
      from: '<sip:tester@home.test>',
      to: `<${uri}>`,
      offer: async (address) => audioSdp(address, 20_000),
      ringTimeoutMs: 60_000,
      ...options,
    },
    {
      sent: ({ callId }) => log.sent.push(callId),
      progress: (status, sdp) => log.progress.push({ status, sdp }),
      answered: (call, sdp) => {
        log.calls.push(call);
        log.answers.push(sdp);
        call.onEvent((event) => log.events.push(event));
      },
      failed: (failure) => log.failures.push(failure),
    },
  );
  return { placed, ...log };
}
