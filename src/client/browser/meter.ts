import { after, type Cancel, type Clock } from '../../base/clock.ts';

const EVERY_MS = 100;
const WINDOW = 1024;

/** Tells the loudness of the streams, 0 to 1, ten times a second; a stream may come later or be another one then. */
export function meterStreams(
  streams: () => readonly (MediaStream | undefined)[],
  clock: Clock,
  told: (...levels: number[]) => void,
): Cancel {
  const context = new AudioContext();
  const probes: Probe[] = [];
  const samples = new Float32Array(WINDOW);
  const level = (stream: MediaStream | undefined, index: number): number => {
    const probe = (probes[index] ??= { analyser: new AnalyserNode(context, { fftSize: WINDOW }) });
    if (probe.stream !== stream) {
      probe.source?.disconnect();
      probe.stream = stream;
      probe.source = stream === undefined ? undefined : context.createMediaStreamSource(stream);
      probe.source?.connect(probe.analyser);
    }
    if (stream === undefined) return 0;
    probe.analyser.getFloatTimeDomainData(samples);
    return Math.min(1, Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / WINDOW));
  };
  let cancel: Cancel = () => undefined;
  const look = (): void => {
    told(...streams().map(level));
    cancel = after(clock, EVERY_MS, look);
  };
  look();
  return () => {
    cancel();
    void context.close();
  };
}

interface Probe {
  readonly analyser: AnalyserNode;
  stream?: MediaStream | undefined;
  source?: MediaStreamAudioSourceNode | undefined;
}
