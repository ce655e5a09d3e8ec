import type { Clock } from '../base/clock.ts';
import type { TaskGroup } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Random } from '../base/random.ts';
import { formatHostPort } from '../wire/sip/host.ts';
import type { SipHeader } from '../wire/sip/message.ts';
import type { DialogTable } from './dialog/dialog-table.ts';
import type { Resolver } from './locate/resolver.ts';
import type { Responses } from './responses.ts';
import type { SipTimers } from './timers.ts';
import type { TransactionLayer } from './transaction/transaction-layer.ts';
import type { Flow } from './transport/hop.ts';
import type { Transports } from './transport/transports.ts';
import type { RequestSender } from './uac/request-sender.ts';

/** What every part of one user agent works with. */
export interface SipCore {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly timers: SipTimers;
  readonly resolver: Resolver;
  readonly transports: Transports;
  readonly layer: TransactionLayer;
  readonly sender: RequestSender;
  readonly responses: Responses;
  readonly dialogs: DialogTable;
  /** Owns what runs in the background. */
  readonly tasks: TaskGroup;
  /** User-Agent on every request. */
  readonly userAgent: SipHeader;
}

const CONTACT_USER = 'tandem';

/** Our Contact toward the peer of a flow. */
export function contactFor(flow: Flow, user = CONTACT_USER): SipHeader {
  const { address: host, port } = flow.local;
  const transport = flow.transport === 'udp' ? '' : `;transport=${flow.transport}`;
  return { name: 'Contact', value: `<sip:${user}@${formatHostPort({ host, port })}${transport}>` };
}
