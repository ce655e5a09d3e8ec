import { sleep } from '../../base/clock.ts';
import { formatEndpoint } from '../../base/network.ts';
import { parseSipUri } from '../../wire/sip/uri.ts';
import { inParallel } from './clean-up.ts';
import type { LimitsAnswer } from './limits-report.ts';
import { MAX_CREATES, type CreateOptions } from './load-options.ts';
import { openPhone } from './open-phone.ts';
import { patiently } from './patience.ts';
import type { LoadContext, Scenario, ScenarioEnd } from './scenario.ts';
import { labelOf, reason } from './server-door.ts';
import { sourceAddresses } from './sources.ts';
import { makeNumbers, numberRange } from './temporary-numbers.ts';

const MAX_OPEN = 10_000;
const CANCELS_AT_A_TIME = 16;
const PAGE_SIZE = 1_000;
const BUSY = 486;
/** How long `--dial yes` waits for the queue to empty. */
const MAX_DIAL_WAIT_MS = 600_000;
const DIAL_POLL_MS = 500;

interface Listed {
  readonly sid: string;
  readonly status: string;
}

/** POST Calls.json from many numbers to a phone that is busy; afterwards every acknowledged call must be listed once. */
export async function prepareCreates(options: CreateOptions, context: LoadContext): Promise<Scenario> {
  const { sip } = context;
  const range = numberRange(options.fromCount, context);
  const froms = Array.from({ length: options.fromCount }, (_, index) => range(index));
  context.say(`making ${froms.length} temporary numbers (${range(0)} and on)`);
  await makeNumbers(froms, context);
  const [address = sip.address] = await sourceAddresses(1, sip.address);
  const phone = await openPhone(address, context);
  const run = new Creates(options, context, { froms, callee: formatEndpoint(phone.addresses.udp) });
  phone.onIncomingCall((call) => {
    run.rang(parseSipUri(call.request.uri)?.user ?? '');
    call.reject(BUSY);
  });
  return { maxOpen: MAX_OPEN, work: (index, intendedMs) => run.work(index, intendedMs), finish: () => run.finish() };
}

class Creates {
  readonly #options: CreateOptions;
  readonly #context: LoadContext;
  readonly #froms: readonly string[];
  readonly #callee: string;
  readonly #acknowledged = new Map<string, number>();
  readonly #rang = new Uint8Array(MAX_CREATES);
  #unanswered = 0;

  constructor(
    options: CreateOptions,
    context: LoadContext,
    { froms, callee }: { readonly froms: readonly string[]; readonly callee: string },
  ) {
    this.#options = options;
    this.#context = context;
    this.#froms = froms;
    this.#callee = callee;
  }

  /** The phone that is busy was called. */
  rang(user: string): void {
    const index = /^c\d{1,6}$/.test(user) ? Number(user.slice(1)) : MAX_CREATES;
    if (index < MAX_CREATES) this.#rang[index] = Math.min(255, (this.#rang[index] ?? 0) + 1);
  }

  async work(index: number, intendedMs: number): Promise<void> {
    const { door, tally, clock } = this.#context;
    if (index >= MAX_CREATES) return tally.end({ ok: false, label: `over ${MAX_CREATES} calls a run` });
    const form = {
      From: this.#froms[index % this.#froms.length] ?? '',
      To: `sip:c${index}@${this.#callee}`,
      Twiml: '<Response/>',
    };
    try {
      const answer = await door.rest('POST', '/Calls.json', form);
      const { sid } = (answer.body ?? {}) as { readonly sid?: string };
      if (answer.status !== 201 || sid === undefined) return tally.end({ ok: false, label: labelOf(answer) });
      tally.took(intendedMs, clock.now());
      this.#acknowledged.set(sid, index);
      tally.end({ ok: true });
    } catch (error) {
      // Nobody knows whether the server took it.
      this.#unanswered += 1;
      tally.end({ ok: false, label: `no answer (${reason(error)})` });
    }
  }

