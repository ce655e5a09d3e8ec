import { parseSid } from '../../base/sid.ts';
import type { StartRecordingOptions } from '../../comms/call-commands.ts';
import type { Recording } from '../../comms/model.ts';
import type { Condition } from '../../comms/records/record-table.ts';
import { ApiError, badParameter, resourceNotFound } from '../api-error.ts';
import { dateConditions, dateText } from '../date-text.ts';
import type { Parameters } from '../parameters.ts';
import {
  API_VERSION,
  created,
  deleted,
  listAnswer,
  ok,
  uriOf,
  type Answer,
  type Json,
  type Resource,
  type ResourceContext,
  type ResourceRequest,
} from '../resource.ts';
import { readRecordingEvents, readTrim } from './call-request.ts';
import { findCall } from './calls.ts';

const BAD_METHOD = 21209;
const BAD_CALLBACK = 21609;
/** The name of the recording that runs now, on the wire. */
const CURRENT = 'Twilio.CURRENT';

export function recordingResources(context: ResourceContext): readonly Resource[] {
  return [...accountRecordings(context), ...callRecordings(context)];
}

function accountRecordings(context: ResourceContext): readonly Resource[] {
  const { records } = context;
  const present = (recording: Recording): Json => recordingJson(recording, context.publicUrl());
  return [
    {
      path: '/Accounts/:AccountSid/Recordings',
      get: (request) => {
        const where = recordingFilters(request.query);
        const callSid = request.query.filled('CallSid');
        if (callSid !== undefined) where.push(['callSid', '=', callSid]);
        const conferenceSid = request.query.filled('ConferenceSid');
        if (conferenceSid !== undefined) where.push(['conferenceSid', '=', conferenceSid]);
        return listAnswer(request, {
          name: 'recordings',
          fetch: (page) => records.recordings.list(request.account.sid, where, page),
          present,
        });
      },
    },
    {
      path: '/Accounts/:AccountSid/Recordings/:Sid',
      get: async (request) => ok(present(await findRecording(request, context))),
      delete: (request) => discard(request, context),
    },
  ];
}

function callRecordings(context: ResourceContext): readonly Resource[] {
  const { records, calls } = context;
  const collection = '/Accounts/:AccountSid/Calls/:CallSid/Recordings';
  return [
    {
      path: collection,
      get: async (request) => {
        const call = await findCall(request, records, 'CallSid');
        const where: Condition<Recording>[] = [['callSid', '=', call.sid], ...recordingFilters(request.query)];
        return listAnswer(request, {
          name: 'recordings',
          fetch: (page) => records.recordings.list(request.account.sid, where, page),
          present: callRecordingJson,
        });
      },
      post: async (request) => {
        const options = readStartOptions(request.form);
        const call = await findCall(request, records, 'CallSid');
        return created(callRecordingJson(await calls.startRecording(request.account, call.sid, options)));
      },
    },
    {
      path: `${collection}/:Sid`,
      get: async (request) => ok(callRecordingJson(await findRecording(request, context))),
      post: (request) => changeRecording(request, context),
      delete: (request) => discard(request, context),
    },
  ];
}

async function changeRecording(request: ResourceRequest, { records, calls }: ResourceContext): Promise<Answer> {
  const { account, form, ids, path } = request;
  const status = form.oneOf('Status', ['in-progress', 'paused', 'stopped'] as const);
  if (status === undefined) throw badParameter(20001, 'Status is missing: want in-progress, paused or stopped');
  const pauseBehavior = form.oneOf('PauseBehavior', ['skip', 'silence'] as const) ?? 'silence';
  const sid = ids['Sid'] === CURRENT ? 'current' : parseSid('RE', ids['Sid'] ?? '');
  if (sid === undefined) throw resourceNotFound(path);
  const call = await findCall(request, records, 'CallSid');
  return ok(callRecordingJson(await calls.updateRecording(account, call.sid, sid, { status, pauseBehavior })));
}

async function findRecording(request: ResourceRequest, { records }: ResourceContext): Promise<Recording> {
  const { account, ids, query, path } = request;
  const recording = await records.recordings.find(account.sid, ids['Sid'] ?? '');
  const hidden = recording?.status === 'deleted' && query.flag('IncludeSoftDeleted') !== true;
  const elsewhere = ids['CallSid'] !== undefined && ids['CallSid'] !== recording?.callSid;
  if (recording === undefined || hidden || elsewhere) throw resourceNotFound(path);
  return recording;
}

async function discard(request: ResourceRequest, context: ResourceContext): Promise<Answer> {
  const recording = await findRecording(request, context);
  if (['in-progress', 'paused', 'processing'].includes(recording.status)) {
    const message = `Recording ${recording.sid} is ${recording.status}: stop it first`;
    throw new ApiError({ status: 409, code: 20409, message });
  }
  await context.records.recordings.discard(request.account.sid, recording.sid, context.sounds);
  return deleted;
}

function recordingFilters(query: Parameters): Condition<Recording>[] {
  const conditions = dateConditions<Recording>(query, 'DateCreated', 'dateCreated');
  if (query.flag('IncludeSoftDeleted') !== true) conditions.push(['status', '<>', 'deleted']);
  return conditions;
}

function readStartOptions(form: Parameters): StartRecordingOptions {
  const statusCallback = form.url('RecordingStatusCallback', BAD_CALLBACK);
  return {
    channels: form.oneOf('RecordingChannels', ['mono', 'dual'] as const) ?? 'dual',
    track: form.oneOf('RecordingTrack', ['inbound', 'outbound', 'both'] as const) ?? 'both',
    trim: readTrim(form) ?? false,
    ...(statusCallback === null || statusCallback === undefined ? {} : { statusCallback }),
    statusCallbackMethod: form.method('RecordingStatusCallbackMethod', BAD_METHOD) ?? 'POST',
    statusCallbackEvents: readRecordingEvents(form) ?? ['completed'],
  };
}

function commonJson(recording: Recording): Json {
  return {
    sid: recording.sid,
    account_sid: recording.accountSid,
    api_version: API_VERSION,
    call_sid: recording.callSid,
    conference_sid: recording.conferenceSid,
    start_time: dateText(recording.startTime),
    duration: recording.duration === null ? null : String(recording.duration),
    status: recording.status,
    channels: recording.channels,
    source: recording.source,
    error_code: recording.errorCode,
    price: null,
    price_unit: null,
    encryption_details: null,
    date_created: dateText(recording.dateCreated),
    date_updated: dateText(recording.dateUpdated),
  };
}

function recordingJson(recording: Recording, publicUrl: string): Json {
  const uri = uriOf(recording.accountSid, 'Recordings', recording.sid);
  return {
    ...commonJson(recording),
    uri,
    media_url: `${publicUrl}${uri.replace(/\.json$/, '')}`,
    subresource_uris: {
      add_on_results: uriOf(recording.accountSid, 'Recordings', recording.sid, 'AddOnResults'),
      transcriptions: uriOf(recording.accountSid, 'Recordings', recording.sid, 'Transcriptions'),
    },
  };
}

function callRecordingJson(recording: Recording): Json {
  return {
    ...commonJson(recording),
    track: recording.track,
    uri: uriOf(recording.accountSid, 'Calls', recording.callSid, 'Recordings', recording.sid),
  };
}
