/**
 * Marks in Redis: a stream, to which each instance appends, and of which each reads what is new. Entries are sealed, so
 * nobody who can only write to Redis makes a mark. The stream has a maximum length and ends with the tokens that it is
 * about.
 */
import { parseJson } from "../../core/json-text.ts";
import type { SharedMark, SharedMarks } from "../shared-marks.ts";
import type { CacheSecret } from "./cache-secret.ts";
import type { CallRedis } from "./call-redis.ts";
import { PREFIX } from "./redis-cache.ts";
import { sealText, unsealText } from "./sealed-entry.ts";

/** Marks that Redis keeps. Of a longer stream, the oldest end, and every token of their time with them. */
const MARKS_MAX = 5_000;
/** Entries of one read. */
const PAGE = 500;
/** Longer than any token lives: Entra's long-lived tokens end after 28 hours. */
const TTL_MS = 48 * 3_600_000;
const KEY = `${PREFIX}marks`;
/** The range begins with the first entry. */
const FROM_START = "-";

export function createRedisMarks({
  callRedis,
  secret,
}: {
  readonly callRedis: CallRedis;
  readonly secret: CacheSecret;
}): SharedMarks {
  let readUpTo = FROM_START;
  return {
    async publish(mark) {
      const currentSecret = secret.current();
      if (currentSecret === undefined) return false;
      const entry = sealText(currentSecret, KEY, serialize(mark));
      const appended = await callRedis((redis) => redis.append(KEY, entry, { max: MARKS_MAX, ttlMs: TTL_MS }));
      return appended !== undefined;
    },
    async newer() {
      const currentSecret = secret.current();
      if (currentSecret === undefined) return undefined;
      const isFirst = readUpTo === FROM_START;
      const marks: SharedMark[] = [];
      for (let found = PAGE; found === PAGE; ) {
        const after = readUpTo;
        const page = await callRedis((redis) => redis.readAfter(KEY, after, PAGE));
        if (page === undefined) return undefined;
        found = page.reply.length;
        readUpTo = page.reply.at(-1)?.id ?? readUpTo;
        marks.push(...page.reply.flatMap(({ value }) => parse(unsealText(currentSecret, KEY, value))));
      }
      return isFirst ? withFloor(marks) : marks;
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** A full stream may have lost its oldest marks, so no token of their time may be used. */
function withFloor(marks: readonly SharedMark[]): readonly SharedMark[] {
  const [oldest] = marks;
  if (oldest === undefined || marks.length < MARKS_MAX) return marks;
  return [{ by: "entra", kind: "everything", key: "", notBeforeSeconds: oldest.notBeforeSeconds }, ...marks];
}

function serialize({ by, kind, key, notBeforeSeconds }: SharedMark): string {
  return JSON.stringify([by, kind, key, notBeforeSeconds]);
}

/** The seal proves that an instance wrote the text. None: sealed with an older secret, as the tokens of that time are. */
function parse(text: string | undefined): SharedMark[] {
  const members = parseJson(text ?? "");
  if (!Array.isArray(members)) return [];
  const [by, kind, key, notBeforeSeconds] = members as [SharedMark["by"], SharedMark["kind"], string, number];
  return [{ by, kind, key, notBeforeSeconds }];
}
