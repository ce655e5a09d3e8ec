import { randomHex, type Random } from '../base/random.ts';
import { makeDtlsCertificate, type DtlsCertificate } from './dtls-certificate.ts';
import type { ClaimedPort } from './port-range.ts';

/** What is ours of one connection before its peer is known. */
export interface OwnEnd {
  readonly ufrag: string;
  readonly password: string;
  readonly certificate: DtlsCertificate;
  readonly port: ClaimedPort;
}

// RFC 8445 5.3: at least 24 bits of chance in the one, 128 in the other.
const UFRAG_BYTES = 4;
const PASSWORD_BYTES = 16;

export function makeOwnEnd(port: ClaimedPort, random: Random, nowMs: number): OwnEnd {
  return {
    port,
    ufrag: randomHex(random, UFRAG_BYTES),
    password: randomHex(random, PASSWORD_BYTES),
    certificate: makeDtlsCertificate(nowMs),
  };
}
