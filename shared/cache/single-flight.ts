/** One call for all requests that need the same token at the same time. A call that ended, well or not, is forgotten. */
export interface SingleFlight<T> {
  /** The running call for this key. */
  running(key: string): Promise<T> | undefined;
  /** Starts a call; `running` returns it until it ends. */
  start(key: string, call: () => Promise<T>): Promise<T>;
}

export function createSingleFlight<T>(): SingleFlight<T> {
  const inFlight = new Map<string, Promise<T>>();
  return {
    running: (key) => inFlight.get(key),
    start(key, call) {
      const started = call().finally(() => inFlight.delete(key));
      inFlight.set(key, started);
      return started;
    },
  };
}
