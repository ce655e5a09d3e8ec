export interface SrvRecord {
  readonly target: string;
  readonly port: number;
  /** 0-65535, lowest first. */
  readonly priority: number;
  /** 0-65535, share among records of the same priority. */
  readonly weight: number;
}

/** Names to addresses. A name without such a record gives an empty list; only a broken resolver rejects. */
export interface Resolver {
  srv(name: string): Promise<readonly SrvRecord[]>;
  /** IPv4 and IPv6 literals in the system's order of preference. */
  addresses(host: string): Promise<readonly string[]>;
}
