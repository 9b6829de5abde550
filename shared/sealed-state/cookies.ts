/**
 * Names and parts of the cookies with sealed state. Each sign-in has its own cookie, so that tabs do not interfere, and
 * the number of cookies is limited, so that the `Cookie` header stays small. With the prefix `__Host-`, the browser
 * accepts them from this host over https only (Chromium and Firefox also from http://localhost). Pure except for
 * randomness.
 */
import { randomBytes } from "node:crypto";
import type { Cookie } from "../core/cookie.ts";

/**
 * What a cookie is for: a sign-in at Entra that leads to a grant, a confirmation page, a sign-in at Entra for `/me`, or the
 * session of `/me`.
 */
export type CookiePurpose = "signin" | "confirm" | "visit" | "me";

/** Browsers limit name and value to 4,096 characters together. */
const PART_MAX_CHARACTERS = 3_700;
/** Entra's longest refresh tokens need two parts. */
const PARTS_MAX = 4;
/** Maximum concurrent sign-ins per purpose; one more evicts the oldest. */
const COOKIES_MAX: Readonly<Record<CookiePurpose, number>> = { signin: 5, confirm: 2, visit: 2, me: 1 };

/** Seconds since 1970 in base 36, then 128 random bits: sorts by age and cannot be guessed. */
const ID = /^[0-9a-z]{7}[A-Za-z0-9_-]{22}$/;
const COOKIE_NAME = /^__Host-gte-(signin|confirm|visit|me)-([0-9a-z]{7}[A-Za-z0-9_-]{22})\.([0-3])$/;

export function newTransactionId(nowSeconds: number): string {
  return nowSeconds.toString(36).padStart(7, "0") + randomBytes(16).toString("base64url");
}

export function isTransactionId(text: string): boolean {
  return ID.test(text);
}

/** The cookies that hold the sealed state. Undefined: it is too long. */
export function cookiesFor(
  purpose: CookiePurpose,
  id: string,
  { sealed, maxAgeSeconds }: { readonly sealed: string; readonly maxAgeSeconds: number },
): readonly Cookie[] | undefined {
  const parts = sealed.match(new RegExp(`.{1,${PART_MAX_CHARACTERS}}`, "g")) ?? [];
  return parts.length > PARTS_MAX
    ? undefined
    : parts.map((value, index) => ({ name: cookieName(purpose, id, index), value, maxAgeSeconds }));
}

/** The sealed state that the browser sent for this id. Undefined: it sent none. */
export function readCookie(header: string, purpose: CookiePurpose, id: string): string | undefined {
  const parts = stateCookies(header)
    .filter((cookie) => cookie.purpose === purpose && cookie.id === id)
    .sort((a, b) => a.index - b.index);
  return parts.length === 0 ? undefined : parts.map(({ value }) => value).join("");
}

/** The id of the newest cookie of a purpose. Undefined: the browser sent none. */
export function newestId(header: string, purpose: CookiePurpose): string | undefined {
  return stateCookies(header)
    .flatMap((cookie) => (cookie.purpose === purpose ? [cookie.id] : []))
    .sort()
    .at(-1);
}

/** Cookies that make the browser delete its cookies of this id. */
export function clearCookies(header: string, purpose: CookiePurpose, id: string): readonly Cookie[] {
  return stateCookies(header)
    .filter((cookie) => cookie.purpose === purpose && cookie.id === id)
    .map(({ name }) => ({ name, value: "", maxAgeSeconds: 0 }));
}

/** Deletes the oldest cookies of a purpose, so that one more stays within the limit. */
export function evictOldest(header: string, purpose: CookiePurpose): readonly Cookie[] {
  const ids = [
    ...new Set(stateCookies(header).flatMap((cookie) => (cookie.purpose === purpose ? [cookie.id] : []))),
  ].sort();
  const tooMany = ids.slice(0, Math.max(0, ids.length - COOKIES_MAX[purpose] + 1));
  return tooMany.flatMap((id) => clearCookies(header, purpose, id));
}

// ---------------------------------------------------------------------------------------------------------------

interface StateCookie {
  readonly name: string;
  readonly value: string;
  readonly purpose: string;
  readonly id: string;
  readonly index: number;
}

/** The cookies of this service in a `Cookie` header. Other cookies are ignored. Values are base64url with dots. */
function stateCookies(header: string): readonly StateCookie[] {
  return header.split(";").flatMap((pair) => {
    const [name = "", value = ""] = pair.trim().split("=", 2);
    const [, purpose = "", id = "", index = ""] = COOKIE_NAME.exec(name) ?? [];
    return purpose === "" ? [] : [{ name, value, purpose, id, index: Number(index) }];
  });
}

function cookieName(purpose: CookiePurpose, id: string, index: number): string {
  return `__Host-gte-${purpose}-${id}.${index}`;
}
