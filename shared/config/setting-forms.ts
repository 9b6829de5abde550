/** What a setting is, and the forms that several settings share. */
import * as z from "zod/mini";
import { GUID } from "../core/guid.ts";
import { guidAsCopied, urlAsCopied, wordAsCopied } from "./as-copied.ts";

// Each schema runs once, when the service starts. Compiling it would cost more time than it saves.
z.config({ jitless: true });

export interface Setting {
  /** Removes what is harmless in a copied value, before `form` validates it. Default: changes nothing. */
  readonly asCopied?: (text: string) => string;
  /** Validates the text of the variable. */
  readonly form: z.ZodMiniType<string>;
  /** The form in words, for the error message and docs/configuration.md. It completes "must be". */
  readonly mustBe: string;
  /** "always", "no", or a condition in words that completes "required". */
  readonly required: "always" | "no" | string;
  readonly fallback?: string;
  readonly meaning: string;
  readonly example: string;
}

export const text = (form: RegExp) => z.string().check(z.regex(form), z.maxLength(1_024));
/** `URL.canParse`: the expression alone accepts text that `URL` refuses with an error that contains the value. */
export const url = (form: RegExp) => z.string().check(z.regex(form), z.maxLength(1_024), z.refine(URL.canParse));
export const oneOf = (...values: [string, ...string[]]) => z.enum(values);

export const guid = { form: text(GUID), mustBe: "a GUID", asCopied: guidAsCopied };
export const flag = { form: oneOf("true", "false"), mustBe: "true or false", asCopied: wordAsCopied };
export const secretName = {
  form: text(/^[0-9a-zA-Z-]{1,127}$/),
  mustBe: "a name in Key Vault: letters, digits and hyphens",
};
export const origin = {
  form: url(/^https?:\/\/[^/\\?#@\s]+$/),
  mustBe: "an origin: scheme and host, without path",
  asCopied: urlAsCopied,
};
