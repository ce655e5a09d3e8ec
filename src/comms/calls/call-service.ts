import { after, sleep } from '../../base/clock.ts';
import { deferred } from '../../base/deferred.ts';
import { errorText } from '../../base/errors.ts';
import { TaskGroup } from '../../base/lifecycle.ts';
import type { CallSid, Sid } from '../../base/sid.ts';
import { BusError } from '../../bus/in-process.ts';
import type { MediaNode } from '../../media/media-node.ts';
import { formatAddress, parseAddress, type Address } from '../address.ts';
import type {
  CallChange,
  CallCommands,
  CallRedirect,
  CallRequest,
  RecordingChange,
  StartRecordingOptions,
} from '../call-commands.ts';
import { CommsError } from '../comms-error.ts';
import { fault } from '../faults.ts';
import type { Account, Call, CallPlan, HttpMethod, Recording, RecordingSource } from '../model.ts';
import { sendMessage, subscribeMessages, unsubscribeMessages } from './call-messages.ts';
import { startCallRecording } from './call-recording.ts';
import { isEmergency } from './emergency.ts';
import { MAX_REWRITES, REWRITE_MS, withUntoldEnd } from './call-journal.ts';
import type { CallEnvironment } from './environment.ts';
import { runIncomingCall } from './incoming-call.ts';
import { runIncomingClientCall } from './incoming-client-call.ts';
import { isFinal, type LiveCall } from './live-call.ts';
import { newCall } from './new-call.ts';
import { openLiveCall } from './open-live-call.ts';
import { follow, runOutgoingCall } from './outgoing-call.ts';
import { closeUnfinishedRecordings, tellUntoldRecording } from './recordings.ts';
import { talkOf } from './talk.ts';

const UPDATE_TOPIC = 'call.update';
const STOPPED = 'the server stopped';
const INTERRUPTED = 'interrupted by a restart of the server';
/** Calls that are closed side by side after a crash: they share commits. */
const RECOVERED_TOGETHER = 200;
/** Recordings that run as long as their call, and are told with its end. */
const SOURCES_TOLD_AT_END: readonly RecordingSource[] = ['OutboundAPI', 'StartCallRecordingAPI'];

/** A call between its lane and its dialling is found within this; looked for so often. */
const HANDOVER_MS = 5000;
const HANDOVER_STEP_MS = 50;

/** Calls of the place: made by the API, coming in, commanded while they live. */
export class CallService implements CallCommands {
  readonly #environment: CallEnvironment;
  readonly #tasks: TaskGroup;
  readonly #recovered = deferred<void>();
  #aliveUntil: number | undefined;
  readonly #untold: Call[] = [];
  readonly #untoldRecordings: Recording[] = [];
  /** Calls of the last run that this one closes: no more than were live at its end. */
  readonly #interrupted = new Set<CallSid>();
  #draining = false;

