import { CommsError } from '../comms-error.ts';
import type { HttpMethod, Recording, RecordingEvent, RecordingSource } from '../model.ts';
import type { CallEnvironment } from './environment.ts';
import { MAX_RECORDINGS_OF_CALL, type LiveCall } from './live-call.ts';
import { startRecording, type RunningCallRecording } from './recordings.ts';
import { talkOf } from './talk.ts';

export interface CallRecordingOptions {
  readonly source: RecordingSource;
  readonly channels: 1 | 2;
  readonly track: Recording['track'];
  readonly trim: boolean;
  readonly statusCallback?: string | undefined;
  readonly statusCallbackMethod?: HttpMethod | undefined;
  readonly statusCallbackEvents?: readonly RecordingEvent[] | undefined;
}

/** Records a live call's own leg until the call ends; told with the call's last event. */
export async function startCallRecording(
  live: LiveCall,
  options: CallRecordingOptions,
  environment: CallEnvironment,
): Promise<RunningCallRecording> {
  const { media } = live;
  if (media === undefined || live.isOver) {
    throw new CommsError('refused', `call ${live.call.sid} is ${live.call.status}; want one in progress`, {
      faultCode: 21_220,
      httpStatus: 400,
    });
  }
  if (!live.admitRecording()) {
    const message = `call ${live.call.sid} has had ${MAX_RECORDINGS_OF_CALL} recordings, the most that a call may have`;
    throw new CommsError('refused', message, { faultCode: 21_220, httpStatus: 400 });
  }
  talkOf(live)?.keepSound();
  const { channels, track, trim } = options;
  const recording = await startRecording(
    { call: live.call, ...options, start: (path) => media.record({ path, channels, track, trim }) },
    environment.recordings,
  );
  live.addRecording(recording);
  return recording;
}
