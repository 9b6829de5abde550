/**
 * Writes a cookie as ASP.NET Core writes it from the host's CookieOptions: the value is percent-encoded as by
 * Uri.EscapeDataString, the path is `/` unless the app sets one, and the attributes are in lower case and in this order.
 */
import type { RpcHttpCookie } from "../rpc/rpc-types.ts";

const sameSites = { none: "", lax: "; samesite=lax", strict: "; samesite=strict", explicitNone: "; samesite=none" };

export function serializeCookie(cookie: RpcHttpCookie): string {
  const expires = cookie.expires?.value.seconds;
  const maxAge = cookie.maxAge?.value;
  return [
    `${cookie.name}=${escapeDataString(cookie.value)}`,
    expires === undefined ? "" : `; expires=${new Date(expires * 1000).toUTCString()}`,
    maxAge === undefined ? "" : `; max-age=${Math.floor(maxAge)}`,
    cookie.domain === undefined ? "" : `; domain=${cookie.domain.value}`,
    `; path=${cookie.path?.value ?? "/"}`,
    cookie.secure?.value === true ? "; secure" : "",
    sameSites[cookie.sameSite],
    cookie.httpOnly?.value === true ? "; httponly" : "",
  ].join("");
}

// ---------------------------------------------------------------------------------------------------------------

/** Encodes everything except `A-Za-z0-9-_.~`. encodeURIComponent alone would not encode `!'()*`. */
function escapeDataString(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
