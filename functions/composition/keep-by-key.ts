/** Values that outlive a version of the policy as long as the next version asks for the same key. */
export interface KeptValues<Key, Value> {
  /** Made on first use. Keys are compared by their JSON. */
  of(key: Key): Value;
  /** A new version of the policy asks from now on. Of the earlier ones, only the values of the last are kept. */
  startPolicy(): void;
}

export function keepByKey<Key, Value>(create: (key: Key) => Value): KeptValues<Key, Value> {
  let before = new Map<string, Value>();
  let current = new Map<string, Value>();
  return {
    of(key) {
      const name = JSON.stringify(key);
      const value = current.get(name) ?? before.get(name) ?? create(key);
      current.set(name, value);
      return value;
    },
    startPolicy() {
      before = current;
      current = new Map();
    },
  };
}
