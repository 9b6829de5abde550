/**
 * A cookie to set. `functions/handle.ts` adds what all cookies share: Secure, HttpOnly, SameSite=Lax and the path `/`.
 */
export interface Cookie {
  readonly name: string;
  readonly value: string;
  /** 0 deletes the cookie. */
  readonly maxAgeSeconds: number;
}
