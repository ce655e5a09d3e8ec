import { errorText } from '../base/errors.ts';
import { MediaError } from './media-error.ts';
import type { MediaBridge, MediaLeg, MediaNode, Playback, Recording } from './media-node.ts';
import type { LegCall, NodeCommand, NodeReport, StartOptions } from './node-protocol.ts';

export interface NodeServerOptions {
  readonly open: (options: StartOptions) => MediaNode;
  readonly send: (report: NodeReport) => void;
}

type Task = Playback | Recording;

/** The media process's side of the protocol: obeys commands with a node and reports what happens. */
export class NodeServer {
  readonly #options: NodeServerOptions;
  readonly #legs = new Map<number, MediaLeg>();
  readonly #bridges = new Map<number, MediaBridge>();
  readonly #tasks = new Map<number, Task>();
  #node: MediaNode | undefined;

  constructor(options: NodeServerOptions) {
    this.#options = options;
  }

  /** Says how the node is; nothing before it has started. */
  reportLoad(): void {
    if (this.#node !== undefined) this.#options.send({ kind: 'load', load: this.#node.load() });
  }

  async close(): Promise<void> {
    await this.#node?.close();
  }

  obey(command: NodeCommand): void {
    switch (command.kind) {
      case 'start':
        return this.#answer(command.request, () => {
          this.#node = this.#options.open(command.options);
        });
      case 'open-leg':
        return this.#answer(command.request, () => this.#openLeg(command));
      case 'leg':
        return this.#answer(command.request, () => this.#callLeg(command.leg, command.call));
      case 'play':
        return this.#play(command.task, this.#legs.get(command.leg)?.play(command.sources, { loop: command.loop }));
      case 'send-digits':
        return this.#play(command.task, this.#legs.get(command.leg)?.sendDigits(command.digits));
      case 'record':
        return this.#record(command.task, this.#legs.get(command.leg)?.record(command.options));
      case 'inject-digit':
        return this.#legs.get(command.leg)?.injectDigit(command.digit);
      case 'rest':
        return this.#legs.get(command.leg)?.rest(command.resting);
      case 'frame':
        return this.#legs.get(command.leg)?.frames?.push(Buffer.from(command.packet, 'base64'));
      case 'bridge':
        return this.#answer(command.request, () => this.#bridge(command));
      case 'record-bridge':
        return this.#record(command.task, this.#bridges.get(command.bridge)?.record(command.options));
      case 'close-bridge':
        return this.#answer(command.request, () => this.#closeBridge(command.bridge));
      case 'task':
        return this.#act(command.task, command.action);
      case 'close':
        return this.#answer(command.request, () => this.close());
      default:
        return command satisfies never;
    }
  }

  #answer(request: number, work: () => unknown): void {
    Promise.try(work).then(
      (value) => this.#options.send({ kind: 'reply', request, value }),
      (error: unknown) => {
        const code = error instanceof MediaError ? error.code : 'closed';
        this.#options.send({ kind: 'refusal', request, code, message: errorText(error) });
      },
    );
  }

  async #openLeg(command: Extract<NodeCommand, { kind: 'open-leg' }>): Promise<string> {
    const leg = await this.#started().openLeg(command.options);
    this.#legs.set(command.leg, leg);
    leg.onEvent((event) => this.#options.send({ kind: 'event', leg: command.leg, event }));
    leg.frames?.onFrame((packet) => {
      this.#options.send({ kind: 'frame', leg: command.leg, packet: Buffer.from(packet).toString('base64') });
    });
    return leg.id;
  }

  async #callLeg(number: number, call: LegCall): Promise<unknown> {
    const leg = this.#leg(number);
    switch (call.method) {
      case 'create-offer':
        return leg.createOffer(call.direction === undefined ? {} : { direction: call.direction });
      case 'accept-answer':
        return leg.acceptAnswer(call.sdp);
      case 'answer-offer':
        return leg.answerOffer(call.sdp);
      case 'use-frames':
        return leg.useFrames(call.offer);
      case 'statistics':
        return leg.statistics();
      case 'close':
        this.#legs.delete(number);
        return leg.close();
      default:
        return call satisfies never;
    }
  }

  async #bridge(command: Extract<NodeCommand, { kind: 'bridge' }>): Promise<void> {
    const bridge = await this.#started().bridge(
      command.legs.map((leg) => this.#leg(leg)),
      { passDigits: command.passDigits, listeners: command.listeners.map((leg) => this.#leg(leg)) },
    );
    this.#bridges.set(command.bridge, bridge);
  }

  async #closeBridge(number: number): Promise<void> {
    const bridge = this.#bridges.get(number);
    this.#bridges.delete(number);
    await bridge?.close();
  }

  #play(task: number, playback: Playback | undefined): void {
    const done = playback?.done ?? Promise.resolve({ outcome: 'stopped', playedMs: 0 } as const);
    if (playback !== undefined) this.#tasks.set(task, playback);
    void done.then((outcome) => {
      this.#tasks.delete(task);
      this.#options.send({ kind: 'played', task, outcome });
    });
  }

  #record(task: number, recording: Recording | undefined): void {
    const done = recording?.done ?? Promise.resolve({ endedBy: 'hangup', durationMs: 0, channels: 1 } as const);
    if (recording !== undefined) this.#tasks.set(task, recording);
    void done.then((result) => {
      this.#tasks.delete(task);
      this.#options.send({ kind: 'recorded', task, result });
    });
  }

  #act(number: number, action: 'stop' | 'pause' | 'resume'): void {
    const task = this.#tasks.get(number);
    if (task === undefined) return;
    if (action === 'stop') task.stop();
    else if ('pause' in task) task[action]();
  }

  #leg(number: number): MediaLeg {
    const leg = this.#legs.get(number);
    if (leg === undefined) throw new MediaError('closed', `media leg ${number} is closed`);
    return leg;
  }

  #started(): MediaNode {
    if (this.#node === undefined) throw new MediaError('closed', 'the media process has not been started');
    return this.#node;
  }
}
