/**
 * Searches texts for secrets, whole or in part. A secret is cut into pieces of sixteen characters, and a text is read
 * through a window of the same width, so a leak is found even when a token was cut off or only its signature was logged.
 */
const PIECE = 16;

export interface Leak {
  /** What leaked. */
  readonly what: string;
  /** Where: the label of the text, and the text around the find. */
  readonly where: string;
}

export interface LeakSearch {
  /** Adds a secret; ones shorter than a piece are searched as they are. */
  add(what: string, secret: string | undefined | null): void;
  readonly size: number;
  find(where: string, text: string): Leak[];
}

/** `signatures`: of a token, look for its signature only; two tokens of one issuer have claims in common. */
export function createLeakSearch(ofTokens: "all" | "signatures" = "all"): LeakSearch {
  const pieces = new Map<string, string>();
  const short = new Map<string, string>();
  const cut = (what: string, secret: string) => {
    for (let at = 0; at + PIECE <= secret.length; at += PIECE) {
      const piece = secret.slice(at, at + PIECE);
      if (!isIdentifier(piece)) {
        pieces.set(piece, what);
      }
    }
  };
  return {
    add(what, secret) {
      if (secret === undefined || secret === null || secret.length < 8) return;
      if (secret.length < PIECE) {
        short.set(secret, what);
        return;
      }
      for (const part of secretParts(secret, ofTokens)) {
        cut(what, part);
      }
    },
    get size() {
      return pieces.size + short.size;
    },
    find(where, text) {
      const leaks: Leak[] = [];
      const report = (what: string, at: number) =>
        leaks.push({ what, where: `${where}: …${text.slice(Math.max(0, at - 60), at + 40)}…` });
      for (let at = 0; at + PIECE <= text.length; at++) {
        const what = pieces.get(text.slice(at, at + PIECE));
        if (what !== undefined) {
          report(what, at);
        }
      }
      for (const [secret, what] of short) {
        const at = text.indexOf(secret);
        if (at >= 0) {
          report(what, at);
        }
      }
      return leaks;
    },
  };
}

/** The header of a token is the same for all tokens of a key, and no secret. */
function secretParts(secret: string, ofTokens: "all" | "signatures"): readonly string[] {
  const [, ...parts] = secret.split(".");
  const isToken = secret.startsWith("eyJ") && parts.length === 2;
  return isToken ? parts.slice(ofTokens === "all" ? 0 : 1) : [secret];
}

/** A piece of a payload that holds nothing but digits of a GUID: those are in answers and logs by right. */
function isIdentifier(piece: string): boolean {
  return /^[0-9a-f"-]+$/.test(Buffer.from(piece, "base64url").toString("latin1"));
}

/** Every text inside a value, with the path to it. */
export function textsOf(value: unknown, path = ""): [path: string, text: string][] {
  if (typeof value === "string") return [[path, value]];
  return typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([name, member]) => textsOf(member, path === "" ? name : `${path}.${name}`))
    : [];
}
