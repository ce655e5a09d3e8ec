import { FRAME_MS } from './ticker.ts';

/** Sound inside a leg: 16-bit mono at this rate, in frames of 20 ms. */
export const SAMPLE_RATE = 8_000;
export const FRAME_SAMPLES = (SAMPLE_RATE * FRAME_MS) / 1_000;
