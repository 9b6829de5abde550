/**
 * Searches texts for secrets, whole or in part. The search cuts each secret into pieces of sixteen characters and looks
 * for them at every position of a text. It finds a truncated token, and a signature without its token.
 */
const PIECE = 16;

export interface Leak {
  /** The name of the secret. */
  readonly what: string;
  /** The label of the text, and the characters around the leak. */
  readonly where: string;
}

export interface LeakSearch {
  /** Adds a secret. One that is shorter than a piece is searched as a whole. */
  add(what: string, secret: string | undefined | null): void;
  readonly size: number;
  find(where: string, text: string): Leak[];
}

/** `signatures`: search only for the signature of a token, because two tokens of one issuer share claims. */
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

/** The header of a token is not secret: all tokens with one key have the same. */
function secretParts(secret: string, ofTokens: "all" | "signatures"): readonly string[] {
  const [, ...parts] = secret.split(".");
  const isToken = secret.startsWith("eyJ") && parts.length === 2;
  return isToken ? parts.slice(ofTokens === "all" ? 0 : 1) : [secret];
}

/** A piece of a payload with only the digits of a GUID, which answers and logs may contain. */
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
