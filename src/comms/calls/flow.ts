import type { Clock } from '../../base/clock.ts';
import type { SpeechEngine } from '../../media/speech.ts';
import { startRun } from '../executor.ts';
import type { DocumentRequest, TwimlRun } from '../executor-ports.ts';
import type { Fault } from '../faults.ts';
import type { Account, Call } from '../model.ts';
import type { Webhooks, CallSender } from '../webhooks.ts';
import { runDial, type DialContext } from './dial-verb.ts';
import type { CallEnvironment } from './environment.ts';
import type { LiveCall } from './live-call.ts';
import { startRecording } from './recordings.ts';

export interface FlowPorts {
  readonly clock: Clock;
  readonly speech: SpeechEngine;
  readonly webhooks: Webhooks;
  /** The account whose token signs the requests of the call. */
  account(call: Call): Account;
  report(call: Call, fault: Fault): void;
}

export interface FlowContext extends Pick<DialContext, 'depth' | 'register'> {
  /** Parameters of every request of this call beside the usual ones (SIP headers, the domain). */
  readonly extraParameters: Readonly<Record<string, string>>;
}

/** Runs TwiML on a call whose party is there: the executor's ports, joined for this call. */
export function startFlow(
  live: LiveCall,
  first: DocumentRequest | { readonly twiml: string },
  context: FlowContext,
  ports: FlowPorts,
  environment: CallEnvironment,
): TwimlRun {
  const { party } = live;
  if (party === undefined) throw new Error(`call ${live.call.sid} has no party: want one before its document runs`);
  const sender = (): CallSender => ({
    accountSid: live.call.accountSid,
    authToken: ports.account(live.call).authToken,
    report: (fault) => ports.report(live.call, fault),
    call: live.call,
    extraParameters: context.extraParameters,
  });
  return startRun({
    party: {
      get media() {
        return party.media;
      },
      get answered() {
        return party.answered;
      },
      get ended() {
        return party.ended;
      },
      // The moment of the answer is the call's, whoever asks for it.
      answer: async () => {
        await party.answer();
        await live.answered();
      },
      ringing: () => party.ringing(),
      reject: (reason) => party.reject(reason),
      hangup: () => party.hangup(),
      onEnded: (handler) => party.onEnded(handler),
    },
    first,
    ports: {
      clock: ports.clock,
      speech: ports.speech,
      call: () => live.call,
      fetchDocument: (request) => ports.webhooks.fetchDocument(request, sender()),
      fetchSound: (url) => ports.webhooks.fetchSound(url, sender()),
      report: (fault) => ports.report(live.call, fault),
      dial: (verb, { baseUrl, signal }) => runDial(verb, live, { baseUrl, signal, ...context }, environment),
      record: async (request) => {
        const { source, statusCallback, statusCallbackMethod, statusCallbackEvents, ...sound } = request;
        const running = await startRecording(
          {
            call: live.call,
            source,
            channels: sound.channels ?? 1,
            track: sound.track ?? 'inbound',
            statusCallback,
            statusCallbackMethod,
            statusCallbackEvents,
            start: (path) => party.media.record({ ...sound, path }),
          },
          environment.recordings,
        );
        return { sid: running.sid, url: running.url, stop: () => void running.finish(), done: running.done };
      },
    },
  });
}
