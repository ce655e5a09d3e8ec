import { after } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import { TaskGroup } from '../base/lifecycle.ts';
import { silentLogger } from '../base/logger.ts';
import type { IncomingCall } from '../sip/user-agent.ts';
import { DEFAULT_PATIENCE_MS } from './expectations.ts';
import type { PhoneCall } from './phone-call.ts';
import { PhoneError } from './phone-error.ts';
import type { Answering, PhoneOptions } from './phone-options.ts';
import { partiesOf, PhoneSignalling, type OpenedCall, type OwnOptions } from './phone-signalling.ts';
import { PHONE_ADDRESS, SERVICE_ADDRESS, type PhoneWorld } from './phone-world.ts';
import { SIP_PORT } from './sip-side.ts';

const ANSWER_AFTER_MS = 2000;

/** The phones of a world in virtual time: places their calls, and answers those that come. */
export class Switchboard {
  /** What phones do from now on that are called. */
  answer: Answering;
  /** For the phone that rings next. */
  nextOptions: OwnOptions = {};
  readonly #world: PhoneWorld;
  readonly #patienceMs: number;
  readonly #tasks: TaskGroup;
  readonly #signalling: PhoneSignalling;
  /** Phones that rang and that nobody has asked for yet. */
  readonly #ringing: PhoneCall[] = [];
  #onRinging: (() => void) | undefined;
  #opened = 0;

  constructor(world: PhoneWorld, { answer = 'yes', patienceMs, log = silentLogger }: PhoneOptions) {
    this.#world = world;
    this.answer = answer;
    this.#patienceMs = patienceMs ?? DEFAULT_PATIENCE_MS;
    this.#tasks = new TaskGroup((error) => log.error({ error: errorText(error) }, 'work of a phone failed'));
    const { sip, media, ears, names, voice } = world;
    this.#signalling = new PhoneSignalling({
      ...{ sip, media, ears, names, voice },
      localAddress: PHONE_ADDRESS,
      tasks: this.#tasks,
      patienceMs: this.#patienceMs,
      answerAfterMs: ANSWER_AFTER_MS,
    });
    sip.onIncomingCall((incoming) => this.#tasks.run(() => this.#ring(incoming)));
  }

  /** A phone calls a number of the service. */
  async place(from: string, to: string, options: OwnOptions): Promise<PhoneCall> {
    const opened = await this.#open(options);
    opened.call.tell({ kind: 'calls', from, to });
    const remote = { address: SERVICE_ADDRESS, port: SIP_PORT };
    this.#signalling.place(opened, {
      target: { uri: `sip:${to}@${SERVICE_ADDRESS}`, flow: { transport: 'udp', remote } },
      from: `<sip:${from}@${SERVICE_ADDRESS}>`,
      to: `<sip:${to}@${SERVICE_ADDRESS}>`,
    });
    return opened.call;
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
    const opened = await this.#open(this.nextOptions);
    this.nextOptions = {};
    opened.call.tell({ kind: 'called', ...partiesOf(incoming) });
    // Whoever expects that the flow dials, is another phone.
    for (const call of this.#world.calls.calls) call.changed();
    this.#ringing.push(opened.call);
    this.#onRinging?.();
    this.#signalling.ring(opened, incoming, this.answer);
  }

  async #open(options: OwnOptions): Promise<OpenedCall> {
    const { time, transcript, calls } = this.#world;
    this.#opened += 1;
    const opened = await this.#signalling.open({ time, transcript, number: this.#opened }, options);
    calls.calls.push(opened.call);
    return opened;
  }
}