  async finish(): Promise<ScenarioEnd> {
    const { say, cleanUp } = this.#context;
    if (this.#options.dial) await this.#untilDialled();
    say(`listing the calls of ${this.#froms.length} numbers`);
    const seen = new Map<string, number>();
    const queued: string[] = [];
    for (const from of this.#froms) {
      for await (const { sid, status } of this.#list(from)) {
        seen.set(sid, (seen.get(sid) ?? 0) + 1);
        if (status === 'queued') queued.push(sid);
      }
    }
    cleanUp.add('queued calls', () => this.#cancel(queued));
    return this.#judge(seen, queued.length);
  }

  #judge(seen: ReadonlyMap<string, number>, queued: number): ScenarioEnd {
    let [missing, twice, rangTwice, dialled] = [0, 0, 0, 0];
    for (const [sid, index] of this.#acknowledged) {
      const times = seen.get(sid) ?? 0;
      const rang = this.#rang[index] ?? 0;
      if (times === 0) missing += 1;
      else if (times > 1) twice += 1;
      if (rang > 0) dialled += 1;
      if (rang > 1) rangTwice += 1;
    }
    const strange = [...seen.keys()].filter((sid) => !this.#acknowledged.has(sid)).length;
    const faults: string[] = [];
    if (missing > 0) faults.push(`${missing} acknowledged calls are not listed`);
    if (twice > 0) faults.push(`${twice} acknowledged calls are listed more than once`);
    if (rangTwice > 0) faults.push(`${rangTwice} calls were dialled more than once`);
    if (strange > this.#unanswered) {
      faults.push(`${strange} calls are listed that were not acknowledged; ${this.#unanswered} had no answer`);
    }
    const acknowledged = this.#acknowledged.size;
    return { figures: { acknowledged, listedOnce: acknowledged - missing - twice, dialled, queued }, faults };
  }

  async *#list(from: string): AsyncGenerator<Listed> {
    const { door } = this.#context;
    const query = new URLSearchParams({ From: from, PageSize: String(PAGE_SIZE) }).toString();
    let path: string | undefined = `/Calls.json?${query}`;
    const prefix = `/2010-04-01/Accounts/${door.target.accountSid}`;
    while (path !== undefined) {
      const asked: string = path;
      const answer = patiently(this.#context, () => door.rest('GET', asked));
      const page: { readonly calls: readonly Listed[]; readonly next_page_uri: string | null } = await door.wanted(
        answer,
        'the calls be listed',
      );
      yield* page.calls;
      path = page.next_page_uri?.startsWith(prefix) === true ? page.next_page_uri.slice(prefix.length) : undefined;
    }
  }

  async #untilDialled(): Promise<void> {
    const { door, clock, say, signal } = this.#context;
    say('waiting until the server has dialled what it acknowledged');
    const giveUpMs = clock.now() + MAX_DIAL_WAIT_MS;
    while (clock.now() < giveUpMs && !signal.aborted) {
      const limits = await door.wanted<LimitsAnswer>(door.control('GET', '/limits'), 'its limits be read');
      const waiting = limits.limits.reduce((sum, limit) => sum + limit.waiting, 0);
      if (waiting === 0 && (await door.status()).liveCalls === 0) return;
      await sleep(clock, DIAL_POLL_MS, signal).catch(() => undefined);
    }
  }

  /** What still waits must not be dialled when the phone that takes it is gone. */
  async #cancel(sids: readonly string[]): Promise<void> {
    const { door, say } = this.#context;
    if (sids.length > 0) say(`cancelling ${sids.length} queued calls`);
    await inParallel(sids, CANCELS_AT_A_TIME, async (sid) => {
      // One that has left the queue meanwhile is refused, and busy.
      await patiently(this.#context, () => door.rest('POST', `/Calls/${sid}.json`, { Status: 'canceled' }));
    });
  }
}
