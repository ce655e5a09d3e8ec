/** What others must know to trust this server. */
export interface Trust {
  /** PEM of the place's authority; absent where the operator has a certificate of its own. */
  readonly authority?: string | undefined;
  readonly fingerprint?: string | undefined;
  readonly names: readonly string[];
  readonly endsAt: number;
  /** Where HTTPS is; undefined: nowhere. */
  readonly https?: string | undefined;
  /** Hosts of the vendor that this server answers for. */
  readonly vendorHosts: readonly string[];
}
