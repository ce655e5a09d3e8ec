import { after } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import type { TaskGroup } from '../base/lifecycle.ts';
import type { MediaLeg, MediaNode } from '../media/media-node.ts';
import type { SpeechEngine } from '../media/speech.ts';
import type { IncomingCall, PlaceCall, SipCall, UserAgent } from '../sip/user-agent.ts';
import { parseAddress as parseNameAddress } from '../wire/sip/address.ts';
import { header } from '../wire/sip/message.ts';
import { parseSipUri } from '../wire/sip/uri.ts';
import { Ear } from './ear.ts';
import type { Ears } from './ears.ts';
import type { NamedSounds } from './named-sounds.ts';
import { PhoneCall } from './phone-call.ts';
import type { Answering, PhoneCallOptions } from './phone-options.ts';
import type { PhoneTime } from './phone-time.ts';
import type { MatchRules } from './sound-match.ts';
import type { Transcript } from './transcript.ts';

const RING_MS = 300_000;

/** What concerns the phone alone. */
export type OwnOptions = Pick<PhoneCallOptions, 'wav' | 'hangUpAfterMs'>;

/** The phones' own signalling and media, and what they know of the service's sounds. */
export interface PhoneSide {
  readonly sip: UserAgent;
  readonly media: MediaNode;
  readonly localAddress: string;
  readonly ears: Ears;
  readonly names: NamedSounds;
  /** Makes what the people at the phones say. */
  readonly voice: SpeechEngine;
  readonly tasks: TaskGroup;
  readonly patienceMs: number;
  /** A person lets it ring a little. */
  readonly answerAfterMs: number;
  readonly rules?: MatchRules;
}

export interface OpenedCall {
  readonly call: PhoneCall;
  readonly leg: MediaLeg;
  readonly time: PhoneTime;
}

/** Joins a call as the person at the phone knows it to SIP and sound. */
export class PhoneSignalling {
  readonly #side: PhoneSide;

  constructor(side: PhoneSide) {
    this.#side = side;
  }

  async open(
    {
      time,
      transcript,
      number,
    }: { readonly time: PhoneTime; readonly transcript: Transcript; readonly number: number },
    { wav, hangUpAfterMs }: OwnOptions = {},
  ): Promise<OpenedCall> {
    const { media, names, voice, ears, patienceMs, rules, localAddress } = this.#side;
    const leg = await media.openLeg({ kind: 'rtp', localAddress });
    const ear = new Ear({
      clock: time.clock,
      names,
      onBegin: (name) => call.begins(name),
      onHeard: (hearing) => call.heard(hearing),
      ...(rules === undefined ? {} : { rules }),
    });
    const call: PhoneCall = new PhoneCall({
      ...{ time, transcript, leg, ear, voice, hangUpAfterMs, number, patienceMs },
      onSaid: (text, path) => ears.announceToOthers(ear, text, path),
      onEnded: () => ears.remove(leg),
    });
    leg.onEvent((event) => {
      if (event.kind === 'digit') call.tell({ kind: 'key', digit: event.digit });
    });
    if (wav !== undefined) leg.record({ path: wav, track: 'both', channels: 2 });
    ears.add(leg, ear);
    return { call, leg, time };
  }

  /** Calls out; the call is told what becomes of it. */
  place({ call, leg }: OpenedCall, where: Pick<PlaceCall, 'target' | 'from' | 'to' | 'credentials'>): void {
    const { sip, ears, tasks } = this.#side;
    const placed = sip.placeCall(
      { ...where, ringTimeoutMs: RING_MS, offer: async () => ears.at(leg, await leg.createOffer()) },
      {
        progress: (status, sdp) => {
          if (status === 180) call.rings();
          if (sdp !== undefined) tasks.run(() => leg.acceptAnswer(sdp));
        },
        answered: (sipCall, sdp) =>
          tasks.run(async () => {
            await leg.acceptAnswer(sdp);
            this.#isUp(call, leg, sipCall);
          }),
        failed: ({ status, reason }) => call.isRefused(status, reason),
      },
    );
    call.connect({ hangUp: async () => placed.cancel() });
  }

  /** Does with a call that came in what the phone does with calls. */
  ring(opened: OpenedCall, incoming: IncomingCall, answer: Answering): void {
    const { call, time } = opened;
    const refuse = (): void => {
      incoming.reject(486, 'Busy Here');
      call.isRefused(486, 'Busy Here');
    };
    call.connect({ hangUp: async () => refuse() });
    incoming.onCancelled(() => call.isRefused(487, 'Request Terminated'));
    // It may have been given up before.
    if (call.ended) return;
    if (answer === 'busy') return refuse();
    incoming.ringing();
    call.rings();
    if (answer === 'no') return;
    after(time.clock, this.#side.answerAfterMs, () => {
      if (!call.ended) this.#side.tasks.run(() => this.#pickUp(opened, incoming));
    });
  }

  async #pickUp({ call, leg }: OpenedCall, incoming: IncomingCall): Promise<void> {
    const { offer } = incoming;
    try {
      const sdp = offer === undefined ? await leg.createOffer() : await leg.answerOffer(offer);
      const { call: sipCall, ackSdp } = await incoming.answer(this.#side.ears.at(leg, sdp));
      if (offer === undefined && ackSdp !== undefined) await leg.acceptAnswer(ackSdp);
      this.#isUp(call, leg, sipCall);
    } catch (error) {
      // The caller gave up while the phone was picked up, or offered what no phone understands.
      incoming.reject(488, 'Not Acceptable Here');
      if (!call.ended) call.isRefused(488, errorText(error));
    }
  }

  #isUp(call: PhoneCall, leg: MediaLeg, sipCall: SipCall): void {
    call.connect({ hangUp: () => sipCall.hangup() });
    sipCall.onEvent((event) => {
      if (event.kind === 'ended') call.isHungUp();
      if (event.kind === 'offer') {
        this.#side.tasks.run(async () => {
          event.answer(event.offer === undefined ? await leg.createOffer() : await leg.answerOffer(event.offer));
        });
      }
    });
    call.isAnswered();
  }
}

/** Who calls, and whom. */
export function partiesOf({ request }: IncomingCall): { readonly from: string; readonly to: string } {
  const from = parseNameAddress(header(request, 'From') ?? '')?.uri ?? '';
  return { from: userOf(from), to: userOf(request.uri) };
}

function userOf(uri: string): string {
  return parseSipUri(uri)?.user ?? uri;
}
