/** Creates one value for each key on first use and keeps it. Keys are compared by their JSON. */
export function keepByKey<Key, Value>(create: (key: Key) => Value): (key: Key) => Value {
  const kept = new Map<string, Value>();
  return (key) => {
    const name = JSON.stringify(key);
    const value = kept.get(name) ?? create(key);
    kept.set(name, value);
    return value;
  };
}
