import type { HttpMethod } from '../model.ts';
import { endWith, requestDocument, type Step, type VerbContext } from './verb-context.ts';

/** Goes on with another document; the rest of this one is not run. */
export function runRedirect(verb: { readonly url: string; readonly method: HttpMethod }, context: VerbContext): Step {
  if (verb.url === '') return endWith(context, 11100, 'Redirect has no URL');
  return requestDocument(context, { url: verb.url, method: verb.method, parameters: {} });
}
