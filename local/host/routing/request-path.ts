/**
 * Reads the path of a request target as Kestrel does: it decodes percent-encoding once (except %2F), removes dot segments
 * and encodes the path again for the URL that the app receives. It returns undefined for an invalid path; the host then
 * answers 400.
 */
export interface RequestPath {
  /** For routing and route parameters. */
  decoded: string;
  /** For the app's `request.url`. */
  encoded: string;
  /** With the question mark, or empty. */
  query: string;
}

export function parseRequestPath(target: string): RequestPath | undefined {
  if (target === "*") return { decoded: "", encoded: "", query: "" };
  const local = target.startsWith("/") ? target : absoluteForm(target);
  if (local === undefined) return undefined;
  const mark = local.indexOf("?");
  const path = mark === -1 ? local : local.slice(0, mark);
  const query = mark === -1 ? "" : local.slice(mark);
  if (!path.includes("%") && !path.includes("/.")) return { decoded: path, encoded: path, query };
  const decoded = removeDotSegments(decodeExceptSlash(path));
  return decoded.includes("\0") ? undefined : { decoded, encoded: encodePath(decoded), query };
}

// ---------------------------------------------------------------------------------------------------------------

/** `GET http://host/path` is valid HTTP, as clients send it to proxies. The host uses its path and query only. */
function absoluteForm(target: string): string | undefined {
  const match = /^https?:\/\/[^/?#]+([^?#]*)(\?[^#]*)?$/i.exec(target);
  return match === null ? undefined : `${match[1] || "/"}${match[2] ?? ""}`;
}

/** One percent-encoded character of UTF-8. */
const encodedCharacter =
  /%[0-7][0-9a-f]|%[cd][0-9a-f]%[89ab][0-9a-f]|%e[0-9a-f](?:%[89ab][0-9a-f]){2}|%f[0-7](?:%[89ab][0-9a-f]){3}/gi;

/** Leaves bytes that are not UTF-8 encoded. */
function decodeExceptSlash(path: string): string {
  return path.replace(encodedCharacter, (text) => {
    if (text === "%2F" || text === "%2f") return text;
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  });
}

function removeDotSegments(path: string): string {
  const kept: string[] = [];
  const parts = path.split("/").slice(1);
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1;
    if (part === "..") {
      kept.pop();
    }
    if (part !== "." && part !== "..") {
      kept.push(part);
    } else if (last) {
      kept.push("");
    }
  }
  return `/${kept.join("/")}`;
}

function encodePath(decoded: string): string {
  return encodeURI(decoded.toWellFormed())
    .replace(/[?#]/g, encodeURIComponent)
    .replace(/%25([0-9a-f]{2})/gi, "%$1");
}
