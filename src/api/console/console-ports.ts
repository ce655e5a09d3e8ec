import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import type { AccountSid } from '../../base/sid.ts';
import type { CallCommands } from '../../comms/call-commands.ts';
import type { CallTraces } from '../../comms/call-traces.ts';
import type { Records } from '../../comms/records/records.ts';

/** What the page's door asks of the running program. */
export interface ConsolePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly records: Records;
  readonly calls: CallCommands;
  readonly traces: CallTraces;
  readonly accountSid: AccountSid;
  /** The application whose VoiceUrl is `dialUrl`: it dials what the page's phone wants dialled. */
  readonly applicationSid: string;
  readonly homeDomain: string;
  /** May whoever sits at this machine look on without credentials? */
  readonly trustLoopback: boolean;
  /** Where the built page is. */
  readonly pageFolder: string;
  /** Where this server reaches its own door. */
  ownUrl(): string;
  /** Phones that may be dialled, and whether they are there. */
  phones(): Promise<readonly { readonly name: string; readonly number: string | null; readonly registered: boolean }[]>;
  /** What is said of the server: its doors, its voice. */
  about(): Readonly<Record<string, string | null>>;
}

/** The first numbers of the account. */
export async function numbersOf({
  records,
  accountSid,
}: Pick<ConsolePorts, 'records' | 'accountSid'>): Promise<readonly { phoneNumber: string; name: string }[]> {
  const { records: numbers } = await records.numbers.list(accountSid, [], { size: 20 });
  return numbers.map(({ phoneNumber, friendlyName }) => ({ phoneNumber, name: friendlyName })).reverse();
}
