import type { RestWatcher } from '../../api/resource-routes.ts';
import { errorText } from '../../base/errors.ts';
import type { HttpRequest, HttpResponse, OutgoingHttp } from '../../http/outgoing.ts';
import { TANDEM } from '../../trace/call-trace.ts';
import { describeParameters } from '../../trace/describe.ts';
import type { TraceBook } from '../../trace/trace-book.ts';
import type { TwimlElement } from '../../wire/twiml/document.ts';
import { parseTwiml } from '../../wire/twiml/parse.ts';
import { describeUrl } from './describe-url.ts';

const CALL_PATH = /\/Calls(?:\/(CA[0-9a-f]{32}))?(?:[./]|$)/;
const CALL_SID = /^CA[0-9a-f]{32}$/;
/** Of an answer that is read as TwiML. */
const MAX_READ_BYTES = 65_536;
/** What each request says again. */
const WITHOUT = ['CallSid', 'AccountSid', 'ApiVersion', 'Caller', 'Called', 'ApplicationSid', 'CallbackSource'];
const FIRST = ['Digits', 'DialCallStatus', 'RecordingUrl', 'From', 'To', 'CallStatus'];
/** A status event is told by its status; of other requests it says little. */
const FIRST_OF_STATUS = ['CallStatus', 'From', 'To'];

/** Notes what is asked of the REST API about a call; looking at one is not noted. */
export function watchRest(book: TraceBook): RestWatcher {
  return ({ method, path, parameters, status, body, userAgent }) => {
    const named = CALL_PATH.exec(path);
    if (named === null || method === 'GET' || method === 'HEAD') return;
    const sid = named[1] ?? body?.['sid'];
    if (typeof sid !== 'string' || !CALL_SID.test(sid)) return;
    const client = `rest:${/^[\w.-]{1,40}(?:\/[\w.-]{1,20})?/.exec(userAgent)?.[0] ?? ''}`;
    const what = path.replace(/^\/2010-04-01\/Accounts\/AC[0-9a-f]{32}/, '').replace(sid, 'CA…');
    const detail = describeParameters(parameters, { first: ['From', 'To', 'Url', 'Twiml'] });
    book.add(sid, { channel: 'rest', from: client, to: TANDEM, text: `${method} ${what}`, detail });
    const answered = typeof body?.['status'] === 'string' ? `status ${body['status']}` : '';
    book.add(sid, { channel: 'rest', from: TANDEM, to: client, text: String(status), detail: answered, reply: true });
  };
}

/** The way out over HTTP; requests that are about a call are noted, and what they were answered. */
export function watchedWebhooks(http: OutgoingHttp, book: TraceBook): OutgoingHttp {
  return {
    close: () => http.close(),
    async request(request: HttpRequest): Promise<HttpResponse> {
      const parameters = parametersOf(request);
      const callSid = parameters['CallSid'] ?? '';
      if (!CALL_SID.test(callSid)) return http.request(request);
      const { origin, path } = describeUrl(request.method === 'GET' ? withoutQuery(request.url) : request.url);
      const application = `application:${origin}`;
      const first = parameters['CallbackSource'] === undefined ? FIRST : FIRST_OF_STATUS;
      const detail = describeParameters(parameters, { first, without: WITHOUT });
      const asked = { from: TANDEM, to: application, text: `${request.method} ${path}`, detail };
      book.add(callSid, { channel: 'webhook', ...asked });
      const answered = (text: string, about: string): void =>
        book.add(callSid, { channel: 'webhook', from: application, to: TANDEM, text, detail: about, reply: true });
      try {
        const response = await http.request(request);
        const said = twimlWords(response);
        answered(said === undefined ? String(response.status) : `${response.status} TwiML`, said ?? '');
        return response;
      } catch (error) {
        answered('no answer', errorText(error));
        throw error;
      }
    },
  };
}

function parametersOf({ method, url, body }: HttpRequest): Readonly<Record<string, string>> {
  if (method === 'POST' && typeof body === 'string') return Object.fromEntries(new URLSearchParams(body));
  return Object.fromEntries(URL.parse(url)?.searchParams ?? []);
}

/** The parameters of a GET are told beside it. */
function withoutQuery(url: string): string {
  return url.replace(/\?.*$/s, '');
}

/** The verbs of an answer in a few words; undefined: it is no TwiML. */
function twimlWords({ body, headers }: HttpResponse): string | undefined {
  if (body.length === 0 || body.length > MAX_READ_BYTES) return undefined;
  const parsed = parseTwiml(new TextDecoder().decode(body), headers['content-type']);
  if (parsed.kind === 'bad') return undefined;
  const verbs = parsed.document.root.children.map(verbWords);
  return verbs.length === 0 ? '<Response/>' : verbs.join(' ');
}

function verbWords({ name, children, text }: TwimlElement): string {
  const inside = [text, ...children.map(verbWords)].filter((each) => each !== '').join(' ');
  return inside === '' ? `<${name}/>` : `<${name}> ${inside}`;
}
