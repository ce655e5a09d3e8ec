import type { Clock } from '../base/clock.ts';
import { parseSid } from '../base/sid.ts';
import type { SigningSecret, TokenOutcome } from '../grant/voice-token.ts';
import { verifyVoiceToken } from '../grant/verify-token.ts';
import type { WebphoneAdmission } from '../webphone/webphone.ts';
import type { Records } from './records/records.ts';

/** Which browsers are admitted: tokens signed with an account's API key, or with its auth token (the form of 2013). */
export class ClientAdmission implements WebphoneAdmission {
  readonly #records: Pick<Records, 'accounts' | 'keys'>;
  readonly #clock: Clock;

  constructor(records: Pick<Records, 'accounts' | 'keys'>, clock: Clock) {
    this.#records = records;
    this.#clock = clock;
  }

  admit(token: string): Promise<TokenOutcome> {
    return verifyVoiceToken(token, { secretOf: (issuer) => this.#secretOf(issuer), nowMs: () => this.#clock.now() });
  }

  async #secretOf(issuer: string): Promise<SigningSecret | undefined> {
    const { accounts, keys } = this.#records;
    const key = parseSid('SK', issuer) === undefined ? undefined : await keys.findBySid(issuer);
    const account = await accounts.find(key?.accountSid ?? issuer);
    if (account === undefined) return undefined;
    const secret = key === undefined ? account.authToken : key.secret;
    return { secret, accountSid: account.sid, active: account.status === 'active' };
  }
}
