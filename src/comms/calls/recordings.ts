import { after, type Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import { newSid } from '../../base/sid.ts';
import type { Recording as SoundRecording, RecordingResult } from '../../media/media-node.ts';
import type { BlobId } from '../../store/blobs.ts';
import { CommsError } from '../comms-error.ts';
import type { Call, HttpMethod, Recording, RecordingCallback, RecordingEvent, RecordingSource } from '../model.ts';
import { MAX_REWRITES, REWRITE_MS, type StatusEvent } from './call-journal.ts';

const DEFAULT_EVENTS: readonly RecordingEvent[] = ['completed'];
/** Recording failed inside the server, e.g. on a full disk. */
const ERROR_RECORDING_FAILED = 12_400;

export interface RecordingPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** A fresh path for the sound, on the file system where it is kept. */
  temporaryPath(suffix: string): string;
  /** Removes a temporary file that is not kept; one that is gone is no fault. */
  discard(path: string): Promise<void>;
  /** Keeps the finished sound and changes the resource that refers to it, both or neither. */
  keep(path: string, sid: Recording['sid'], changes: Partial<Recording>): Promise<BlobId>;
  insert(recording: Recording): Promise<void>;
  update(sid: Recording['sid'], changes: Partial<Recording>): Promise<void>;
  /** Recordings that were running when the last run ended. */
  unfinished(): Promise<readonly Recording[]>;
  /** Recordings that have ended, and whose end was not told. */
  endsUntold(): Promise<readonly Recording[]>;
  /** The end was delivered or given up: the next start need not tell it. */
  endTold(sid: Recording['sid']): Promise<void>;
  /** Recordings of a call, oldest first. */
  ofCall(call: Call): Promise<readonly Recording[]>;
  /** Public URL of the sound, without suffix. */
  urlOf(recording: Recording): string;
  deliver(call: Call, event: StatusEvent): void;
}

export interface RecordingPlan {
  readonly call: Call;
  readonly source: RecordingSource;
  readonly channels: 1 | 2;
  readonly track: Recording['track'];
  readonly statusCallback?: string | undefined;
  readonly statusCallbackMethod?: HttpMethod | undefined;
  readonly statusCallbackEvents?: readonly RecordingEvent[] | undefined;
  /** Starts the sound into the given file. */
  start(path: string): SoundRecording;
}

export interface FinishedRecording {
  readonly result: RecordingResult;
  readonly recording: Recording;
}

/** A recording that runs, and its resource. */
export interface RunningCallRecording {
  readonly sid: Recording['sid'];
  readonly url: string;
  readonly source: RecordingSource;
  readonly current: Recording;
  /** After the sound is stored (or found absent) and the resource says so. Never rejects. */
  readonly done: Promise<FinishedRecording>;
  pause(): Promise<Recording>;
  resume(): Promise<Recording>;
  stop(): void;
  /** Stops and resolves as `done` does. */
  finish(): Promise<FinishedRecording>;
}

/** Starts a recording and keeps its resource true until the sound is a blob. Rejects when its row cannot be written. */
export async function startRecording(plan: RecordingPlan, ports: RecordingPorts): Promise<RunningCallRecording> {
  const now = ports.clock.now();
  const recording: Recording = {
    sid: newSid('RE', ports.random),
    accountSid: plan.call.accountSid,
    callSid: plan.call.sid,
    conferenceSid: null,
    status: 'in-progress',
    source: plan.source,
    channels: plan.channels,
    track: plan.track,
    startTime: now,
    duration: null,
    errorCode: null,
    blobId: null,
    untoldEnd: untoldEnd(plan),
    dateCreated: now,
    dateUpdated: now,
  };
  await ports.insert(recording);
  const path = ports.temporaryPath('.wav');
  try {
    return new CallRecording(recording, { ...plan, path, sound: plan.start(path) }, ports);
  } catch (error) {
    await ports.discard(path);
    // The leg went between the two: the row must not stay in progress.
    const absent = { status: 'absent', errorCode: ERROR_RECORDING_FAILED, dateUpdated: now } as const;
    // Whoever asked for it hears at once that there is none.
    await ports.update(recording.sid, { ...absent, untoldEnd: null });
    throw error;
  }
}

/** Closes what a crash cut off: its sound is lost. */
export async function closeUnfinishedRecordings(ports: RecordingPorts): Promise<void> {
  for (const { sid, untoldEnd: callback } of await ports.unfinished()) {
    await ports.update(sid, {
      status: 'absent',
      untoldEnd: wanting(callback, 'absent'),
      errorCode: ERROR_RECORDING_FAILED,
      dateUpdated: ports.clock.now(),
    });
  }
}

/** Tells an end that the last run could not, as it would have told it. */
export function tellUntoldRecording(call: Call, recording: Recording, ports: RecordingPorts): void {
  const { untoldEnd: callback, status, sid } = recording;
  if (callback === null || (status !== 'completed' && status !== 'absent')) return;
  const event = eventOf(call, recording, { callback, event: status }, ports);
  ports.deliver(call, { ...event, afterwards: () => ports.endTold(sid) });
}

function wanting(callback: RecordingCallback | null, event: RecordingEvent): RecordingCallback | null {
  return callback?.events.includes(event) === true ? callback : null;
}

const ENDS: readonly RecordingEvent[] = ['completed', 'absent'];

function callbackOf(plan: RecordingPlan): RecordingCallback | null {
  const { statusCallback: url, statusCallbackMethod: method = 'POST', statusCallbackEvents: events } = plan;
  return url === undefined ? null : { url, method, events: events ?? DEFAULT_EVENTS };
}

