/**
 * Stage 1 of 5: caller. From a presented token to a `Caller`, or to the one reason why not. Nothing else makes a
 * `Caller`, so whoever holds one knows that every check passed.
 *
 *   form → header → key → signature → claims
 *
 * Each step reads only what the steps before it have made safe to read: no JSON before the form is right, no payload
 * before the signature is. The token is read from the request in `http/`, and what the caller may do is policy's.
 * Never throws because of a token.
 */
import type { CryptoKey } from "jose";
import { fail, type Result, succeed } from "../result.ts";
import type { SecretValue } from "../secret-value.ts";
import type { Caller } from "./caller.ts";
import { checkCallerClaims } from "./caller-claims.ts";
import { type CallerSettings, createCallerRules } from "./caller-rules.ts";
import { readCompactForm } from "./compact-form.ts";
import type { IssuerKeys } from "./issuer-keys.ts";
import { type JsonObject, readJsonObject } from "./json-object.ts";
import { readKeyId } from "./token-header.ts";
import type { TokenRefusal, ValidationFailure } from "./token-refusal.ts";
import { verifySignature } from "./verify-signature.ts";

export interface CallerValidatorInput extends CallerSettings {
  readonly keys: Pick<IssuerKeys, "find">;
}

export interface CallerValidator {
  validate(token: SecretValue, nowSeconds: number): Promise<Result<Caller, ValidationFailure>>;
}

/** Throws a TypeError for empty or malformed settings: a missing rule stops the start. */
export function createCallerValidator(input: CallerValidatorInput): CallerValidator {
  const rules = createCallerRules(input);
  const { keys } = input;
  if (typeof keys?.find !== "function") throw new TypeError("keys must be given");

  return {
    async validate(token, nowSeconds) {
      // Every comparison with NaN is false: without this, an unset clock would accept expired tokens.
      if (!Number.isFinite(nowSeconds)) throw new TypeError("nowSeconds must be a number");
      const form = readCompactForm(token.reveal());
      if (!form.ok) return refuse(form.failure);
      const key = await findKey(form.value.header, keys);
      if (!key.ok) return key;
      const refusal = await verifySignature({ compact: form.value.compact, key: key.value }, rules, nowSeconds);
      if (refusal !== undefined) return refuse(refusal);
      const checked = checkCallerClaims(readJsonObject(form.value.payload), rules, nowSeconds);
      if (!checked.ok) return refuse(checked.failure);
      // The one place where the proof of validation is given: see `ValidatedToken` in caller.ts.
      return succeed({ ...checked.value, token } as Caller);
    },
  };
}

async function findKey(
  header: JsonObject,
  keys: Pick<IssuerKeys, "find">,
): Promise<Result<CryptoKey, ValidationFailure>> {
  const keyId = readKeyId(header);
  if (!keyId.ok) return refuse(keyId.failure);
  const key = await keys.find(keyId.value);
  if (key.ok) return key;
  return key.failure === "key_unknown" ? refuse(key.failure) : fail({ kind: key.failure });
}

function refuse(reason: TokenRefusal): Result<never, ValidationFailure> {
  return fail({ kind: "token_refused", reason });
}
