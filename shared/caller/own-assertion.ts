/**
 * Recognises an assertion that a client signed itself for Entra (`private_key_jwt`, OpenID Connect Core section 9, RFC
 * 7523 section 3): issuer and subject are the client. Issuer of Entra's tokens is a URL, so no token is both. Nothing
 * here vouches for the claims: Entra checks the signature.
 */
import { isGuid } from "../core/guid.ts";
import { member, readJsonObject } from "../core/json-object.ts";
import type { SecretValue } from "../core/secret-value.ts";
import { readCompactForm } from "./compact-form.ts";

export interface OwnAssertion {
  /** GUID, lower case. */
  readonly clientId: string;
  readonly audiences: readonly unknown[];
  /** `exp`, seconds since 1970; 0 if the claim is missing. */
  readonly expiresAtSeconds: number;
}

export function readOwnAssertion(token: SecretValue): OwnAssertion | undefined {
  const form = readCompactForm(token.reveal());
  const claims = form.ok ? readJsonObject(form.value.payload) : undefined;
  if (claims === undefined) return undefined;
  const issuer = member(claims, "iss");
  if (!isGuid(issuer) || member(claims, "sub") !== issuer) return undefined;
  const audience = member(claims, "aud");
  const expiry = member(claims, "exp");
  return {
    clientId: issuer.toLowerCase(),
    audiences: Array.isArray(audience) ? audience : [audience],
    expiresAtSeconds: typeof expiry === "number" ? expiry : 0,
  };
}
