/** Where clean-up is handed in: a test's context, or node:test itself for what a whole file shares. */
export interface Scope {
  after(cleanUp: () => void | Promise<void>): void;
}
