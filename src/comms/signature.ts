import { createHash, createHmac } from 'node:crypto';

export type SignedParameters = Readonly<Record<string, string | readonly string[]>>;

/**
 * The value of X-Twilio-Signature: base64 of HMAC-SHA1, keyed by the account's auth token, over the URL as it is
 * requested and the form's parameters. GET requests and bodies that are not forms have no parameters here.
 */
export function signRequest(authToken: string, url: string, parameters: SignedParameters = {}): string {
  const text = Object.keys(parameters)
    // By code unit, upper case before lower: the default order of sort().
    .sort()
    .reduce((sum, name) => sum + signedValues(name, parameters[name] ?? ''), withoutCredentials(url));
  return createHmac('sha1', authToken).update(text, 'utf8').digest('base64');
}

function signedValues(name: string, value: string | readonly string[]): string {
  const values = typeof value === 'string' ? [value] : [...new Set(value)].sort();
  return values.map((each) => name + each).join('');
}

/** The URL of a request whose body is not a form: the body's hash becomes part of what is signed. */
export function withBodyHash(url: string, body: Uint8Array | string): string {
  const hash = createHash('sha256').update(body).digest('hex');
  return `${url}${url.includes('?') ? '&' : '?'}bodySHA256=${hash}`;
}

/** The URL as its receiver sees it: without user, password and fragment. Only this is signed, told and kept. */
export function withoutCredentials(url: string): string {
  return url.replace(/#.*$/s, '').replace(/^(https?:\/\/)[^/?#@]*@/i, '$1');
}
