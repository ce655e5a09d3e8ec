import type { SmsHandling, VoiceHandling } from '../model.ts';
import { text, time, type Columns } from './columns.ts';

export const voiceColumns: Columns<VoiceHandling> = {
  voiceUrl: text(),
  voiceMethod: text(),
  voiceFallbackUrl: text(),
  voiceFallbackMethod: text(),
  statusCallback: text(),
  statusCallbackMethod: text(),
};

export const smsColumns: Columns<SmsHandling> = {
  smsUrl: text(),
  smsMethod: text(),
  smsFallbackUrl: text(),
  smsFallbackMethod: text(),
};

export const dateColumns: Columns<{ readonly dateCreated: number; readonly dateUpdated: number }> = {
  dateCreated: time(),
  dateUpdated: time(),
};
