/**
 * Which entries belong to one family: tokens of the same identity, registration and API for the same caller, with
 * different scopes. An index over the entries of level 1, which adds and removes keys: bounded as they are. No I/O.
 */

/** Entra returns every consented scope, so the newest token usually has them all. Older keys of a family are dropped. */
const KEYS_MAX = 4;

export interface Families {
  /** `family` undefined: no effect. */
  add(family: string | undefined, key: string): void;
  remove(family: string | undefined, key: string): void;
  /** Newest first. */
  keys(family: string): readonly string[];
}

export function createFamilies(): Families {
  const known = new Map<string, readonly string[]>();
  const without = (family: string, key: string) => (known.get(family) ?? []).filter((one) => one !== key);
  return {
    keys: (family) => known.get(family) ?? [],
    add(family, key) {
      if (family === undefined) return;
      known.set(family, [key, ...without(family, key)].slice(0, KEYS_MAX));
    },
    remove(family, key) {
      if (family === undefined) return;
      const left = without(family, key);
      if (left.length > 0) known.set(family, left);
      else known.delete(family);
    },
  };
}
