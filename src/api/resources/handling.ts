import type { SmsHandling, VoiceHandling } from '../../comms/model.ts';
import { badParameter } from '../api-error.ts';
import type { Parameters } from '../parameters.ts';

const BAD_URL = 21402;
const BAD_METHOD = 21403;
const BAD_FALLBACK = 21405;

/** How SIP domains name their status callback. */
export interface VoiceFieldNames {
  readonly statusCallback: string;
  readonly statusCallbackMethod: string;
}

const PLAIN_NAMES: VoiceFieldNames = {
  statusCallback: 'StatusCallback',
  statusCallbackMethod: 'StatusCallbackMethod',
};

/** The webhook fields that the form has, over those of `before`. */
export function readVoiceHandling(
  form: Parameters,
  before: VoiceHandling,
  names: VoiceFieldNames = PLAIN_NAMES,
): VoiceHandling {
  const given = <V>(value: V | undefined, present: V): V => (value === undefined ? present : value);
  return {
    voiceUrl: given(form.url('VoiceUrl', BAD_URL), before.voiceUrl),
    voiceMethod: form.method('VoiceMethod', BAD_METHOD) ?? before.voiceMethod,
    voiceFallbackUrl: given(form.url('VoiceFallbackUrl', BAD_FALLBACK), before.voiceFallbackUrl),
    voiceFallbackMethod: form.method('VoiceFallbackMethod', BAD_METHOD) ?? before.voiceFallbackMethod,
    statusCallback: given(form.url(names.statusCallback, BAD_URL), before.statusCallback),
    statusCallbackMethod: form.method(names.statusCallbackMethod, BAD_METHOD) ?? before.statusCallbackMethod,
  };
}

export function readSmsHandling(form: Parameters, before: SmsHandling): SmsHandling {
  const given = <V>(value: V | undefined, present: V): V => (value === undefined ? present : value);
  return {
    smsUrl: given(form.url('SmsUrl', BAD_URL), before.smsUrl),
    smsMethod: form.method('SmsMethod', BAD_METHOD) ?? before.smsMethod,
    smsFallbackUrl: given(form.url('SmsFallbackUrl', BAD_FALLBACK), before.smsFallbackUrl),
    smsFallbackMethod: form.method('SmsFallbackMethod', BAD_METHOD) ?? before.smsFallbackMethod,
  };
}

/** A version other than the one there is would promise another behaviour. */
export function checkApiVersion(form: Parameters): void {
  const version = form.filled('ApiVersion');
  if (version !== undefined && version !== '2010-04-01') {
    throw badParameter(20001, `ApiVersion ${version}: want 2010-04-01`);
  }
}

export const NO_VOICE_HANDLING: VoiceHandling = {
  voiceUrl: null,
  voiceMethod: 'POST',
  voiceFallbackUrl: null,
  voiceFallbackMethod: 'POST',
  statusCallback: null,
  statusCallbackMethod: 'POST',
};

export const NO_SMS_HANDLING: SmsHandling = {
  smsUrl: null,
  smsMethod: 'POST',
  smsFallbackUrl: null,
  smsFallbackMethod: 'POST',
};