  constructor(environment: CallEnvironment) {
    this.#environment = environment;
    this.#tasks = new TaskGroup((error) => {
      environment.log.error({ error: errorText(error) }, 'work of a call failed');
    });
    environment.liveCalls.onAdd((live) => {
      this.#tasks.run(() => live.settled());
      if (this.#draining) this.#tasks.run(() => live.terminate('completed', STOPPED));
      return environment.bus.serve(UPDATE_TOPIC, live.call.sid, (change) => this.#apply(live, change as CallChange));
    });
    environment.userAgent.onIncomingCall((incoming) =>
      this.#takeIncoming(() => runIncomingCall(incoming, environment)),
    );
    environment.webphones.onIncomingCall((incoming) =>
      this.#takeIncoming(() => runIncomingClientCall(incoming, environment)),
    );
  }

  get liveCalls(): number {
    return this.#environment.liveCalls.size;
  }

  /**
   * Closes what a crash left open: told to the application, never dialled again. Calls that come in meanwhile wait, so
   * that none of them is taken for one of the last run. Call before the lane runs. `aliveUntil` is the last moment at
   * which the last run is known to have lived: calls that were up count until then.
   */
  async recover(aliveUntil?: number): Promise<number> {
    this.#aliveUntil = aliveUntil;
    const { calls, recordings } = this.#environment;
    this.#untold.push(...(await calls.endsUntold()));
    const unfinished = await calls.unfinished();
    for (let i = 0; i < unfinished.length; i += RECOVERED_TOGETHER) {
      await Promise.all(unfinished.slice(i, i + RECOVERED_TOGETHER).map((call) => this.interrupted(call)));
    }
    await closeUnfinishedRecordings(recordings);
    this.#untoldRecordings.push(...(await recordings.endsUntold()));
    this.#recovered.resolve();
    return unfinished.length;
  }

  /** Closes it as interrupted, once in a run; its owner is notified on disk first, so that no crash in between loses that. */
  async interrupted(call: Call): Promise<void> {
    if (this.#interrupted.has(call.sid)) return;
    this.#interrupted.add(call.sid);
    await this.#notifyAndClose(call, MAX_REWRITES);
  }

  async #notifyAndClose(call: Call, triesLeft: number): Promise<void> {
    const { clock, log } = this.#environment;
    try {
      await this.#environment.reportOnce(call, fault(12400, INTERRUPTED));
    } catch (error) {
      // A full disk: the row stays open meanwhile, and when this run ends first the next one finds it so.
      log.error({ callSid: call.sid, error: errorText(error) }, 'an interrupted call cannot be closed yet');
      if (triesLeft === 0) return;
      after(clock, REWRITE_MS, () => {
        if (!this.#draining) this.#tasks.run(() => this.#notifyAndClose(call, triesLeft - 1));
      });
      return;
    }
    const live = openLiveCall(call, this.#environment);
    const began = call.startTime ?? call.dateCreated;
    await live.finish({
      status: call.status === 'in-progress' ? 'completed' : 'failed',
      reason: INTERRUPTED,
      at: Math.min(clock.now(), Math.max(began, this.#aliveUntil ?? began)),
    });
  }

  /**
   * Tells the ends of recordings and calls that were written when the last run went before the application had heard of
   * them. Call when links to recordings can be made.
   */
  async tellUntoldEnds(): Promise<void> {
    const { calls, recordings } = this.#environment;
    for (const recording of this.#untoldRecordings.splice(0)) {
      const call = await calls.find(recording.accountSid, recording.callSid);
      if (call === undefined) await recordings.endTold(recording.sid);
      else tellUntoldRecording(call, recording, recordings);
    }
    for (const call of this.#untold.splice(0)) await this.#tellEnd(call);
  }

  async #tellEnd(call: Call): Promise<void> {
    const { journal } = openLiveCall(call, this.#environment);
    const { recordings } = this.#environment;
    for (const recording of await recordings.ofCall(call)) {
      if (recording.status !== 'completed' || !SOURCES_TOLD_AT_END.includes(recording.source)) continue;
      const { sid, duration } = recording;
      journal.recorded({ url: recordings.urlOf(recording), sid, durationSeconds: duration ?? 0 });
    }
    journal.tell('completed');
    await journal.settled();
  }

  async create(account: Account, request: CallRequest): Promise<Call> {
    if (this.#draining) throw unavailable('the server is stopping; call again when it is back');
    const from = await this.#checkedFrom(account, request.from);
    await this.#checkCallerId(account, request.plan);
    const plan = await this.#planWithApplication(account, request.plan);
    const call = this.#newCall(account, request.to, from, plan);
    if (await isEmergency(request.to, this.#environment)) {
      // Emergency calls never queue.
      const dialling: Call = { ...call, stage: 'dialling' };
      await this.#environment.calls.insert(dialling);
      this.start(dialling);
      return dialling;
    }
    await this.#environment.calls.enqueue(call);
    this.#environment.observer?.row(call);
    return call;
  }

  /** The lane's turn came: the row is `dialling` on disk, so the INVITE may leave. Resolves at once; the call goes on by itself. */
  start(call: Call): void {
    const live = openLiveCall(call, this.#environment);
    this.#environment.liveCalls.add(live);
    this.#tasks.run(() => runOutgoingCall(live, this.#environment));
  }

  /** A call that waited too long in its lane. */
  async expired(call: Call): Promise<void> {
    this.#environment.report(call, fault(21214, 'it waited 24 hours in the queue'));
    await openLiveCall(call, this.#environment).finish({ status: 'failed', reason: 'waited too long in the queue' });
  }

  async update(account: Account, callSid: CallSid, change: CallChange): Promise<Call> {
    const { clock, calls, bus } = this.#environment;
    const giveUpAt = clock.now() + HANDOVER_MS;
    for (;;) {
      const call = await calls.find(account.sid, callSid);
      if (call === undefined) throw notFound(callSid);
      if (call.stage === 'ended') throw notUsable(call, 'a call that has not ended');
      const changed = call.stage === 'queued' ? await this.#updateQueued(call, change) : undefined;
      if (changed !== undefined) return changed;
      try {
        return (await bus.request(UPDATE_TOPIC, callSid, change)) as Call;
      } catch (error) {
        if (!(error instanceof BusError)) throw error;
        // The lane has just let it out, or it is ending: it stands elsewhere in a moment.
        if (clock.now() >= giveUpAt) throw notUsable(call, 'a call that has not ended');
        await sleep(clock, HANDOVER_STEP_MS);
      }
    }
  }

  async startRecording(account: Account, callSid: CallSid, options: StartRecordingOptions): Promise<Recording> {
    const live = await this.#liveOf(account, callSid);
    const running = await startCallRecording(
      live,
      { ...options, source: 'StartCallRecordingAPI', channels: options.channels === 'dual' ? 2 : 1 },
      this.#environment,
    );
    return running.current;
  }

  async updateRecording(
    account: Account,
    callSid: CallSid,
    recordingSid: Sid<'RE'> | 'current',
    change: RecordingChange,
  ): Promise<Recording> {
    const live = await this.#liveOf(account, callSid);
    const running = live.recordings.findLast(({ sid, current }) =>
      recordingSid === 'current' ? isRunning(current) : sid === recordingSid,
    );
    if (running === undefined) {
      throw new CommsError('not-found', `no recording ${recordingSid} runs on call ${callSid}`, {
        faultCode: 20_404,
        httpStatus: 404,
      });
    }
    if (change.status === 'stopped') return (await running.finish()).recording;
    if (!isRunning(running.current)) {
      const message = `recording ${running.sid} is ${running.current.status}; want one that runs`;
      throw new CommsError('refused', message, { faultCode: 21_220, httpStatus: 400 });
    }
    return change.status === 'paused' ? running.pause() : running.resume();
  }

  async subscribeMessages(
    account: Account,
    callSid: CallSid,
    wanted: { readonly callback: string; readonly method: HttpMethod },
  ): Promise<Sid<'ZY'>> {
    return subscribeMessages(await this.#liveOf(account, callSid), wanted, this.#environment).sid;
  }

  async unsubscribeMessages(account: Account, callSid: CallSid, sid: string): Promise<boolean> {
    return unsubscribeMessages(await this.#liveOf(account, callSid), sid);
  }

  async sendMessage(account: Account, callSid: CallSid, content: string): Promise<Sid<'KX'>> {
    return sendMessage(await this.#liveOf(account, callSid), content, this.#environment);
  }

  /** A media process died with all its legs: its calls end, and their owners are told why. */
  mediaLost(node: MediaNode, reason: string): void {
    const lost = this.#environment.liveCalls.all().filter((live) => live.media?.node === node && !live.isOver);
    // The end of a caller ends whom it called, without this reason: so those first.
    lost.sort((a, b) => Number(a.call.parentCallSid === null) - Number(b.call.parentCallSid === null));
    for (const live of lost) {
      const text = `the process that carried its sound ended: ${reason}`;
      this.#environment.report(live.call, fault(12400, text));
      this.#tasks.run(async () => {
        await live.finish({
          status: live.call.startTime === null ? 'failed' : 'completed',
          sipStatus: 500,
          reason: text,
        });
      });
    }
  }

  /** Ends every call and waits until all are written down and told. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#environment.userAgent.drain();
    this.#environment.webphones.drain();
    await Promise.all(this.#environment.liveCalls.all().map((live) => live.terminate('completed', STOPPED)));
    await this.#tasks.settled();
  }

  #takeIncoming(run: () => Promise<void>): void {
    this.#tasks.run(async () => {
      await this.#recovered.promise;
      await run();
    });
  }

  async #apply(live: LiveCall, change: CallChange): Promise<Call> {
    const { call } = live;
    if (isFinal(call.status) || live.isOver) throw notUsable(call, 'a call that has not ended');
    if (change.status === 'canceled' && call.status === 'in-progress') {
      throw notUsable(call, 'a queued or ringing call, since Status is canceled; Status=completed ends this one');
    }
    this.#applyPlan(live, change);
    if (change.status !== undefined) {
      await live.terminate(change.status);
      return live.call;
    }
    if (change.redirect !== undefined) this.#redirect(live, change.redirect);
    if (change.timeLimitSeconds !== undefined) live.limit(change.timeLimitSeconds);
    return live.call;
  }

  #redirect(live: LiveCall, redirect: CallRedirect): void {
    const first = 'twiml' in redirect ? redirect : { ...redirect, parameters: {} };
    if (live.run !== undefined) {
      live.run.redirect(first);
      return;
    }
    // A callee in conversation has no document of its own yet: it leaves the caller, whose Dial is then over.
    const talk = talkOf(live);
    if (talk === undefined || live.isDialling) throw notUsable(live.call, 'a call in progress');
    talk.release(live);
    this.#tasks.run(async () => {
      await talk.over;
      await follow(live, first, this.#environment);
    });
  }

  #applyPlan(live: LiveCall, change: CallChange): void {
    const { statusCallback, statusCallbackMethod, timeLimitSeconds } = change;
    if (statusCallback === undefined && timeLimitSeconds === undefined) return;
    const plan: CallPlan = {
      ...live.call.plan,
      ...(statusCallback === undefined ? {} : { statusCallback, statusCallbackMethod: statusCallbackMethod ?? 'POST' }),
      ...(timeLimitSeconds === undefined ? {} : { timeLimitSeconds }),
    };
    void live.journal.change({ plan });
  }

  /** Undefined when the lane took the call in between. */
  async #updateQueued(call: Call, change: CallChange): Promise<Call | undefined> {
    if (change.status === undefined) throw notUsable(call, 'a call in progress');
    const live = openLiveCall(call, this.#environment);
    const now = this.#environment.clock.now();
    const ended = { status: 'canceled', stage: 'ended', endTime: now, duration: 0 } as const;
    const changes = withUntoldEnd(ended, call.plan);
    if (!(await this.#environment.calls.cancelQueued(call, changes))) return undefined;
    await live.finish({ status: 'canceled' });
    return live.call;
  }

  async #liveOf(account: Account, callSid: CallSid): Promise<LiveCall> {
    const call = await this.#environment.calls.find(account.sid, callSid);
    if (call === undefined) throw notFound(callSid);
    const live = this.#environment.liveCalls.get(callSid);
    if (live === undefined) throw notUsable(call, 'a call in progress');
    return live;
  }

  #newCall(
    account: Account,
    to: Address,
    from: { readonly text: string; readonly numberSid: Sid<'PN'> | null },
    plan: CallPlan,
  ): Call {
    return newCall(
      {
        accountSid: account.sid,
        to: formatAddress(to),
        from: from.text,
        phoneNumberSid: from.numberSid,
        status: 'queued',
        stage: 'queued',
        direction: 'outbound-api',
        plan,
      },
      this.#environment,
    );
  }

  async #checkedFrom(
    account: Account,
    from: Address,
  ): Promise<{ readonly text: string; readonly numberSid: Sid<'PN'> | null }> {
    const text = formatAddress(from);
    if (from.kind !== 'number') return { text, numberSid: null };
    const { lookups } = this.#environment;
    const owned = await lookups.number(text);
    if (owned?.accountSid === account.sid) return { text, numberSid: owned.sid };
    if ((await lookups.phoneByNumber(text))?.accountSid === account.sid) return { text, numberSid: null };
    throw new CommsError(
      'refused',
      `From ${text} is not a number of this account; add it first: tandem number add ${text}`,
      { faultCode: 21_210, httpStatus: 400 },
    );
  }

  /** Nobody else's number is shown, whichever parameter names it. */
  async #checkCallerId(account: Account, plan: CallPlan): Promise<void> {
    const callerId = plan.callerId === undefined ? undefined : parseAddress(plan.callerId);
    if (callerId !== undefined) await this.#checkedFrom(account, callerId);
  }

  /** An application brings its own status callback along. */
  async #planWithApplication(account: Account, plan: CallPlan): Promise<CallPlan> {
    if (plan.applicationSid === undefined) return plan;
    const application = await this.#environment.lookups.application(account.sid, plan.applicationSid);
    if (application === undefined || application.voiceUrl === null) {
      const why = application === undefined ? 'does not exist' : 'has no VoiceUrl';
      throw new CommsError('refused', `ApplicationSid ${plan.applicationSid} ${why}`, {
        faultCode: 21_218,
        httpStatus: 400,
      });
    }
    const { statusCallback, statusCallbackMethod } = application;
    if (plan.statusCallback !== undefined || statusCallback === null) return plan;
    return { ...plan, statusCallback, statusCallbackMethod };
  }
}

function notFound(sid: CallSid): CommsError {
  return new CommsError('not-found', `The requested resource /Calls/${sid} was not found`, {
    faultCode: 20_404,
    httpStatus: 404,
  });
}

function notUsable(call: Call, wanted: string): CommsError {
  return new CommsError('refused', `call ${call.sid} is ${call.status}; want ${wanted}`, {
    faultCode: 21_220,
    httpStatus: 400,
  });
}

function isRunning({ status }: Recording): boolean {
  return status === 'in-progress' || status === 'paused';
}

function unavailable(message: string): CommsError {
  return new CommsError('overloaded', message, { faultCode: 20_503, httpStatus: 503 });
}
