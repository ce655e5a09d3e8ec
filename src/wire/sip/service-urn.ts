/** Far more than any registered service needs. */
const MAX_URN_CHARS = 255;

// RFC 5031 4.2: a top-level service of at most 27 characters, then sub-services behind dots. Letters of both cases are the same.
const SERVICE_URN = /^urn:service:([a-z\d](?:[a-z\d-]{0,25}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]*[a-z\d])?)*)$/;

/** The labels of `urn:service:sos.fire`, lower case (`sos`, `fire`); undefined when the text is no URN of a service. */
export function parseServiceUrn(text: string): readonly string[] | undefined {
  if (text.length > MAX_URN_CHARS) return undefined;
  return SERVICE_URN.exec(text.toLowerCase())?.[1]?.split('.');
}

/** Help in an emergency, whichever: an unknown sub-service is its parent's (RFC 5031 4.2). */
export function isEmergencyUrn(text: string): boolean {
  return parseServiceUrn(text)?.[0] === 'sos';
}
