import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseVoice, espeakVoice, fliteVoice } from './speech-voice.ts';

const available = new Set(['en-us', 'en-gb', 'de', 'fr-fr', 'es', 'es-419', 'pt', 'pt-br', 'cmn', 'nb']);
const espeak = (name?: string, language?: string): string => espeakVoice(chooseVoice(name, language), available);

test('knows the names that TwiML uses', () => {
  assert.equal(espeak(), 'en-us+f3');
  assert.equal(espeak('man'), 'en-us+m3');
  assert.equal(espeak('alice', 'de-DE'), 'de+f3');
  assert.equal(espeak('Polly.Joanna'), 'en-us+f3');
  assert.equal(espeak('Polly.Brian-Neural'), 'en-gb+m3');
  assert.equal(espeak('Polly.Hans'), 'de+m3');
  assert.equal(espeak('Google.en-GB-Standard-B'), 'en-gb+m3');
  assert.equal(espeak('Google.fr-FR-Wavenet-C'), 'fr-fr+f3');
});

test('lets an explicit language win over the language of the voice', () => {
  assert.equal(espeak('Polly.Matthew', 'es-MX'), 'es-419+m3');
});

test('falls back from a region to its language, and from an unknown language to English', () => {
  assert.equal(espeak('woman', 'de-CH'), 'de+f3');
  assert.equal(espeak('woman', 'zh-CN'), 'cmn+f3');
  assert.equal(espeak('woman', 'no-NO'), 'nb+f3');
  assert.equal(espeak('woman', 'tlh'), 'en-us+f3');
  assert.equal(espeak('Polly.Nobody', '../../etc/passwd -w x'), 'en-us+f3');
});

test('chooses among the English voices of flite', () => {
  assert.equal(fliteVoice(chooseVoice('woman', 'de-DE')), 'slt');
  assert.equal(fliteVoice(chooseVoice('man', undefined)), 'rms');
  assert.equal(fliteVoice(chooseVoice('man', 'en-GB')), 'awb');
});
