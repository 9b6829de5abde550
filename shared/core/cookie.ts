/** A cookie to set. Secure, HttpOnly, SameSite=Lax and the path `/` are the same for all of ours: see `handle.ts`. */
export interface Cookie {
  readonly name: string;
  readonly value: string;
  /** Zero takes the cookie away. */
  readonly maxAgeSeconds: number;
}