/** Null when nobody wants to hear of the end. */
function untoldEnd(plan: RecordingPlan): RecordingCallback | null {
  const callback = callbackOf(plan);
  return callback?.events.some((event) => ENDS.includes(event)) === true ? callback : null;
}

interface StartedPlan extends RecordingPlan {
  readonly path: string;
  readonly sound: SoundRecording;
}

class CallRecording implements RunningCallRecording {
  readonly done: Promise<FinishedRecording>;
  readonly #plan: StartedPlan;
  readonly #ports: RecordingPorts;
  #recording: Recording;

  constructor(recording: Recording, plan: StartedPlan, ports: RecordingPorts) {
    this.#recording = recording;
    this.#plan = plan;
    this.#ports = ports;
    this.#tell('in-progress');
    this.done = this.#keep();
  }

  get sid(): Recording['sid'] {
    return this.#recording.sid;
  }

  get url(): string {
    return this.#ports.urlOf(this.#recording);
  }

  get source(): RecordingSource {
    return this.#recording.source;
  }

  get current(): Recording {
    return this.#recording;
  }

  async pause(): Promise<Recording> {
    this.#plan.sound.pause();
    return this.#change({ status: 'paused' });
  }

  async resume(): Promise<Recording> {
    this.#plan.sound.resume();
    return this.#change({ status: 'in-progress' });
  }

  stop(): void {
    this.#plan.sound.stop();
  }

  finish(): Promise<FinishedRecording> {
    this.stop();
    return this.done;
  }

  async #keep(): Promise<FinishedRecording> {
    const result = await this.#plan.sound.done;
    try {
      if (result.endedBy === 'failed') await this.#absent({ errorCode: ERROR_RECORDING_FAILED });
      else if (result.durationMs === 0) await this.#absent({ duration: 0 });
      else await this.#store(result);
    } catch (error) {
      this.#ports.log.error({ recordingSid: this.sid, error: errorText(error) }, 'a recording could not be kept');
      await this.#giveUp();
    } finally {
      // Adopted, it is not there any more; else nobody wants it, and a full disk needs the room.
      await this.#ports.discard(this.#plan.path);
    }
    this.#tell(this.#recording.status === 'completed' ? 'completed' : 'absent');
    return { result, recording: this.#recording };
  }

  /** A full disk leaves the row behind: it is written a little later, or closed by the next start. */
  async #giveUp(rewrites = 0): Promise<void> {
    try {
      await this.#absent({ blobId: null, duration: null, errorCode: ERROR_RECORDING_FAILED });
    } catch (error) {
      const isFull = error instanceof CommsError && error.code === 'storage-full';
      if (isFull && rewrites < MAX_REWRITES)
        after(this.#ports.clock, REWRITE_MS, () => void this.#giveUp(rewrites + 1));
      if (isFull && rewrites > 0) return;
      this.#ports.log.error({ recordingSid: this.sid, error: errorText(error) }, 'nor could that be written down');
    }
  }

  async #store(result: RecordingResult): Promise<void> {
    const duration = Math.max(1, Math.round(result.durationMs / 1000));
    const dateUpdated = this.#ports.clock.now();
    const rest = { duration, channels: result.channels, untoldEnd: this.#untold('completed'), dateUpdated };
    const changes = { status: 'completed', ...rest } as const;
    const blobId = await this.#ports.keep(this.#plan.path, this.sid, changes);
    this.#recording = { ...this.#recording, ...changes, blobId };
  }

  #absent(changes: Partial<Recording>): Promise<Recording> {
    return this.#change({ status: 'absent', untoldEnd: this.#untold('absent'), ...changes });
  }

  /** In the write that ends it: null when nobody wants to hear of this end. */
  #untold(event: RecordingEvent): RecordingCallback | null {
    return wanting(callbackOf(this.#plan), event);
  }

  async #change(changes: Partial<Recording>): Promise<Recording> {
    const dated = { ...changes, dateUpdated: this.#ports.clock.now() };
    this.#recording = { ...this.#recording, ...dated };
    await this.#ports.update(this.sid, dated);
    return this.#recording;
  }

  #tell(event: RecordingEvent): void {
    const callback = callbackOf(this.#plan);
    if (callback === null || !callback.events.includes(event)) return;
    const told = eventOf(this.#plan.call, this.#recording, { callback, event }, this.#ports);
    const isEnd = ENDS.includes(event);
    this.#ports.deliver(this.#plan.call, {
      ...told,
      ...(isEnd ? { afterwards: () => this.#ports.endTold(this.sid) } : {}),
    });
  }
}

function eventOf(
  call: Call,
  recording: Recording,
  { callback, event }: { readonly callback: RecordingCallback; readonly event: RecordingEvent },
  ports: RecordingPorts,
): StatusEvent {
  const { startTime, channels, source, track, duration, errorCode, sid } = recording;
  return {
    url: callback.url,
    method: callback.method,
    parameters: {
      AccountSid: call.accountSid,
      CallSid: call.sid,
      RecordingSid: sid,
      RecordingUrl: ports.urlOf(recording),
      RecordingStatus: event,
      RecordingDuration: String(duration ?? 0),
      RecordingChannels: String(channels),
      RecordingSource: source,
      RecordingTrack: track,
      RecordingStartTime: new Date(startTime).toUTCString().replace('GMT', '+0000'),
      ErrorCode: String(errorCode ?? 0),
    },
  };
}
