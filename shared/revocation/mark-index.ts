/**
 * Marks in memory. A look-up costs a few reads of small maps and allocates nothing; without marks it ends at once.
 * A mark never leaves the index, except the oldest of a full one. Then everything of its time counts no longer. No
 * clock, no I/O.
 */
import type { MarkKind } from "../core/revocation.ts";

/** Before any mark. */
export const NEVER = Number.NEGATIVE_INFINITY;

export interface MarkIndex {
  /** True: no mark exists. */
  isEmpty(): boolean;
  add(kind: MarkKind, key: string, notBeforeSeconds: number): void;
  /** The time of the mark, seconds since 1970, or `NEVER`. */
  at(kind: MarkKind, key: string): number;
  /** Whether marks of this kind exist. */
  has(kind: MarkKind): boolean;
}

export function createMarkIndex(max: number): MarkIndex {
  const kinds = new Map<MarkKind, Map<string, number>>();
  const ages = new Map<string, { readonly kind: MarkKind; readonly key: string }>();

  const put = (kind: MarkKind, key: string, notBeforeSeconds: number): void => {
    const marks = kinds.get(kind) ?? new Map<string, number>();
    kinds.set(kind, marks);
    marks.set(key, Math.max(marks.get(key) ?? NEVER, notBeforeSeconds));
  };
  const dropOldest = (): void => {
    const [oldest] = ages;
    if (oldest === undefined) return;
    const [name, { kind, key }] = oldest;
    ages.delete(name);
    put("everything", "", kinds.get(kind)?.get(key) ?? NEVER);
    kinds.get(kind)?.delete(key);
  };
  return {
    isEmpty: () => kinds.size === 0,
    add(kind, key, notBeforeSeconds) {
      put(kind, key, notBeforeSeconds);
      if (kind === "everything") return;
      const name = `${kind} ${key}`;
      ages.delete(name);
      ages.set(name, { kind, key });
      if (ages.size > max) dropOldest();
    },
    at: (kind, key) => kinds.get(kind)?.get(key) ?? NEVER,
    has: (kind) => (kinds.get(kind)?.size ?? 0) > 0,
  };
}
