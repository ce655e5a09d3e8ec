import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import twilio from 'twilio';
import { seededRandom, systemRandom } from '../../base/random.ts';
import { newSid, type CallSid, type Sid } from '../../base/sid.ts';
import { silentLogger } from '../../base/logger.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { formatAddress } from '../../comms/address.ts';
import type { CallCommands, CallRequest, StartRecordingOptions } from '../../comms/call-commands.ts';
import type { CommsError } from '../../comms/comms-error.ts';
import type { Account, Call, Notification, Recording } from '../../comms/model.ts';
import type { Records } from '../../comms/records/records.ts';
import { openTemporaryRecords, type TemporaryRecords } from '../../comms/test/temporary-records.ts';
import { buildApi, type ApiOptions } from '../build-api.ts';

export const START_MS = Date.UTC(2026, 4, 6, 7, 8, 9);

interface Parts {
  readonly account: Account;
  readonly records: Records;
  readonly store: TemporaryRecords;
  readonly clock: VirtualClock;
  readonly commands: RecordingCallService;
  readonly url: string;
  readonly folder: string;
  /** Blobs that were given up. */
  readonly released: readonly string[];
  readonly close: () => Promise<void>;
}

/** The API on a loopback port, over a store of its own and a call service that only keeps rows. */
export class ApiUnderTest {
  readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  static async open(options: Partial<ApiOptions> = {}): Promise<ApiUnderTest> {
    const clock = new VirtualClock(START_MS);
    const random = seededRandom(5);
    const store = await openTemporaryRecords({ clock, random });
    const { records } = store;
    const account = await records.accounts.create({ friendlyName: 'Main' });
    const commands = new RecordingCallService(records);
    const folder = mkdtempSync(join(tmpdir(), 'tandem-api-'));
    const released: string[] = [];
    let url = '';
    const app = buildApi({
      records,
      calls: commands,
      sounds: {
        path: (id) => join(folder, id),
        release: async (id, holder) => {
          await store.store.write(holder);
          released.push(id);
        },
      },
      clock,
      logger: silentLogger,
      publicUrl: () => url,
      ...options,
    });
    await app.listen({ host: '127.0.0.1', port: 0 });
    url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
    const close = async (): Promise<void> => {
      await app.close();
      await store.close();
      rmSync(folder, { recursive: true });
    };
    return new ApiUnderTest({ account, records, store, clock, commands, url, folder, released, close });
  }

  /** The stock SDK with one line for the host. */
  client(
    username: string = this.parts.account.sid,
    password: string = this.parts.account.authToken,
    accountSid: string = this.parts.account.sid,
  ): twilio.Twilio {
    const client = twilio(username, password, { accountSid });
    client.api.baseUrl = this.parts.url;
    return client;
  }

  /** A plain request with the main account's credentials. */
  get(path: string, init: RequestInit = {}): Promise<Response> {
    const { sid, authToken } = this.parts.account;
    const authorization = `Basic ${Buffer.from(`${sid}:${authToken}`).toString('base64')}`;
    const headers = { authorization, ...(init.headers as Record<string, string> | undefined) };
    return fetch(`${this.parts.url}/2010-04-01/Accounts/${sid}${path}`, { ...init, headers });
  }

  /** A call that is not written. */
  call(changes: Partial<Call> = {}): Call {
    return { ...this.parts.commands.build(this.parts.account, '+15550002222', '+15550001111'), ...changes };
  }

  async insertCall(changes: Partial<Call> = {}): Promise<Call> {
    const call = this.call(changes);
    await this.parts.records.calls.insert(call);
    return call;
  }

  async insertRecording(changes: Partial<Recording> = {}): Promise<Recording> {
    const recording: Recording = {
      ...this.parts.commands.buildRecording(this.parts.account, newSid('CA', seededRandom(1))),
      status: 'completed',
      duration: 2,
      ...changes,
    };
    await this.parts.records.recordings.insert(recording);
    return recording;
  }

