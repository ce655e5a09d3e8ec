import type { SipHeader } from '../wire/sip/message.ts';
import type { Abilities } from '../wire/sip/validate.ts';

const METHODS = [
  'INVITE',
  'ACK',
  'CANCEL',
  'BYE',
  'OPTIONS',
  'REGISTER',
  'MESSAGE',
  'INFO',
  'UPDATE',
  'REFER',
  'NOTIFY',
];
/** What a Require may name. `path` concerns REGISTER (RFC 3327), `timer` and `replaces` calls. */
const EXTENSIONS = ['timer', 'replaces', 'path'];
const SDP_METHODS = new Set(['INVITE', 'UPDATE']);
const SDP_TYPES = ['application/sdp'];

/** What this engine serves. */
export const ABILITIES: Abilities = {
  methods: METHODS,
  extensions: EXTENSIONS,
  // Of the URNs, those of emergency services lead somewhere (RFC 5031); who takes the call refuses the others.
  schemes: ['sip', 'tel', 'urn'],
  contentTypes: (method) => (SDP_METHODS.has(method) ? SDP_TYPES : undefined),
  answerType: (method) => (method === 'INVITE' ? 'application/sdp' : undefined),
};

export const ALLOW: SipHeader = { name: 'Allow', value: METHODS.join(', ') };
export const SUPPORTED: SipHeader = { name: 'Supported', value: EXTENSIONS.join(', ') };
export const ACCEPT: SipHeader = { name: 'Accept', value: 'application/sdp, message/sipfrag, text/plain' };
