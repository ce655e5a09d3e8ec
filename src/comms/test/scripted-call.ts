import { VirtualClock } from '../../base/virtual-clock.ts';
import { parseTwiml } from '../../wire/twiml/parse.ts';
import { startRun } from '../executor.ts';
import type {
  DialOutcome,
  DocumentRequest,
  ExecutorPorts,
  FetchedDocument,
  RecordingRequest,
  RunEnd,
  RunningRecording,
  TwimlRun,
} from '../executor-ports.ts';
import { fault, faultOfProblem, type Fault } from '../faults.ts';
import type { Call, CallDirection, Recording } from '../model.ts';
import { ScriptedParty } from './scripted-party.ts';

type Answer = string | Fault | ((request: DocumentRequest) => string);
type Recorded = Awaited<RunningRecording['done']>;

export interface Script {
  readonly direction?: CallDirection;
  readonly documents?: Readonly<Record<string, Answer>>;
  readonly sounds?: Readonly<Record<string, Fault>>;
  readonly speechFails?: boolean;
  readonly dial?: (call: ScriptedCall, signal: AbortSignal) => Promise<DialOutcome>;
  readonly record?: (call: ScriptedCall, request: RecordingRequest) => RunningRecording;
}

/** A call run by the executor against answers, phones and sounds that the test names. */
export class ScriptedCall {
  readonly clock = new VirtualClock(1_000_000);
  readonly party: ScriptedParty;
  readonly faults: Fault[] = [];
  readonly requests: DocumentRequest[] = [];
  readonly #script: Script;
  run: TwimlRun | undefined;

  constructor(script: Script = {}) {
    this.#script = script;
    const direction = script.direction ?? 'inbound';
    this.party = new ScriptedParty(this.clock, { answered: direction !== 'inbound' });
  }

  /** Runs `first` (TwiML, or a URL of `documents`) to its end. */
  async play(first: string): Promise<RunEnd> {
    const source = first.startsWith('http')
      ? ({ url: first, method: 'POST', parameters: {} } as const)
      : { twiml: first };
    this.run = startRun({ party: this.party, first: source, ports: this.#ports() });
    const end = await this.clock.runUntil(this.run.end);
    await this.clock.runUntil(this.run.settled);
    if (this.party.listeners > 0) throw new Error('the run still listens to the leg');
    return end;
  }

  get log(): readonly string[] {
    return this.party.log;
  }

  get codes(): readonly number[] {
    return this.faults.map((each) => each.code);
  }

  #ports(): ExecutorPorts {
    // The executor reads the direction only.
    const call = { direction: this.#script.direction ?? 'inbound' } as Call;
    return {
      clock: this.clock,
      speech: {
        name: 'scripted',
        speak: (request) =>
          this.#script.speechFails === true
            ? Promise.reject(new Error('no voice'))
            : Promise.resolve(`"${request.text}"${request.language === undefined ? '' : ` in ${request.language}`}`),
      },
      call: () => call,
      fetchDocument: (request) => Promise.resolve(this.#fetch(request)),
      fetchSound: (url) => {
        const failure = this.#script.sounds?.[url];
        return Promise.resolve(failure === undefined ? { kind: 'file', path: url } : { kind: 'fault', fault: failure });
      },
      report: (made) => this.faults.push(made),
      dial: (_verb, { signal }) => {
        if (this.#script.dial === undefined) throw new Error('no dial in this script');
        this.party.note('dial');
        return this.#script.dial(this, signal);
      },
      record: (request) => {
        if (this.#script.record === undefined) throw new Error('no record in this script');
        this.party.note('record');
        return Promise.resolve(this.#script.record(this, request));
      },
    };
  }

  #fetch(request: DocumentRequest): FetchedDocument {
    this.requests.push(request);
    this.party.note(`fetch ${request.url}`);
    const answer = this.#script.documents?.[request.url] ?? fault(11200, 'got status 404, want 200');
    if (typeof answer === 'object') {
      this.faults.push(answer);
      return { kind: 'fault', fault: answer };
    }
    const parsed = parseTwiml(typeof answer === 'string' ? answer : answer(request), 'text/xml');
    if (parsed.kind === 'ok') {
      return { kind: 'document', document: parsed.document, baseUrl: request.url, method: request.method };
    }
    const made = faultOfProblem(parsed.problem);
    this.faults.push(made);
    return { kind: 'fault', fault: made };
  }
}

/** A recording that ends as `result` says after its length, or with the party. */
export function scriptedRecording(call: ScriptedCall, result: Recorded['result']): RunningRecording {
  const done = Promise.withResolvers<Recorded>();
  const seconds = Math.round(result.durationMs / 1000);
  const finish = (endedBy: Recorded['result']['endedBy']): void => {
    const recording = { status: result.durationMs === 0 ? 'absent' : 'completed', duration: seconds } as Recording;
    done.resolve({ result: { ...result, endedBy }, recording });
  };
  call.clock.at(call.clock.now() + Math.max(1, result.durationMs), () => finish(result.endedBy));
  return { sid: 'RE1', url: 'http://tandem/RE1', done: done.promise, stop: () => finish('stop') };
}
