/** The bell of a telephone: two tones that beat, a second of them in three (ITU-T E.180, North America, shortened). */
const HERTZ = [440, 480];
const ON_SECONDS = 1;
const EVERY_SECONDS = 3;
const RINGS = 20;
const LOUDNESS = 0.06;
const FADE_SECONDS = 0.02;

/** Rings until the result is called. Without sound hardware it is silent. */
export function ring(): () => void {
  const audio = new AudioContext();
  const gain = new GainNode(audio, { gain: 0 });
  gain.connect(audio.destination);
  for (let round = 0; round < RINGS; round += 1) {
    const from = audio.currentTime + round * EVERY_SECONDS;
    gain.gain.setTargetAtTime(LOUDNESS, from, FADE_SECONDS);
    gain.gain.setTargetAtTime(0, from + ON_SECONDS, FADE_SECONDS);
  }
  for (const frequency of HERTZ) {
    const tone = new OscillatorNode(audio, { frequency });
    tone.connect(gain);
    tone.start();
  }
  return () => void audio.close();
}
