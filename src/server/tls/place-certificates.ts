import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Config } from '../config.ts';
import { ConfigError } from '../load-config.ts';
import { reachableAt } from '../local-hosts.ts';
import { Certificates } from './certificates.ts';

export interface PlaceCertificates {
  /** Opened once, when first wanted. */
  open(): Promise<Certificates>;
  close(): Promise<void>;
}

/** The certificates of this server; with the operator's own files they are read at once, so that a mistake stops the start. */
export async function placeCertificates(
  config: Config,
  { folder, clock, log }: { readonly folder: string; readonly clock: Clock; readonly log: Logger },
): Promise<PlaceCertificates> {
  const { tlsCertificate: certificate, tlsKey: key } = config;
  if ((certificate === undefined) !== (key === undefined)) {
    throw new ConfigError('tlsCertificate and tlsKey: want both, or neither');
  }
  const own = certificate === undefined || key === undefined ? {} : { own: { certificate, key } };
  let opening: Promise<Certificates> | undefined;
  const open = (): Promise<Certificates> => {
    opening ??= Certificates.open({
      folder: join(folder, 'tls'),
      clock,
      log,
      names: () => serverNames(config),
      ...own,
    });
    opening.catch(() => {
      opening = undefined;
    });
    return opening;
  };
  if (own.own !== undefined) await open();
  return {
    open,
    close: async () => (await opening?.catch(() => undefined))?.close(),
  };
}

/** Under which names and addresses clients come. */
function serverNames(config: Config): readonly string[] {
  const own = hostname().toLowerCase();
  const named =
    config.publicUrl === undefined || !URL.canParse(config.publicUrl) ? [] : [new URL(config.publicUrl).hostname];
  const addresses = reachableAt({ address: '0.0.0.0', port: 0 }).map(({ address }) => address);
  const advertised = config.advertise === undefined ? [] : [config.advertise];
  // RFC 1123 2.1: what is no host name cannot stand in a certificate.
  const names = ['localhost', own, own.includes('.') ? own : `${own}.local`, ...named].filter((name) =>
    /^[a-z0-9.-]+$/i.test(name),
  );
  return [...new Set([...names, ...addresses, '::1', ...advertised])];
}
