import type { SoundSource } from '../../media/media-node.ts';

interface Ringing {
  readonly hertz: readonly number[];
  readonly cadenceMs: readonly number[];
}

const NORTH_AMERICA: Ringing = { hertz: [440, 480], cadenceMs: [2000, 4000] };
const BRITAIN: Ringing = { hertz: [400, 450], cadenceMs: [400, 200, 400, 2000] };
const plain = (onMs: number, offMs: number, hertz = 425): Ringing => ({ hertz: [hertz], cadenceMs: [onMs, offMs] });

/** National ringing tones (ITU-T E.180 supplement 2) by the country codes of `ringTone`. */
const TONES: Readonly<Record<string, Ringing>> = {
  at: plain(1000, 5000, 420),
  be: plain(1000, 3000),
  br: plain(1000, 4000),
  ch: plain(1000, 4000),
  cl: plain(1000, 3000, 400),
  cn: plain(1000, 4000, 450),
  cz: plain(1000, 4000),
  de: plain(1000, 4000),
  dk: plain(1000, 4000),
  ee: plain(1000, 4000),
  es: plain(1500, 3000),
  fi: plain(1000, 4000),
  fr: plain(1500, 3500, 440),
  gr: plain(1000, 4000),
  hu: plain(1250, 3750),
  il: plain(1000, 3000, 400),
  it: plain(1000, 4000),
  lt: plain(1000, 4000),
  mx: plain(1000, 4000),
  nl: plain(1000, 4000),
  no: plain(1000, 4000),
  nz: BRITAIN,
  pl: plain(1000, 4000),
  pt: plain(1000, 5000),
  ru: plain(1000, 4000),
  se: plain(1000, 5000),
  th: plain(1000, 4000),
  tw: { hertz: [440, 480], cadenceMs: [1000, 2000] },
  uk: BRITAIN,
  us: NORTH_AMERICA,
};

/** One round of the tone; North America's where no country is named, or one whose tone is not known. */
export function ringbackTone(country: string | undefined): SoundSource {
  const { hertz, cadenceMs } = TONES[country?.toLowerCase() ?? 'us'] ?? NORTH_AMERICA;
  return { kind: 'tone', hertz, durationMs: cadenceMs.reduce((sum, ms) => sum + ms, 0), cadenceMs, level: -19 };
}
