/**
 * Commands and events between roles. `topic` names a kind (`call.update`), `key` its subject (a call sid): a command goes
 * to the one role that serves the key, an event to all subscribers of the topic. Payloads are plain JSON data.
 */
export interface Bus {
  /** Rejects with BusError `no-server` when nobody serves the key, or with what the server's handler threw. */
  request(topic: string, key: string, payload: unknown): Promise<unknown>;
  /** Serves one key; `stop()` ends it. A second server of the same key is a broken promise and throws. */
  serve(topic: string, key: string, handler: (payload: unknown) => Promise<unknown>): { stop(): void };
  publish(topic: string, payload: unknown): void;
  subscribe(topic: string, handler: (payload: unknown) => void): { stop(): void };
}
