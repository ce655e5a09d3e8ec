import type { IceDtls } from '../wire/sdp/ice-dtls.ts';

/**
 * The peer's end for the library: written anew from what was read and checked, since its own parser is native code that no
 * stranger's text should reach. Codecs are not its matter.
 */
export function formatRemoteEnd({ ufrag, password, fingerprint, setup, candidates }: IceDtls, mid: string): string {
  return [
    'v=0',
    'o=- 1 1 IN IP4 0.0.0.0',
    's=-',
    't=0 0',
    `a=group:BUNDLE ${mid}`,
    'm=audio 9 UDP/TLS/RTP/SAVPF 0',
    'c=IN IP4 0.0.0.0',
    `a=mid:${mid}`,
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${password}`,
    `a=fingerprint:${fingerprint.algorithm} ${fingerprint.value}`,
    `a=setup:${setup}`,
    'a=sendrecv',
    'a=rtcp-mux',
    'a=rtpmap:0 PCMU/8000',
    ...candidates.map(({ foundation, priority, address, port, type }) => {
      return `a=candidate:${foundation} 1 UDP ${priority} ${address} ${port} typ ${type}`;
    }),
    '',
  ].join('\r\n');
}
