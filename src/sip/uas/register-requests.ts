import type { DigestAuthorization } from '../../wire/sip/digest.ts';
import type { Gatekeeper } from '../auth/gatekeeper.ts';
import type { Realms } from '../auth/realms.ts';
import type { ReceivedRequest } from '../received-request.ts';
import { aorInRealm } from '../registrar/address-of-record.ts';
import type { Registrar } from '../registrar/registrar.ts';
import type { TransactionLayer } from '../transaction/transaction-layer.ts';
import type { Admission } from '../user-agent.ts';
import type { Answers } from './answers.ts';
import type { Lookups } from './lookups.ts';
import type { StrangerGuard } from './stranger-guard.ts';

export interface RegisterRequestsOptions {
  readonly layer: TransactionLayer;
  readonly admission: Admission;
  readonly gatekeeper: Gatekeeper;
  readonly realms: Realms;
  readonly registrar: Registrar;
  readonly lookups: Lookups;
  readonly guard: StrangerGuard;
  readonly answers: Answers;
}

/** REGISTER: its sender is authenticated and may register the address, then the registrar has it (RFC 3261 10.3). */
export class RegisterRequests {
  readonly #options: RegisterRequestsOptions;

  constructor(options: RegisterRequestsOptions) {
    this.#options = options;
  }

  receive(request: ReceivedRequest): void {
    const { gatekeeper, realms, lookups, guard, answers } = this.#options;
    if (guard.isHeldBack(request)) return;
    lookups.run(async () => {
      const realm = await realms.of(request.to.uri);
      const presented = gatekeeper.presented(request, realm);
      if (presented !== undefined) return this.#registerWithPassword(request, realm, presented);
      // Nothing is remembered for those who show no password: a challenge may be repeated.
      const { status, headers } = gatekeeper.challenge(request, realm, 'www');
      guard.count(request);
      answers.answerStateless(request, status, headers);
    });
  }

  async #registerWithPassword(request: ReceivedRequest, realm: string, presented: DigestAuthorization): Promise<void> {
    const { layer, admission, gatekeeper, registrar, guard, answers } = this.#options;
    const transaction = layer.acceptOnce(request);
    // Its repeat came while the realm was looked up.
    if (transaction === undefined) return;
    await answers.answering(transaction, async () => {
      const verdict = await gatekeeper.judge(request, realm, 'www', presented);
      guard.countVerdict(request, verdict);
      if (verdict.kind === 'challenge') return answers.answer(transaction, verdict.status, verdict.headers);
      const aor = aorInRealm(request.to.uri, realm);
      if (aor === undefined) return answers.answer(transaction, 404);
      if (!admission.mayRegister(verdict.credential, aor)) return answers.answer(transaction, 403);
      const { status, reason, headers } = await registrar.register(aor, request);
      answers.answer(transaction, status, headers, reason);
    });
  }
}
