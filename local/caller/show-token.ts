/**
 * Prepares tokens for output: shortens them and decodes the most useful claims, without validation.
 */
export function shortenToken(token: string): string {
  return token.length <= 24 ? token : `${token.slice(0, 6)}…(${token.length} characters)`;
}

/** Shortens everything in a text that looks like a token: JWTs, grant handles and long opaque values. */
export function shortenTokens(text: string): string {
  return text
    .replace(/[A-Za-z0-9_-]{40,}(?:\.[A-Za-z0-9_-]*)*/g, shortenToken)
    .replace(/gte_[A-Za-z0-9_-]{20,}/g, shortenToken);
}

export function decodeClaims(token: string): Record<string, unknown> {
  try {
    const payload = Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8");
    const claims: unknown = JSON.parse(payload);
    return typeof claims === "object" && claims !== null ? (claims as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Lists aud, azp (appid in a v1 token), oid, scp or roles, and exp as a time. */
export function describeToken(token: string): string {
  const { aud, azp, appid, oid, scp, roles, exp } = decodeClaims(token);
  const expires = typeof exp === "number" ? new Date(exp * 1000).toISOString() : undefined;
  const shown = { aud, azp: azp ?? appid, oid, scp, roles: Array.isArray(roles) ? roles.join(" ") : undefined };
  return Object.entries({ ...shown, exp: expires })
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${String(value)}`]))
    .join("  ");
}
