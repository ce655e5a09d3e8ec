import { responseTo } from '../../wire/sip/build.ts';
import type { SipRequest, SipResponse } from '../../wire/sip/message.ts';
import { validateRequest, type Abilities, type ReadHeaders } from '../../wire/sip/validate.ts';

/** The same for every refusal of this kind: a stateless answer must not change when its request comes again. */
const REFUSAL_TAG = 'refused';

/** `accept`, `drop` without a word, or the answer that is owed to a request that no rule lets in. */
export function admit(
  request: SipRequest,
  abilities: Abilities,
  read: ReadHeaders | undefined,
): 'accept' | 'drop' | SipResponse {
  const verdict = validateRequest(request, abilities, read);
  if (verdict.kind === 'ok') return 'accept';
  if (verdict.kind === 'drop' || request.method === 'ACK') return 'drop';
  const warning = { name: 'Warning', value: `399 tandem "${verdict.defect.replaceAll(/["\\\r\n]/g, "'")}"` };
  const { status, reason, headers } = verdict;
  return responseTo(request, { status, reason, toTag: REFUSAL_TAG, headers: [...headers, warning] });
}
