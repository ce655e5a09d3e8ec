import { after } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import { TaskGroup } from '../base/lifecycle.ts';
import { silentLogger } from '../base/logger.ts';
import type { MediaLeg } from '../media/media-node.ts';
import type { IncomingCall, SipCall } from '../sip/user-agent.ts';
import { parseAddress as parseNameAddress } from '../wire/sip/address.ts';
import { header } from '../wire/sip/message.ts';
import { parseSipUri } from '../wire/sip/uri.ts';
import { Ear } from './ear.ts';
import { DEFAULT_PATIENCE_MS, PhoneCall } from './phone-call.ts';
import { PhoneError } from './phone-error.ts';
import type { Answering, PhoneCallOptions, PhoneOptions } from './phone-options.ts';
import { PHONE_ADDRESS, SERVICE_ADDRESS, type PhoneWorld } from './phone-world.ts';
import { SIP_PORT } from './sip-side.ts';

/** A person lets it ring a little. */
const ANSWER_AFTER_MS = 2000;
const RING_MS = 300_000;

/** What concerns the phone alone. */
export type OwnOptions = Pick<PhoneCallOptions, 'wav' | 'hangUpAfterMs'>;

/** The signalling of all phones: places their calls, and answers those that come. */
export class Switchboard {
  /** What phones do from now on that are called. */
  answer: Answering;
  /** For the phone that rings next. */
  nextOptions: OwnOptions = {};
  readonly #world: PhoneWorld;
  readonly #patienceMs: number;
  readonly #tasks: TaskGroup;
  /** Phones that rang and that nobody has asked for yet. */
  readonly #ringing: PhoneCall[] = [];
  #onRinging: (() => void) | undefined;

  constructor(world: PhoneWorld, { answer = 'yes', patienceMs, log = silentLogger }: PhoneOptions) {
    this.#world = world;
    this.answer = answer;
    this.#patienceMs = patienceMs ?? DEFAULT_PATIENCE_MS;
    this.#tasks = new TaskGroup((error) => log.error({ error: errorText(error) }, 'work of a phone failed'));
    world.sip.onIncomingCall((incoming) => this.#tasks.run(() => this.#ring(incoming)));
  }

  /** A phone calls a number of the service. */
  async place(from: string, to: string, options: OwnOptions): Promise<PhoneCall> {
    const { sip, media, ears } = this.#world;
    const leg = await media.openLeg({ kind: 'rtp', localAddress: PHONE_ADDRESS });
    const call = this.#open(leg, options);
    call.tell({ kind: 'calls', from, to });
    const remote = { address: SERVICE_ADDRESS, port: SIP_PORT };
    const placed = sip.placeCall(
      {
        target: { uri: `sip:${to}@${SERVICE_ADDRESS}`, flow: { transport: 'udp', remote } },
        from: `<sip:${from}@${SERVICE_ADDRESS}>`,
        to: `<sip:${to}@${SERVICE_ADDRESS}>`,
        ringTimeoutMs: RING_MS,
        offer: async () => ears.at(leg, await leg.createOffer()),
      },
      {
        progress: (status, sdp) => {
          if (status === 180) call.rings();
          if (sdp !== undefined) this.#tasks.run(() => leg.acceptAnswer(sdp));
        },
        answered: (sipCall, sdp) =>
          this.#tasks.run(async () => {
            await leg.acceptAnswer(sdp);
            this.#isUp(call, leg, sipCall);
          }),
        failed: ({ status, reason }) => call.isRefused(status, reason),
      },
    );
    call.connect({ hangUp: async () => placed.cancel() });
    return call;
  }

  /** The next phone that the service calls; rejects with PhoneError `not-connected` when none rings in time. */
  nextRinging(withinMs = this.#patienceMs): Promise<PhoneCall> {
    const { clock } = this.#world.time;
    return new Promise((resolve, reject) => {
      const take = (): boolean => {
        const call = this.#ringing.shift();
        if (call !== undefined) resolve(call);
        return call !== undefined;
      };
      if (take()) return;
      const cancel = after(clock, withinMs, () => {
        this.#onRinging = undefined;
        reject(new PhoneError('not-connected', `expected that a phone is dialled: none was, for ${withinMs / 1000} s`));
      });
      this.#onRinging = () => {
        this.#onRinging = undefined;
        cancel();
        take();
      };
    });
  }

  async #ring(incoming: IncomingCall): Promise<void> {
    const { media, time } = this.#world;
    const leg = await media.openLeg({ kind: 'rtp', localAddress: PHONE_ADDRESS });
    const call = this.#open(leg, this.nextOptions);
    this.nextOptions = {};
    const from = parseNameAddress(header(incoming.request, 'From') ?? '')?.uri ?? '';
    call.tell({ kind: 'called', from: userOf(from), to: userOf(incoming.request.uri) });
    this.#ringing.push(call);
    this.#onRinging?.();
    const refuse = (): void => {
      incoming.reject(486, 'Busy Here');
      call.isRefused(486, 'Busy Here');
    };
    call.connect({ hangUp: async () => refuse() });
    incoming.onCancelled(() => call.isRefused(487, 'Request Terminated'));
    if (this.answer === 'busy') return refuse();
    incoming.ringing();
    call.rings();
    if (this.answer === 'no') return;
    after(time.clock, ANSWER_AFTER_MS, () => {
      if (!call.ended) this.#tasks.run(() => this.#pickUp(call, leg, incoming));
    });
  }

  async #pickUp(call: PhoneCall, leg: MediaLeg, incoming: IncomingCall): Promise<void> {
    const { offer } = incoming;
    const sdp = offer === undefined ? await leg.createOffer() : await leg.answerOffer(offer);
    const { call: sipCall, ackSdp } = await incoming.answer(this.#world.ears.at(leg, sdp));
    if (offer === undefined && ackSdp !== undefined) await leg.acceptAnswer(ackSdp);
    this.#isUp(call, leg, sipCall);
  }

  #isUp(call: PhoneCall, leg: MediaLeg, sipCall: SipCall): void {
    call.connect({ hangUp: () => sipCall.hangup() });
    sipCall.onEvent((event) => {
      if (event.kind === 'ended') call.isHungUp();
      if (event.kind === 'offer') {
        this.#tasks.run(async () => {
          event.answer(event.offer === undefined ? await leg.createOffer() : await leg.answerOffer(event.offer));
        });
      }
    });
    call.isAnswered();
  }

  #open(leg: MediaLeg, { wav, hangUpAfterMs }: OwnOptions): PhoneCall {
    const { time, transcript, names, voice, ears, calls } = this.#world;
    const ear = new Ear({
      clock: time.clock,
      names,
      onBegin: (name) => call.begins(name),
      onHeard: (hearing) => call.heard(hearing),
    });
    const call: PhoneCall = new PhoneCall({
      ...{ time, transcript, leg, ear, voice, hangUpAfterMs },
      number: calls.calls.length + 1,
      patienceMs: this.#patienceMs,
      onSaid: (text, path) => ears.announceToOthers(ear, text, path),
    });
    leg.onEvent((event) => {
      if (event.kind === 'digit') call.tell({ kind: 'key', digit: event.digit });
    });
    if (wav !== undefined) leg.record({ path: wav, track: 'both', channels: 2 });
    ears.add(leg, ear);
    calls.calls.push(call);
    return call;
  }
}

function userOf(uri: string): string {
  return parseSipUri(uri)?.user ?? uri;
}
