export interface SampleFacts {
  /** Where the server is. */
  readonly origin: string;
  readonly accountSid: string;
  readonly authToken: string;
  readonly from: string;
  readonly to: string;
  readonly url: string;
}

export type Language = 'node' | 'curl';

export const LANGUAGES: readonly { readonly value: Language; readonly label: string }[] = [
  { value: 'node', label: 'Node.js' },
  { value: 'curl', label: 'curl' },
];

export const HOW_TO_RUN: Readonly<Record<Language, string>> = {
  node: 'Save as ring.mjs, then: npm install twilio && node ring.mjs',
  curl: 'Paste into a terminal on this machine.',
};

/** Stands for the auth token wherever it is only looked at. */
export const HIDDEN_TOKEN = '••••••••';

/** The lines that do what Call me does. */
export function codeSample(language: Language, facts: SampleFacts): string {
  return language === 'node' ? nodeSample(facts) : curlSample(facts);
}

function nodeSample({ origin, accountSid, authToken, from, to, url }: SampleFacts): string {
  const text = (value: string): string => `'${value.replace(/[\\']/g, '\\$&')}'`;
  return [
    "import twilio from 'twilio';",
    `const client = twilio(${text(accountSid)}, ${text(authToken)});`,
    `client.api.baseUrl = ${text(origin)};`,
    `const call = await client.calls.create({ to: ${text(to)}, from: ${text(from)}, url: ${text(url)} });`,
    'console.log(call.sid);',
  ].join('\n');
}

function curlSample({ origin, accountSid, authToken, from, to, url }: SampleFacts): string {
  // Within single quotes a shell takes everything but a single quote as it stands.
  const text = (value: string): string => `'${value.replaceAll("'", "'\\''")}'`;
  return [
    `curl -u ${text(`${accountSid}:${authToken}`)} \\`,
    `  --data-urlencode ${text(`To=${to}`)} \\`,
    `  --data-urlencode ${text(`From=${from}`)} \\`,
    `  --data-urlencode ${text(`Url=${url}`)} \\`,
    `  ${text(`${origin}/2010-04-01/Accounts/${accountSid}/Calls.json`)}`,
  ].join('\n');
}
