/** One call for everybody who wishes the same at the same time. A call that ended, well or not, is forgotten. */
export interface SingleFlight<T> {
  /** The call under way for this key. */
  running(key: string): Promise<T> | undefined;
  /** Starts one; until it ends, `running` gives it. */
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