  insertNotification(changes: Partial<Notification> = {}): Promise<Notification> {
    return this.parts.records.notifications.create({
      accountSid: this.parts.account.sid,
      callSid: null,
      log: '0',
      errorCode: 11200,
      messageText: 'HTTP 502',
      messageDate: START_MS,
      requestMethod: 'POST',
      requestUrl: 'http://app.test/voice',
      requestVariables: 'CallStatus=in-progress',
      responseBody: 'oops',
      responseHeaders: 'Content-Type=text%2Fhtml',
      ...changes,
    });
  }

  writeSound(blobId: string, bytes: Uint8Array): void {
    writeFileSync(join(this.parts.folder, blobId), bytes);
  }

  close(): Promise<void> {
    return this.parts.close();
  }
}

/** Keeps rows as the call service does, and what it was asked. */
export class RecordingCallService implements CallCommands {
  readonly requests: CallRequest[] = [];
  readonly recordingOptions: StartRecordingOptions[] = [];
  readonly #records: Records;
  /** Thrown by the next command. */
  refusal: CommsError | Error | undefined;

  constructor(records: Records) {
    this.#records = records;
  }

  readonly sentMessages: string[] = [];

  async subscribeMessages(): Promise<Sid<'ZY'>> {
    return newSid('ZY', systemRandom);
  }

  async unsubscribeMessages(_account: Account, _callSid: CallSid, sid: string): Promise<boolean> {
    return sid.endsWith('0');
  }

  async sendMessage(_account: Account, _callSid: CallSid, content: string): Promise<Sid<'KX'>> {
    this.sentMessages.push(content);
    return newSid('KX', systemRandom);
  }

  build(account: Account, to: string, from: string): Call {
    return this.#records.calls.build({
      accountSid: account.sid,
      parentCallSid: null,
      to,
      from,
      phoneNumberSid: null,
      status: 'queued',
      stage: 'queued',
      direction: 'outbound-api',
      startTime: null,
      endTime: null,
      duration: null,
      answeredBy: null,
      forwardedFrom: null,
      callerName: null,
      queueTime: 0,
      trunkSid: null,
      sipResponseCode: null,
      eventsNumbered: 0,
      endUntold: false,
      endReason: null,
      plan: {},
    });
  }

  buildRecording(account: Account, callSid: Call['sid']): Recording {
    return this.#records.recordings.build({
      accountSid: account.sid,
      callSid,
      conferenceSid: null,
      status: 'in-progress',
      source: 'StartCallRecordingAPI',
      channels: 2,
      track: 'both',
      startTime: START_MS,
      duration: null,
      errorCode: null,
      blobId: null,
      untoldEnd: null,
    });
  }

  async create(account: Account, request: CallRequest): Promise<Call> {
    this.#refuse();
    this.requests.push(request);
    const call = { ...this.build(account, formatAddress(request.to), formatAddress(request.from)), plan: request.plan };
    await this.#records.calls.insert(call);
    return call;
  }

  async update(account: Account, callSid: Call['sid'], change: { status?: 'canceled' | 'completed' }): Promise<Call> {
    this.#refuse();
    const { status } = change;
    const changes = status === undefined ? {} : ({ status, stage: 'ended' } as const);
    return this.#records.calls.update(account.sid, callSid, changes);
  }

  async startRecording(account: Account, callSid: Call['sid'], options: StartRecordingOptions): Promise<Recording> {
    this.#refuse();
    this.recordingOptions.push(options);
    const recording = this.buildRecording(account, callSid);
    await this.#records.recordings.insert(recording);
    return recording;
  }

  async updateRecording(
    account: Account,
    callSid: Call['sid'],
    sid: Recording['sid'] | 'current',
    change: { readonly status: 'in-progress' | 'paused' | 'stopped' },
  ): Promise<Recording> {
    this.#refuse();
    const running = (await this.#records.recordings.unfinished()).find((each) => each.callSid === callSid);
    const recordingSid = sid === 'current' ? running?.sid : sid;
    return this.#records.recordings.update(account.sid, recordingSid ?? '', { status: change.status });
  }

  #refuse(): void {
    const { refusal } = this;
    this.refusal = undefined;
    if (refusal !== undefined) throw refusal;
  }
}
