import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Endpoint, Network } from '../../base/network.ts';
import type { Random } from '../../base/random.ts';
import { OwnedClock } from '../owned-clock.ts';
import { DEFAULT_TIMERS } from '../timers.ts';
import { TransactionLayer } from '../transaction/transaction-layer.ts';
import { Transports } from '../transport/transports.ts';
import { RequestSender, type ExchangeObserver, type ExchangeOutcome, type Outbound } from './request-sender.ts';

/** A side that only asks: requests out, answers in. What is asked of it gets no answer. */
export interface SipClient {
  readonly local: Endpoint;
  exchange(outbound: Outbound, observer?: ExchangeObserver): Promise<ExchangeOutcome>;
  close(): Promise<void>;
}

export interface SipClientOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly logger: Logger;
  readonly listen: Endpoint;
}

/** Opens the sending half of a user agent. Rejects with the system's error when a port cannot be opened. */
export async function openSipClient(options: SipClientOptions): Promise<SipClient> {
  const clock = new OwnedClock(options.clock);
  const transports = await Transports.open({ ...options, clock });
  const layer = new TransactionLayer({ ...options, clock, transports, timers: DEFAULT_TIMERS });
  const sender = new RequestSender({ ...options, clock, transports, layer });
  return {
    local: transports.addresses.udp,
    exchange: (outbound, observer) => sender.exchange(outbound, observer),
    async close() {
      layer.close();
      await transports.close();
      clock.close();
    },
  };
}
