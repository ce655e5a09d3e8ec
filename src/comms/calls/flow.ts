import type { Clock } from '../../base/clock.ts';
import type { SpeechEngine } from '../../media/speech.ts';
import { startRun } from '../executor.ts';
import type { DocumentRequest, TwimlRun } from '../executor-ports.ts';
import type { Fault } from '../faults.ts';
import type { Account, Call } from '../model.ts';
import type { Webhooks, CallSender } from '../webhooks.ts';
import { runDial } from './dial-verb.ts';
import type { CallEnvironment, FlowRules } from './environment.ts';
import type { LiveCall } from './live-call.ts';
import { startRecording } from './recordings.ts';

export interface FlowPorts {
  readonly clock: Clock;
  readonly speech: SpeechEngine;
  readonly webhooks: Webhooks;
  /** The account whose token signs the requests of the call. */
  account(call: Call): Promise<Account>;
  report(call: Call, fault: Fault): void;
}

/** Runs TwiML on a call whose party is there: the executor's ports, joined for this call. */
export function startFlow(
  live: LiveCall,
  first: DocumentRequest | { readonly twiml: string },
  { rules, ...ports }: FlowPorts & { readonly rules: FlowRules | undefined },
  environment: CallEnvironment,
): TwimlRun {
  const { party } = live;
  if (party === undefined) throw new Error(`call ${live.call.sid} has no party: want one before its document runs`);
  const sender = async (): Promise<CallSender> => ({
    accountSid: live.call.accountSid,
    authToken: (await ports.account(live.call)).authToken,
    report: (fault) => ports.report(live.call, fault),
    exchanged: (exchange) => environment.observer?.step(live.call, { kind: 'request', ...exchange }),
    call: live.call,
    extraParameters: live.extraParameters,
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
      earlyMedia: () => party.earlyMedia(),
      reject: (reason) => party.reject(reason),
      hangup: (refusal) => party.hangup(refusal),
      onEnded: (handler) => party.onEnded(handler),
      onTransfer: (handler) => party.onTransfer(handler),
    },
    first,
    ports: {
      clock: ports.clock,
      speech: ports.speech,
      call: () => live.call,
      fetchDocument: async (request) => ports.webhooks.fetchDocument(request, await sender()),
      fetchSound: async (url) => ports.webhooks.fetchSound(url, await sender()),
      report: (fault) => ports.report(live.call, fault),
      observe: (step) => environment.observer?.step(live.call, step),
      dial: (verb, { baseUrl, signal }) =>
        runDial(verb, live, { baseUrl, signal, mayDial: rules?.mayDial ?? true }, environment),
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
        return { sid: running.sid, url: running.url, stop: () => running.stop(), done: running.done };
      },
    },
  });
}
