export type Sex = 'man' | 'woman';

/** A voice as engines understand it. */
export interface SpeechVoice {
  /** BCP 47, lower case: `en-us`. */
  readonly language: string;
  readonly sex: Sex;
  /** The name that was asked for, for engines with voices of their own; '' when none was. */
  readonly name: string;
}

const DEFAULT_LANGUAGE = 'en-us';
const DEFAULT_SEX: Sex = 'woman';

/** Voices of Amazon Polly by the language that each speaks; the first group of a line are women, the second men. */
const POLLY: readonly (readonly [language: string, women: string, men: string])[] = [
  ['en-us', 'Joanna Salli Kendra Kimberly Ivy Ruth Danielle', 'Matthew Joey Justin Kevin Stephen Gregory'],
  ['en-gb', 'Amy Emma', 'Brian Arthur'],
  ['en-au', 'Nicole Olivia', 'Russell'],
  ['en-in', 'Aditi Raveena Kajal', ''],
  ['en-ie', 'Niamh', ''],
  ['en-nz', 'Aria', ''],
  ['en-za', 'Ayanda', ''],
  ['en-gb-wls', '', 'Geraint'],
  ['de-de', 'Marlene Vicki', 'Hans Daniel'],
  ['de-at', 'Hannah', ''],
  ['fr-fr', 'Celine Lea', 'Mathieu Remi'],
  ['fr-ca', 'Chantal Gabrielle', 'Liam'],
  ['es-es', 'Conchita Lucia', 'Enrique Sergio'],
  ['es-mx', 'Mia', 'Andres'],
  ['es-us', 'Penelope Lupe', 'Miguel Pedro'],
  ['it-it', 'Carla Bianca', 'Giorgio Adriano'],
  ['pt-br', 'Vitoria Camila', 'Ricardo Thiago'],
  ['pt-pt', 'Ines', 'Cristiano'],
  ['nl-nl', 'Lotte Laura', 'Ruben'],
  ['pl-pl', 'Ewa Maja Ola', 'Jacek Jan'],
  ['sv-se', 'Astrid Elin', ''],
  ['nb-no', 'Liv Ida', ''],
  ['da-dk', 'Naja Sofie', 'Mads'],
  ['fi-fi', 'Suvi', ''],
  ['is-is', 'Dora', 'Karl'],
  ['ro-ro', 'Carmen', ''],
  ['ru-ru', 'Tatyana', 'Maxim'],
  ['tr-tr', 'Filiz Burcu', ''],
  ['cy-gb', 'Gwyneth', ''],
  ['ca-es', 'Arlet', ''],
  ['hi-in', 'Aditi Kajal', ''],
  ['ja-jp', 'Mizuki Kazuha Tomoko', 'Takumi'],
  ['ko-kr', 'Seoyeon', ''],
  ['cmn-cn', 'Zhiyu', ''],
  ['yue-cn', 'Hiujin', ''],
  ['arb', 'Zeina', ''],
];

/**
 * What a voice name and a language ask for. Names: `man`, `woman`, `alice`, `Polly.Joanna(-Neural)`,
 * `Google.en-GB-Standard-B`; others speak as a woman. An explicit language wins over that of the name.
 */
export function chooseVoice(name: string | undefined, language: string | undefined): SpeechVoice {
  const asked = name ?? '';
  const known = knownVoice(asked);
  const wanted = language === undefined || language === '' ? known.language : language;
  return { language: normalTag(wanted) ?? known.language, sex: known.sex, name: asked };
}

function knownVoice(name: string): { readonly language: string; readonly sex: Sex } {
  if (name.toLowerCase() === 'man') return { language: DEFAULT_LANGUAGE, sex: 'man' };
  const [vendor = '', rest = ''] = name.split('.', 2);
  if (vendor.toLowerCase() === 'polly') return pollyVoice(rest.replace(/-.*$/, '').toLowerCase());
  if (vendor.toLowerCase() === 'google') {
    const tag = /^[a-z]{2,3}-[a-z]{2}/i.exec(rest)?.[0];
    // Odd letters are women there, even ones men.
    const sex = /-[bdj]$/i.test(rest) ? 'man' : DEFAULT_SEX;
    return { language: normalTag(tag ?? '') ?? DEFAULT_LANGUAGE, sex };
  }
  return { language: DEFAULT_LANGUAGE, sex: DEFAULT_SEX };
}

function pollyVoice(name: string): { readonly language: string; readonly sex: Sex } {
  const has = (list: string): boolean => list.toLowerCase().split(' ').includes(name);
  for (const [language, women, men] of POLLY) {
    if (has(women)) return { language, sex: 'woman' };
    if (has(men)) return { language, sex: 'man' };
  }
  return { language: DEFAULT_LANGUAGE, sex: DEFAULT_SEX };
}

/** Lower case with hyphens; undefined for what cannot be a BCP 47 tag. */
function normalTag(language: string): string | undefined {
  const tag = language.replaceAll('_', '-').toLowerCase();
  return /^[a-z]{2,8}(-[a-z0-9]{1,8}){0,4}$/.test(tag) ? tag : undefined;
}

/** Names that espeak-ng uses for languages that it does not list under their BCP 47 tag. */
const ESPEAK_NAMES: Readonly<Record<string, string>> = {
  'en-au': 'en-gb',
  'en-in': 'en-gb',
  'en-nz': 'en-gb',
  'en-ie': 'en-gb',
  'en-za': 'en-gb',
  'en-ca': 'en-us',
  'es-mx': 'es-419',
  'es-us': 'es-419',
  'zh-cn': 'cmn',
  'zh-tw': 'cmn',
  'zh-hk': 'yue',
  zh: 'cmn',
  no: 'nb',
  arb: 'ar',
};

/** `en-us+f3`: the first candidate that `available` has. */
export function espeakVoice(voice: SpeechVoice, available: ReadonlySet<string>): string {
  const candidates = espeakCandidates(voice);
  return candidates.find((name) => available.has(name.replace(/\+.*$/, ''))) ?? (candidates.at(-1) as string);
}

/** Names to try in turn: the tag, its known name, its shorter forms, American English. */
export function espeakCandidates(voice: SpeechVoice): readonly string[] {
  const names: string[] = [];
  for (let tag = voice.language; tag !== ''; tag = tag.slice(0, Math.max(0, tag.lastIndexOf('-')))) {
    names.push(tag);
    const other = ESPEAK_NAMES[tag];
    if (other !== undefined) names.push(other);
  }
  names.push(DEFAULT_LANGUAGE);
  return names.map((name) => name + (voice.sex === 'woman' ? '+f3' : '+m3'));
}

/** flite speaks English only. */
export function fliteVoice(voice: SpeechVoice): string {
  if (voice.sex === 'woman') return 'slt';
  return voice.language === 'en-us' ? 'rms' : 'awb';
}
