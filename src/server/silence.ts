import { SILENCE, type HoldBackShape } from '../base/hold-back.ts';
import type { Config } from './config.ts';

/** So many seconds' worth of requests without a password may come at once: the phones of an office after a power cut. */
const STRANGERS_BURST_SECONDS = 50;
/** A thousandth of the failures is forgiven each second: twenty wrong passwords in a quarter of an hour are held against nobody. */
const FORGIVEN_SHARE = 0.001;

type SilenceConfig = Pick<Config, 'strangersPerSecond' | 'failuresBeforeSilence' | 'silenceSeconds'>;

/** How the configuration wants those who fail held back: wrong passwords and tokens, and what shows no password at all. */
export function silenceShapes(config: SilenceConfig): {
  readonly guesses: HoldBackShape;
  readonly strangers: HoldBackShape;
} {
  const { strangersPerSecond, failuresBeforeSilence, silenceSeconds } = config;
  const silence = { ...SILENCE, firstMs: silenceSeconds * 1000 };
  return {
    guesses: { ...silence, burst: failuresBeforeSilence, forgivenPerSecond: failuresBeforeSilence * FORGIVEN_SHARE },
    strangers: {
      ...silence,
      burst: Math.max(1, strangersPerSecond * STRANGERS_BURST_SECONDS),
      forgivenPerSecond: strangersPerSecond,
    },
  };
}
