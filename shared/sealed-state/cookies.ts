/**
 * Names and pieces of the two sealed cookies: one for each sign-in under way, so that tabs do not disturb each other,
 * and never more than a few, so that the `Cookie` header stays small. `__Host-` makes the browser refuse them from
 * anywhere but this host over https (Chromium and Firefox also take them from http://localhost). Pure but for randomness.
 */
import { randomBytes } from "node:crypto";
import type { Cookie } from "../core/cookie.ts";

/** What a cookie is for: a sign-in at Entra, or a confirmation page. */
export type CookiePurpose = "signin" | "confirm";

/** Browsers take 4,096 characters of name and value. */
const PIECE_MAX_CHARACTERS = 3_700;
/** Entra's longest refresh tokens need two. */
const PIECES_MAX = 4;
/** Of each purpose at a time, the new one included; beyond it the oldest goes. */
const COOKIES_MAX: Readonly<Record<CookiePurpose, number>> = { signin: 5, confirm: 2 };

/** Seconds since 1970 in base 36, then 128 random bits: sorts by age, and cannot be guessed. */
const ID = /^[0-9a-z]{7}[A-Za-z0-9_-]{22}$/;
const OURS = /^__Host-gte-(signin|confirm)-([0-9a-z]{7}[A-Za-z0-9_-]{22})\.([0-3])$/;

export function newTransactionId(nowSeconds: number): string {
  return nowSeconds.toString(36).padStart(7, "0") + randomBytes(16).toString("base64url");
}

export function isTransactionId(text: string): boolean {
  return ID.test(text);
}

/** The cookies that hold a sealed text; undefined when it is too long for them. */
export function cookiesFor(
  purpose: CookiePurpose,
  id: string,
  { sealed, maxAgeSeconds }: { readonly sealed: string; readonly maxAgeSeconds: number },
): readonly Cookie[] | undefined {
  const pieces = sealed.match(new RegExp(`.{1,${PIECE_MAX_CHARACTERS}}`, "g")) ?? [];
  return pieces.length > PIECES_MAX
    ? undefined
    : pieces.map((value, index) => ({ name: nameOf(purpose, id, index), value, maxAgeSeconds }));
}

/** The sealed text that the browser sent for this id; undefined when it did not. */
export function readCookie(header: string, purpose: CookiePurpose, id: string): string | undefined {
  const pieces = ours(header)
    .filter((cookie) => cookie.purpose === purpose && cookie.id === id)
    .sort((a, b) => a.index - b.index);
  return pieces.length === 0 ? undefined : pieces.map(({ value }) => value).join("");
}

/** Takes away what the browser has for this id. */
export function clearCookies(header: string, purpose: CookiePurpose, id: string): readonly Cookie[] {
  return ours(header)
    .filter((cookie) => cookie.purpose === purpose && cookie.id === id)
    .map(({ name }) => ({ name, value: "", maxAgeSeconds: 0 }));
}

/** Makes room for one more of a purpose: takes away the oldest. */
export function evictOldest(header: string, purpose: CookiePurpose): readonly Cookie[] {
  const ids = [...new Set(ours(header).flatMap((cookie) => (cookie.purpose === purpose ? [cookie.id] : [])))].sort();
  const tooMany = ids.slice(0, Math.max(0, ids.length - COOKIES_MAX[purpose] + 1));
  return tooMany.flatMap((id) => clearCookies(header, purpose, id));
}

interface OwnCookie {
  readonly name: string;
  readonly value: string;
  readonly purpose: string;
  readonly id: string;
  readonly index: number;
}

/** Our cookies in a `Cookie` header; whatever else is in it is not looked at. Values are base64url with dots. */
function ours(header: string): readonly OwnCookie[] {
  return header.split(";").flatMap((pair) => {
    const [name = "", value = ""] = pair.trim().split("=", 2);
    const [, purpose = "", id = "", index = ""] = OURS.exec(name) ?? [];
    return purpose === "" ? [] : [{ name, value, purpose, id, index: Number(index) }];
  });
}

function nameOf(purpose: CookiePurpose, id: string, index: number): string {
  return `__Host-gte-${purpose}-${id}.${index}`;
}
